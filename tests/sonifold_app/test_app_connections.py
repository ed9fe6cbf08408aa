"""Connections that ask nothing are closed, however many there are; those that do are answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import subprocess
import sys
import threading
import time

import pytest
import uvicorn

from sonifold_app import serve
from sonifold_app.http import connections
from sonifold_app.http.logs import Sparse

SLOW = 1.0  # seconds that /slow takes


async def echo(scope, receive, send):
    """Answers with the size of the body; ``/slow`` after a while, ``/early`` without reading it."""
    if scope["type"] != "http":
        return
    size = 0
    while scope["path"] != "/early":
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(SLOW)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def quick(monkeypatch):
    """Time limits that a test can wait for."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(connections, "PART_SECONDS", 0.4)
    monkeypatch.setattr(connections, "BODY_SECONDS", 1.6)


@pytest.fixture
def server(quick):
    """Opens connections to a server with room for four."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        config = uvicorn.Config(echo, http=serve.protocol(4), lifespan="off", log_level=logging.ERROR)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()

        def connect():
            line = stack.enter_context(socket.create_connection(listener.getsockname()))
            line.settimeout(10)
            return line

        yield connect
        running.should_exit = True
        thread.join(30)


def request(path="/", size=0, body=b""):
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size or len(body)}\r\n\r\n".encode() + body


def read(line):
    """What comes until the connection is closed or an answer is whole."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while part := line.recv(4096):
            data += part
            if b"\r\n\r\n" in data and data.partition(b"\r\n\r\n")[2]:
                break
    return data


def drip(line, parts, pause):
    with contextlib.suppress(OSError):
        for part in parts:
            line.sendall(part)
            time.sleep(pause)


@pytest.mark.parametrize(
    "start",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", request(size=1000, body=b"half of it")],
    ids=["silent", "half the headers", "half the body"],
)
def test_who_does_not_go_on_is_cut_off(server, start):
    line = server()
    line.sendall(start)
    assert read(line) == b""


def test_dripping_does_not_help(server):
    for start, drop in ((b"GET / HTTP/1.1\r\n", b"X: y\r\n"), (request(size=1000), b"x")):
        line = server()
        line.sendall(start)
        dripping = threading.Thread(target=drip, args=(line, [drop] * 30, 0.1))
        dripping.start()
        assert read(line) == b""
        dripping.join(30)


def test_a_second_request_on_a_connection_has_the_same_limits(server):
    line = server()
    line.sendall(request(body=b"abc"))
    assert read(line).endswith(b"3")
    line.sendall(b"GET / HT")
    assert read(line) == b""


def test_who_waits_for_an_answer_is_not_cut_off(server):
    line = server()
    line.sendall(request("/slow", body=b"abc"))
    assert read(line).endswith(b"3")
    line.sendall(request(body=b"again"))
    assert read(line).endswith(b"5")


def test_a_slow_upload_that_goes_on_is_taken(server):
    line = server()
    line.sendall(request(size=10))
    drip(line, [b"x"] * 10, 0.1)
    assert read(line).endswith(b"10")


def test_who_is_answered_early_may_send_the_rest(server):
    line = server()
    line.sendall(request("/early", size=10))
    drip(line, [b"x"] * 10, 0.05)
    assert read(line).endswith(b"0")
    line.sendall(request(body=b"abc"))
    assert read(line).endswith(b"3")


def test_a_newcomer_takes_the_place_of_the_longest_idle(server):
    idle = [server() for _ in range(4)]
    time.sleep(0.1)
    busy = server()
    busy.sendall(request(body=b"abc"))
    assert read(busy).endswith(b"3")
    assert read(idle[0]) == b""
    idle[3].sendall(request(body=b"abc"))
    assert read(idle[3]).endswith(b"3")


def test_where_all_are_busy_a_newcomer_is_told_to_come_again(server):
    busy = [server() for _ in range(4)]
    for line in busy:
        line.sendall(request("/slow", body=b"abc"))
    time.sleep(0.1)
    refused = server()
    answer = refused.recv(4096)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 5" in answer
    assert all(read(line).endswith(b"3") for line in busy)


def test_half_of_the_file_descriptors_are_left_for_files():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256));"
        "from sonifold_app.http.connections import connection_limit; print(connection_limit())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "128"
    assert connections.connection_limit() <= resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2


def test_a_log_says_the_same_a_few_times_a_minute_and_how_often_besides(monkeypatch, caplog):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    logger = logging.getLogger("another noisy one")
    sparse = Sparse()
    logger.addFilter(sparse)
    for at in (0.0, Sparse.SECONDS + 1):
        now = at
        for n in range(20):
            logger.warning("Invalid HTTP request %d", n)
        logger.warning("another message")
    logger.removeFilter(sparse)
    often = [text for text in caplog.messages if text != "another message"]
    assert often[Sparse.MOST] == f"Invalid HTTP request 0 ({20 - Sparse.MOST} more like it before)"
    assert len(often) == 2 * Sparse.MOST
    assert len(caplog.messages) == len(often) + 2
