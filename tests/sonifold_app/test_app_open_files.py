"""A server that may open no more files says so, loses nothing of what it acknowledged, and goes on once it may."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
import uvicorn
from app_checks import API, file_of, tone

from sonifold_app import serve
from sonifold_app.app import create_app
from sonifold_app.settings import Settings

CLIENTS = 4


@pytest.fixture
def clients(tmp_path, small_engine_of, small_models):
    """Each with a connection to a server that is open."""
    app = create_app(Settings(data=tmp_path, models=small_models), small_engine_of())
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        server = uvicorn.Server(uvicorn.Config(app, http=serve.protocol(64), log_level=logging.CRITICAL))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield [stack.enter_context(httpx.Client(base_url=address, timeout=60)) for _ in range(CLIENTS)]
        server.should_exit = True
        thread.join(60)


@contextlib.contextmanager
def no_more_files():
    """This process has as many open files as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_free = os.dup(0)
    os.close(next_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def keep(client, name, hertz):
    files = {"files": (f"{hertz}.wav", file_of(tone(0.3, hertz)))}
    return client.post(f"{API}/models/{name}/sounds", files=files)


def test_a_server_that_has_run_out_of_descriptors_under_load_recovers(clients, name):
    first, *_ = clients
    sounds = f"{API}/models/{name}/sounds"
    acknowledged = [keep(client, name, 100 + n).json()["sounds"][0]["id"] for n, client in enumerate(clients)]

    def use(number):
        """What a client meets: status and code of each reply, and the sounds that were kept."""
        client, own = clients[number], acknowledged[number]
        replies = []
        for round in range(2):
            kept = keep(client, name, 200 + 10 * number + round)
            replies += [
                kept,
                client.get(f"{sounds}/{own}/audio"),
                client.get(f"{sounds}/{own}/decoded"),
                client.patch(f"{sounds}/{own}", json={"name": f"round {round}"}),
                client.get(sounds),
                client.get("/livez"),
            ]
        ids = [
            sound["id"] for reply in replies if reply.status_code == 201 for sound in reply.json()["sounds"]
        ]
        outcomes = {(r.status_code, r.json()["code"] if r.status_code >= 400 else None) for r in replies}
        return outcomes, ids

    with ThreadPoolExecutor(CLIENTS) as pool, no_more_files():
        met = [*pool.map(use, range(CLIENTS))]
    outcomes = set().union(*(outcomes for outcomes, _ in met))
    assert (503, "storage_unavailable") in outcomes, "nothing was short"
    assert outcomes <= {(200, None), (201, None), (503, "storage_unavailable"), (503, "server_busy")}
    acknowledged += [id for _, ids in met for id in ids]
    assert not set(acknowledged) - set(first.get(sounds).json()["id"])
    for id in acknowledged:
        assert first.get(f"{sounds}/{id}/audio").status_code == 200
    assert keep(first, name, 900).status_code == 201
    deadline = time.monotonic() + 60
    while (ready := first.get("/readyz")).status_code != 200 or "parts" in ready.json():
        assert time.monotonic() < deadline, ready.text
        time.sleep(0.1)
