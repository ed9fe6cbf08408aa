"""Sound as bytes: formats, validators, ranges, names. The same contract for everything that sounds."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from app_checks import API, assert_problem, format_of, samples_of


@pytest.fixture(scope="module")
def morph_url(client, ids, name):
    morph = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kinds": ["linear"], "steps": 3}
    return client.post(f"{API}/models/{name}/morphs", json=morph).json()["morphs"][0]["audio"]["url"]


@pytest.fixture(params=["original", "decoded", "morph"])
def url(request, ids, morph_url, name):
    sound = f"{API}/models/{name}/sounds/{ids[2]}"
    return {"original": f"{sound}/audio", "decoded": f"{sound}/decoded", "morph": morph_url}[request.param]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "audio/wav"),
        ("*/*", "audio/wav"),
        ("audio/*", "audio/wav"),
        ("audio/flac", "audio/flac"),
        ("audio/ogg", "audio/ogg"),
        ("audio/x-wav;q=0.3, audio/ogg;q=0.8", "audio/ogg"),
        ("audio/*;q=0.1, audio/wav;q=0, audio/flac;q=0.5", "audio/flac"),
        ("audio/webm,audio/ogg,audio/wav,audio/*;q=0.9,*/*;q=0.5", "audio/wav"),
        ("text/html, audio/ogg;q=0.1", "audio/ogg"),
    ],
)
def test_the_format_is_the_one_the_client_likes_best(client, url, accept, media_type):
    answer = client.get(url, headers={"Accept": accept} if accept else {"Accept": ""})
    assert answer.headers["content-type"] == media_type
    assert answer.headers["vary"] == "Accept"
    assert format_of(answer.content) == media_type.removeprefix("audio/").upper()


def test_every_format_is_the_same_sound(client, url):
    wav, rate = samples_of(client.get(url, params={"format": "wav"}).content)
    assert rate == 44_100
    assert np.abs(wav).max() > 0.01
    flac, _ = samples_of(client.get(url, params={"format": "flac"}).content)
    np.testing.assert_allclose(wav, flac, atol=1.01 / 32768)  # 16 bit, rounded each in its way
    ogg, _ = samples_of(client.get(url, params={"format": "ogg"}).content)
    assert len(ogg) == len(wav)
    assert np.abs(ogg - wav).mean() < 0.1 * np.abs(wav).mean()


def test_a_format_asked_for_by_name_goes_before_accept(client, url):
    answer = client.get(url, params={"format": "flac"}, headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "audio/flac"


def test_sound_cannot_be_had_as_a_picture(client, url):
    problem = assert_problem(client.get(url, headers={"Accept": "image/png"}), 406, "not_acceptable")
    assert "audio/flac" in problem["detail"]
    assert_problem(client.get(url, params={"format": "mp3"}), 422, "request_invalid")


def test_what_the_client_has_is_not_sent_again(client, url):
    first = client.get(url)
    etag = first.headers["etag"]
    assert not etag.startswith("W/")
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(url, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.headers["etag"] == etag
        assert again.content == b""
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_every_format_has_a_tag_of_its_own_that_stays(client, url):
    tags = [
        client.get(url, params={"format": format}).headers["etag"]
        for format in ("wav", "flac", "wav", "flac")
    ]
    assert tags[0] != tags[1]
    assert tags[:2] == tags[2:]


@pytest.mark.parametrize(
    ("range_", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=10-19", slice(10, 20)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=40-99999999999", slice(40, None)),
        ("bytes=-99999999999", slice(0, None)),
        ("BYTES = 1 - 2", slice(1, 3)),
    ],
)
def test_a_part_can_be_had(client, url, range_, part):
    whole = client.get(url).content
    answer = client.get(url, headers={"Range": range_})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    start, stop, _ = part.indices(len(whole))
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"


@pytest.mark.parametrize("range_", ["bytes=999999999-", "bytes=-0", "bytes=999999999-9999999999"])
def test_a_part_beyond_the_end_cannot(client, url, range_):
    answer = client.get(url, headers={"Range": range_})
    assert_problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(client.get(url).content)}"


@pytest.mark.parametrize(
    "range_", ["lines=1-2", "bytes=5-2", "bytes=-", "bytes=a-b", "bytes=0-1,4-5", "bytes", ""]
)
def test_what_is_no_single_range_is_answered_whole(client, url, range_):
    answer = client.get(url, headers={"Range": range_})
    assert answer.status_code == 200
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_part_of_something_else_is_answered_whole(client, url):
    etag = client.get(url).headers["etag"]
    assert client.get(url, headers={"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    assert client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"old"'}).status_code == 200


def test_head_tells_what_get_would(client, url):
    get, head = client.get(url), client.head(url)
    assert head.content == b""
    of_each = {"x-request-id"}
    assert {key: value for key, value in head.headers.items() if key not in of_each} == {
        key: value for key, value in get.headers.items() if key not in of_each
    }
    assert client.head(url, headers={"Range": "bytes=0-9"}).headers["content-length"] == "10"


@pytest.mark.parametrize(
    ("name_", "plain", "encoded"),
    [
        ("Kick to bell", "Kick to bell.wav", "Kick%20to%20bell.wav"),
        ("Kick.wav", "Kick.wav", "Kick.wav"),
        ("Glöckchen 鐘", "Glockchen .wav", "Gl%C3%B6ckchen%20%E9%90%98.wav"),
        ("../../etc/passwd", "passwd.wav", "passwd.wav"),
        ('a"b\r\nX-Evil: 1', "abX-Evil 1.wav", "abX-Evil%201.wav"),
        ("鐘", "sound.wav", "%E9%90%98.wav"),
        ("", "sound.wav", "sound.wav"),
    ],
)
def test_sound_is_saved_under_a_name_that_every_system_takes(client, url, name_, plain, encoded):
    disposition = client.get(url, params={"download": name_}).headers["content-disposition"]
    assert disposition == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def test_without_a_name_sound_is_played_not_saved(client, url):
    assert "content-disposition" not in client.get(url).headers


def test_rendered_sound_lies_under_the_sha256_of_its_wav_file(client, morph_url):
    wav = client.get(morph_url).content
    assert morph_url.endswith(hashlib.sha256(wav).hexdigest())


def test_what_cannot_change_may_be_kept_for_good(client, ids, name, morph_url):
    sound = client.get(f"{API}/models/{name}/sounds/{ids[2]}").json()
    for url in (morph_url, sound["audio_url"], sound["decoded_url"]):
        assert "immutable" in client.get(url).headers["cache-control"]
    unversioned = sound["decoded_url"].partition("?")[0]
    assert client.get(unversioned).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("sha256", ["0" * 64, "abc", "A" * 64, "é"])
def test_audio_that_is_not_kept_is_not_found(client, sha256):
    problem = assert_problem(client.get(f"{API}/audio/{sha256}"), 404, "audio_not_found")
    assert "again" in problem["detail"]
