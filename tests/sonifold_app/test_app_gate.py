"""Who may ask, how much may be sent, and what a browser may do with the answer."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from app_checks import API, assert_problem
from pydantic import ValidationError
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.http.holders import MAIN, TokenHolders
from sonifold_app.http.limits import BodyLimit
from sonifold_app.http.problems import Problem
from sonifold_app.http.sessions import SESSION_SECONDS, Guesses, Sessions, cookie_name
from sonifold_app.schemas.common import MAX_STEPS
from sonifold_app.schemas.exports import MorphExport
from sonifold_app.schemas.uploads import CheckRequest
from sonifold_app.settings import Settings

TOKEN = "correct horse battery"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, engine_of):
    settings = Settings(data=tmp_path_factory.mktemp("data"), token=TOKEN, host="0.0.0.0")
    with TestClient(create_app(settings, engine_of()), base_url="http://studio.example:8750") as client:
        client.get(f"{API}/models", headers={"Authorization": f"Bearer {TOKEN}"})
        yield client


@pytest.fixture(autouse=True)
def no_cookies(guarded):
    guarded.cookies.clear()


def test_without_the_token_nothing_is_told(guarded):
    for path in (f"{API}/models", "/", "/vendor/plotly.min.js", f"{API}/openapi.json", f"{API}/audio/x"):
        answer = guarded.get(path)
        assert_problem(answer, 401, "token_required")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "bad", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é", f"Bearer{TOKEN}"]
)
def test_a_wrong_token_is_no_token(guarded, bad):
    answer = guarded.get(f"{API}/models", headers={"Authorization": bad.encode()})
    assert_problem(answer, 401, "token_required")


def test_the_token_opens_as_header_and_as_query(guarded):
    assert guarded.get(f"{API}/models", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get(f"{API}/models", headers={"Authorization": f"bearer  {TOKEN}"}).status_code == 200
    assert guarded.get(f"{API}/models", params={"token": TOKEN}).status_code == 200


def test_a_page_opened_with_the_token_moves_it_into_a_cookie(guarded):
    answer = guarded.get("/", params={"token": TOKEN, "a": "b", "empty": ""}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?a=b&empty="
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert guarded.get(f"{API}/models").status_code == 200


def test_the_cookie_is_no_token_and_names_its_port(guarded):
    """Browsers send cookies to every port of a host: another server there must not learn the token from it."""
    first, second = (guarded.get("/", params={"token": TOKEN}, follow_redirects=False) for _ in range(2))
    name, _, value = first.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == "sonifold_session_8750"
    assert TOKEN not in value
    assert TOKEN.replace(" ", "") not in value
    assert second.headers["set-cookie"].partition(";")[0].partition("=")[2] != value
    guarded.cookies.clear()
    assert guarded.get(f"{API}/models", headers={"Cookie": f"{name}={value}"}).status_code == 200
    for bad in (f"sonifold_session_8751={value}", f"{name}={value}x", f"{name}=9{value}", f"{name}={TOKEN}"):
        assert_problem(guarded.get(f"{API}/models", headers={"Cookie": bad}), 401, "token_required")
    assert_problem(
        guarded.get(f"{API}/models", headers={"Authorization": f"Bearer {value}"}), 401, "token_required"
    )


def test_a_session_outlives_the_server_and_ends_after_a_month(monkeypatch):
    value = Sessions(TOKEN).new()
    again = Sessions(TOKEN)
    assert again.holder_of(value) == ""
    assert Sessions(TOKEN + "!").holder_of(value) is None
    for bad in ("", ".", "..", "x.y.z", value.swapcase(), "\x00", "é.é.é"):
        assert again.holder_of(bad) is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS + 1)
    assert again.holder_of(value) is None


@pytest.mark.parametrize(
    ("host", "scheme", "port"),
    [
        ("studio.example:8750", "http", "8750"),
        ("studio.example", "http", "80"),
        ("studio.example", "https", "443"),
        ("[::1]:9", "http", "9"),
        ("[::1]", "http", "80"),
        ("a:b", "http", "80"),
        ("", "http", "80"),
    ],
)
def test_a_cookie_has_the_port_in_its_name(host, scheme, port):
    assert cookie_name(host, scheme) == f"sonifold_session_{port}"


def test_guesses_are_slowed_and_the_owner_is_not_locked_out(monkeypatch):
    async def scenario():
        waits = []

        async def sleep(seconds, sleep=asyncio.sleep):
            waits.append(seconds)
            await sleep(0)

        monkeypatch.setattr(asyncio, "sleep", sleep)
        guesses = Guesses(TokenHolders(TOKEN, list).holder)
        for n in range(30):
            assert await guesses.holder("127.0.0.1", [f"guess {n}"]) is None
        assert waits == [Guesses.WRONG_SECONDS] * (30 - Guesses.FREE)
        assert await guesses.holder("127.0.0.1", [TOKEN]) == MAIN
        assert len(waits) == 30 - Guesses.FREE  # who is right never waits for being wrong
        assert await guesses.holder("192.0.2.7", ["mistyped"]) is None  # another address's first
        assert len(waits) == 30 - Guesses.FREE

    asyncio.run(scenario())


def test_few_guesses_are_compared_at_a_time_and_few_may_wait(monkeypatch):
    async def scenario():
        guesses, go = Guesses(TokenHolders(TOKEN, list).holder), asyncio.Event()
        for n in range(Guesses.FREE):
            await guesses.holder("2001:db8::1", [f"guess {n}"])
        monkeypatch.setattr(asyncio, "sleep", lambda seconds: go.wait())
        many = [
            asyncio.ensure_future(guesses.holder(f"2001:db8::{n:x}", ["x"]))
            for n in range(Guesses.MOST_WAITING)
        ]
        for _ in range(3):
            await next_turn()
        with pytest.raises(Problem) as refused:
            await guesses.holder("2001:db8::ffff", ["x"])  # the same network
        assert refused.value.status_code == 429
        assert int(refused.value.headers["Retry-After"]) >= 1
        assert await guesses.holder("2001:db8:1::1", [TOKEN]) == MAIN
        go.set()
        assert not any(await asyncio.gather(*many))
        assert await guesses.holder("2001:db8::1", [TOKEN]) == MAIN

    asyncio.run(scenario())


async def next_turn():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


def test_a_redirect_never_leads_to_another_site(guarded):
    answer = guarded.get("//evil.example/", params={"token": TOKEN}, follow_redirects=False)
    assert answer.headers.get("location", "/").startswith("/")
    assert not answer.headers.get("location", "/").startswith("//")


def test_whoever_supervises_the_server_needs_no_token(guarded):
    assert guarded.get("/livez").status_code == 200
    assert guarded.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_no_session_is_given_where_no_token_was_compared(guarded, path):
    for token in ("wrong", TOKEN):
        answer = guarded.get(path, params={"token": token}, follow_redirects=False)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8750",
        "127.0.0.1.evil.example",
        "",
        "192.168.1.5",
        "[::2]",
        "evil@127.0.0.1",
    ],
)
def test_without_a_token_the_server_answers_to_loopback_names_only(client, host):
    assert_problem(client.get(f"{API}/models", headers={"Host": host}), 421, "host_refused")
    assert client.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8750", "127.0.0.1", "127.3.2.1:1", "[::1]:8750"])
def test_loopback_has_several_names(client, host):
    assert client.get(f"{API}/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_cannot_post(client, name, headers):
    answer = client.post(f"{API}/models/{name}/decodings", json={"positions": [[0, 0]]}, headers=headers)
    assert_problem(answer, 403, "origin_refused")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_has_nothing_computed(client, name, ids, site):
    """It could not read the answers; but making them would keep this machine busy."""
    for path in ("file", "indicatrices", f"sounds/{ids[0]}/neighbours", "sounds"):
        answer = client.get(f"{API}/models/{name}/{path}", headers={"Sec-Fetch-Site": site})
        assert_problem(answer, 403, "origin_refused")
    answer = client.get(f"{API}/models", headers={"Origin": "https://evil.example"})
    assert_problem(answer, 403, "origin_refused")
    assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200  # a link to the page


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://127.0.0.1:8750"}],
)
def test_our_own_page_and_programs_can(client, name, headers):
    answer = client.post(f"{API}/models/{name}/decodings", json={"positions": [[0.0, 0.0]]}, headers=headers)
    assert answer.status_code == 200, answer.text


def test_every_answer_tells_the_browser_what_the_page_may_do(client):
    for path in ("/livez", f"{API}/models", "/no-such", "/vendor/plotly.min.js"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]


def test_a_large_body_is_refused_by_its_announced_length(client, name):
    body = b'{"positions": [' + b"[0,0]," * 500_000 + b"[0,0]]}"
    answer = client.post(
        f"{API}/models/{name}/decodings", content=body, headers={"Content-Type": "application/json"}
    )
    problem = assert_problem(answer, 413, "upload_too_large")
    assert problem["limit_bytes"] < len(body)


def test_a_question_takes_what_questions_need_and_no_more(client, name, ids):
    asked = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kind": "linear"}
    body = json.dumps(asked) + " " * 300_000
    answer = client.post(
        f"{API}/models/{name}/paths", content=body, headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, 413, "upload_too_large")
    points = [[0.123456789012345678] * 32] * 1024
    answer = client.post(f"{API}/models/{name}/atlas/positions", json={"points": points})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("resource", ["paths", "morphs", "atlas/positions", "decodings", "sounds"])
def test_an_object_of_very_many_members_is_refused_as_a_whole(client, name, resource):
    body = {f"k{i}": i for i in range(15_000)}
    answer = client.post(f"{API}/models/{name}/{resource}", json=body)
    problem = assert_problem(answer, 422, "request_invalid")
    assert "members" in problem["detail"]
    assert len(answer.content) < 2000


def test_a_list_of_wrong_numbers_is_left_at_the_first(client, name):
    for points in ([["x"] * 512] * 300, [[["x"]]] * 1000):
        problem = assert_problem(
            client.post(f"{API}/models/{name}/atlas/positions", json={"points": points}),
            422,
            "request_invalid",
        )
        assert len(problem["errors"]) == 1


@pytest.mark.parametrize(
    "request_of",
    [
        lambda wrong: CheckRequest(sounds=wrong),
        lambda wrong: MorphExport(anchors=[{"sound": "a"}, {"sound": "b"}], durations=wrong),
    ],
)
@pytest.mark.parametrize("wrong", [7, {}, [1]])
def test_long_lists_of_wrong_entries_are_left_early(request_of, wrong):
    with pytest.raises(ValidationError) as refused:
        request_of([wrong] * 60_000)
    assert refused.value.error_count() <= MAX_STEPS + 1


def test_a_large_body_without_a_length_is_refused_as_soon_as_it_is_too_large(client, name):
    given = 0

    def endless():
        nonlocal given
        for _ in range(1000):
            given += 1
            yield b"[0,0]," * 20_000

    answer = client.post(
        f"{API}/models/{name}/decodings", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, 413, "upload_too_large")


def test_refusing_by_length_reads_on_for_a_while_so_that_the_client_sees_why():
    """Plain ASGI: a body of four parts, refused, is still taken in before the answer ends."""
    parts = [
        {"type": "http.request", "body": b"x" * 10, "more_body": more} for more in (True, True, True, False)
    ]
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append((message["type"], message.get("more_body", False), len(parts)))

    async def app(*_):
        raise AssertionError("never reached")

    scope = {"type": "http", "path": "/x", "headers": [(b"content-length", b"40")]}
    asyncio.run(BodyLimit(app, lambda path: 20)(scope, receive, send))
    assert sent == [
        ("http.response.start", False, 4),
        ("http.response.body", True, 4),
        ("http.response.body", False, 0),
    ]


def test_websockets_are_turned_away(client):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass
