"""Whatever JSON comes, the answer is a clear one."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import quote

import pytest
from app_checks import API, assert_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonifold_app.http.negotiation import choose
from sonifold_app.http.problems import Problem
from sonifold_app.http.replies import parse_range

QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["sound", "geodesic", "linear", "steps", "blend", "", "\0", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["sound", "point", "position", "anchors", "kind", "kinds", "points", "positions", "\ud800"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
number = st.floats(width=32) | st.integers(-3, 3) | st.just(1e300)
anchor = st.one_of(
    st.fixed_dictionaries({"sound": st.text(max_size=70)}),
    st.fixed_dictionaries({"point": st.lists(number, max_size=40)}),
    st.fixed_dictionaries({"position": st.lists(number, max_size=3)}),
    anything,
)
question = st.fixed_dictionaries(
    {"anchors": st.lists(anchor, max_size=4)},
    optional={
        "kind": st.sampled_from(["linear", "flat", None]),
        "kinds": st.lists(st.sampled_from(["linear", "flat"]), max_size=3),
        "metric": st.sampled_from(["flat", "blend", 1]),
        "weight": number,
        "steps": st.integers(-1, 4) | st.integers(),
        "mode": st.sampled_from(["steps", "glides"]),
        "seconds": number,
    },
)
places = st.fixed_dictionaries(
    {},
    optional={
        "points": st.lists(st.lists(number, max_size=40), max_size=3),
        "positions": st.lists(st.lists(number, max_size=3), max_size=3),
    },
)


def assert_clear(answer):
    """Either it worked, or the client is told what was wrong."""
    assert answer.status_code in (200, 400, 404, 413, 422), answer.text
    json.loads(answer.text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    if answer.status_code != 200:
        assert_problem(answer, answer.status_code, answer.json()["code"])


def post(client, url, body):
    return client.post(url, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


@QUIET
@given(body=anything | question)
def test_paths(client, name, body):
    assert_clear(post(client, f"{API}/models/{name}/paths", body))


@QUIET
@given(body=anything | question)
def test_morphs(client, name, body):
    assert_clear(post(client, f"{API}/models/{name}/morphs", body))


@QUIET
@given(body=anything | places)
def test_decodings(client, name, body):
    assert_clear(post(client, f"{API}/models/{name}/decodings", body))


@QUIET
@given(body=anything | places, way=st.sampled_from(["points", "positions"]))
def test_atlas(client, name, body, way):
    assert_clear(post(client, f"{API}/models/{name}/atlas/{way}", body))


@pytest.mark.parametrize("resource", ["paths", "morphs", "decodings", "atlas/points", "atlas/positions"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 100_000,
        b'"' + b"a" * 100_000,
        b"\0",
        b'{"anchors": [], "anchors": []}',
        "\ufeff{}".encode(),
    ],
    ids=[
        "empty",
        "cut",
        "not UTF-8",
        "null",
        "deep list",
        "deep object",
        "long number",
        "long text",
        "NUL",
        "twice",
        "BOM",
    ],
)
@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-16", "text/plain", ""]
)
def test_bytes_that_are_no_question(client, name, resource, body, content_type):
    answer = client.post(
        f"{API}/models/{name}/{resource}", content=body, headers={"Content-Type": content_type}
    )
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code, "request_invalid")


@QUIET
@given(
    sound=st.text(st.characters(codec="utf-8"), min_size=1, max_size=80),
    part=st.sampled_from(["", "/audio", "/decoded", "/neighbours"]),
    format=st.text(st.characters(codec="utf-8"), max_size=20),
    header=st.binary(max_size=40).filter(lambda b: b"\r" not in b and b"\n" not in b and b"\0" not in b),
)
def test_addresses_and_headers(client, name, sound, part, format, header):
    answer = client.get(
        f"{API}/models/{name}/sounds/{quote(sound, safe='')}{part}",
        params={"format": format, "count": format},
        headers={"Accept": header, "Range": header, "If-None-Match": header},
    )
    assert answer.status_code in (404, 422)


@QUIET
@given(header=st.text(max_size=60))
def test_any_range_header_is_a_part_or_the_whole_or_a_clear_no(header):
    with suppress(Problem):  # 416
        part = parse_range(header, 100)
        assert part is None or 0 <= part.start < part.stop <= 100


@QUIET
@given(header=st.text(max_size=60) | st.none())
def test_any_accept_header_is_a_choice_or_none(header):
    assert choose(header, ["audio/wav", "audio/ogg"]) in ("audio/wav", "audio/ogg", None)
