"""Sound files in: good ones find their place, and each bad one is told what is wrong, in bounded memory."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
from app_checks import API, RATE, assert_problem, file_of, tone


@pytest.fixture
def send(client, name):
    def send(*files: bytes, names: list[str] | None = None):
        labels = names or [f"sound {i}.wav" for i in range(len(files))]
        parts = [("files", (label, data)) for label, data in zip(labels, files, strict=True)]
        return client.post(f"{API}/models/{name}/embeddings", files=parts)

    return send


def test_a_sound_finds_its_place(send, ids, model):
    (found,) = send(file_of(tone()), names=["blip.wav"]).json()["embeddings"]
    assert found["name"] == "blip.wav"
    assert len(found["z"]) == model.latent_dim
    assert found["seconds"] > 0
    assert {one["id"] for one in found["nearest"]} <= set(ids)
    distances = [one["distance"] for one in found["nearest"]]
    assert distances == sorted(distances)


def test_what_was_embedded_can_be_an_end_of_a_path(client, send, ids, name):
    (found,) = send(file_of(tone())).json()["embeddings"]
    path = client.post(
        f"{API}/models/{name}/paths",
        json={"anchors": [{"point": found["z"]}, {"sound": ids[0]}], "kind": "linear"},
    ).json()["path"]
    assert path["nodes"][0] == pytest.approx(found["z"], rel=1e-6)


@pytest.mark.parametrize(
    ("format", "subtype"),
    [
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_24"),
        ("WAV", "DOUBLE"),
        ("FLAC", None),
        ("OGG", None),
        ("MP3", None),
        ("AIFF", None),
    ],
)
def test_every_usual_format_is_read(send, format, subtype):
    answer = send(file_of(tone(), format=format, subtype=subtype))
    assert answer.status_code == 200, answer.text


def test_any_rate_and_any_number_of_channels_are_read(send):
    eight_channels = np.stack([tone(rate=192_000)] * 8, axis=1)
    answer = send(file_of(eight_channels, rate=192_000), file_of(tone(rate=8_000), rate=8_000))
    assert answer.status_code == 200, answer.text


def test_several_files_come_back_in_their_order(send):
    files = [file_of(tone(hertz=100 + 40 * i)) for i in range(3)]
    names = [f"{i}.wav" for i in range(3)]
    assert [one["name"] for one in send(*files, names=names).json()["embeddings"]] == names


def wav_header(data_bytes: int, riff_bytes: int | None = None) -> bytes:
    """A PCM16 mono WAV header that promises so many bytes of samples."""
    riff = data_bytes + 36 if riff_bytes is None else riff_bytes
    return (
        b"RIFF"
        + struct.pack("<I", riff & 0xFFFFFFFF)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
        + b"data"
        + struct.pack("<I", data_bytes & 0xFFFFFFFF)
    )


NAN = tone()
NAN = np.where(np.arange(len(NAN)) == 1000, np.float32("nan"), NAN)
HOSTILE = {
    "text": (b"Dear service, please sing this.", "audio_unreadable"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(500), "audio_unreadable"),
    "noise bytes": (np.random.default_rng(0).bytes(20_000), "audio_unreadable"),
    "zero length": (b"", "audio_unreadable"),
    "a header alone": (wav_header(0), "audio_too_short"),
    "a header that claims 2 GB": (wav_header(0x6FFFFFF0) + bytes(2000), "audio_unreadable"),
    "a header that was never filled in, and silence": (wav_header(0xFFFFFFF0) + bytes(2000), "audio_silent"),
    "a truncated WAV": (file_of(tone())[:-20_000], "audio_unreadable"),
    "a truncated FLAC": (
        file_of(np.random.default_rng(0).normal(0, 0.1, RATE), format="FLAC")[:-20_000],
        "audio_unreadable",
    ),
    "half a header": (file_of(tone())[:30], "audio_unreadable"),
    "a WAV of silence": (file_of(np.zeros(RATE, np.float32)), "audio_silent"),
    "silence with one faint click": (
        file_of(np.eye(1, RATE, 500)[0] * 1e-4, subtype="FLOAT"),
        "audio_silent",
    ),
    "NaN among the samples": (file_of(NAN, subtype="FLOAT"), "audio_unreadable"),
    "infinity among the samples": (
        file_of(np.where(np.isnan(NAN), np.inf, NAN), subtype="FLOAT"),
        "audio_unreadable",
    ),
    "one sample": (file_of(np.ones(1, np.float32)), "audio_too_short"),
    "eleven seconds": (file_of(np.tile(tone(1.0), 11)), "audio_too_long"),
    "ten minutes in a small FLAC": (
        file_of(np.zeros(600 * 8000, np.int16), rate=8000, format="FLAC"),
        "audio_too_long",
    ),
    "a rate of 1 Hz": (file_of(tone(rate=8000), rate=1), "audio_unreadable"),
}


@pytest.mark.parametrize(("data", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_file_is_told_what_is_wrong(send, data, code):
    problem = assert_problem(send(data, names=["mine.wav"]), 422, code)
    assert "mine.wav" in problem["detail"]


def test_one_bad_file_among_good_ones_is_named_and_the_others_are_taken(send):
    answer = send(file_of(tone()), b"text", file_of(tone()), names=["a.wav", "b.wav", "c.wav"])
    assert answer.status_code == 200, answer.text
    assert [(one["file"], one["name"]) for one in answer.json()["embeddings"]] == [(0, "a.wav"), (2, "c.wav")]
    (refused,) = answer.json()["refused"]
    assert (refused["file"], refused["name"], refused["code"]) == (1, "b.wav", "audio_unreadable")
    assert "b.wav" in refused["detail"]


def test_where_no_file_can_be_used_each_is_named(send):
    names = [".DS_Store", "b.wav", "._c.wav", "d.wav"]
    answer = send(bytes(6148), file_of(np.zeros(RATE)), b"\0\5\x16\7" + bytes(80), b"text", names=names)
    problem = assert_problem(answer, 422, "audio_silent")
    assert [one["file"] for one in problem["refused"]] == [0, 1, 2, 3]
    codes = ["skipped", "audio_silent", "skipped", "audio_unreadable"]
    assert [one["code"] for one in problem["refused"]] == codes


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF])
def test_a_header_that_claims_gigabytes_costs_no_memory(send, size):
    send(file_of(tone()))  # whatever is made once
    tracemalloc.start()
    try:
        send(wav_header(size) + file_of(tone())[44:])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32e6


def test_ten_minutes_of_audio_are_too_large(send, client):
    limit = client.get(f"{API}/models").json()["models"][0]["limits"]["upload_bytes"]
    problem = assert_problem(send(bytes(limit)), 413, "upload_too_large")
    assert problem["limit_bytes"] == limit
    assert f"{limit:,}" in problem["detail"]


def test_twenty_files_are_taken_and_twenty_one_are_not(send):
    blip = file_of(tone(0.05))
    assert len(send(*[blip] * 20).json()["embeddings"]) == 20
    problem = assert_problem(send(*[blip] * 21), 422, "request_invalid")
    assert "20" in problem["detail"]


@pytest.mark.parametrize(
    "name_",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "nul\0byte.wav",
        "a" * 5000,
        "",
        " ",
        "snare\r\nX: y.wav",
        "🥁.wav",
        '"',
    ],
)
def test_names_of_files_are_only_names(send, name_):
    answer = send(file_of(tone()), names=[name_ or "x"])
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        name = answer.json()["embeddings"][0]["name"]
        assert 1 <= len(name) <= 120
        assert name.isprintable()
        assert "/" not in name
        assert "\\" not in name


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{}", "application/json", 415, "media_type_unsupported"),
        (b"x", "", 415, "media_type_unsupported"),
        (b"files=x", "application/x-www-form-urlencoded", 415, "media_type_unsupported"),
        (b"x", "multipart/form-data", 422, "request_invalid"),
        (b"not a form", "multipart/form-data; boundary=b", 422, "request_invalid"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "request_invalid"),
        (
            b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\ntext\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            422,
            "request_invalid",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="other"; filename="x"\r\n\r\ntext\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            422,
            "request_invalid",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; filename="x"\r\n\r\ntext\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            422,
            "request_invalid",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\ncut',
            "multipart/form-data; boundary=b",
            422,
            "request_invalid",
        ),
        (b"--b\r\n" + b"X: y\r\n" * 20_000, "multipart/form-data; boundary=b", 422, "request_invalid"),
    ],
)
# Starlette leaves the last part of a form that ends too early to the garbage collector
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_not_a_form_with_files_is_refused(client, name, body, content_type, status, code):
    answer = client.post(
        f"{API}/models/{name}/embeddings", content=body, headers={"Content-Type": content_type}
    )
    assert_problem(answer, status, code)
