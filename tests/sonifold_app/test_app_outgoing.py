"""Nothing calls out: the server and its worker speak with this machine alone, whatever they are asked to do."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx2 as httpx
import pytest
from app_checks import API, file_of, tone
from server import started_server

from sonifold_app.store.jobs import JobStore

pytestmark = pytest.mark.long

SHORT = {"steps": 8, "check_every": 2, "warmup": 2, "uploads": 4, "copies": 2, "replay": 4}
#: Begins every Python process: writes down which it is, and whom it looks for or speaks to but this machine.
WATCH = """
import os, sys

HERE = {None, "", "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1"}

def write(line):
    with open(os.environ["WATCHED"], "a") as file:
        file.write(line + "\\n")

def watch(event, args):
    if event in ("socket.connect", "socket.sendto"):
        address = args[1][0] if isinstance(args[1], tuple) else None  # others are sockets of this machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = args[0]
    else:
        return
    if address not in HERE:
        write(f"{event} {address}")

sys.addaudithook(watch)
write(f"process {os.getpid()}")
"""


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """What the processes that are started from here write down."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    paths = [str(tmp_path / "watch"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("WATCHED", str(tmp_path / "watched"))
    return lambda: (tmp_path / "watched").read_text().splitlines()


def test_who_calls_out_is_seen(watched):
    code = "import socket; socket.getaddrinfo('192.0.2.1', 80); socket.getaddrinfo('127.0.0.1', 80)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert watched()[1:] == ["socket.getaddrinfo 192.0.2.1"]


def test_nothing_that_a_user_does_calls_out(tmp_path, watched, small_models, name):
    with (
        started_server(DATA=str(tmp_path / "data"), MODELS=str(small_models)) as (address, _),
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        for path in ("/", "/docs", "/openapi.json", "/readyz", f"{API}/models"):
            client.get(path)
        url = f"{API}/models/{name}"
        first, *_, last = client.get(f"{url}/sounds").json()["id"]
        anchors = [{"sound": first}, {"sound": last}]
        morph = {"anchors": anchors, "kinds": ["geodesic", "linear"], "steps": 3}
        assert client.post(f"{url}/morphs", json=morph).status_code == 200
        files = [("files", (f"{hertz}.wav", file_of(tone(hertz=hertz)))) for hertz in (110, 220, 330)]
        mine = [sound["id"] for sound in client.post(f"{url}/sounds", files=files).json()["sounds"]]
        assert client.post(f"{url}/adaptations", json={"sounds": mine}).status_code == 201
        export = {"morph": {"anchors": anchors, "kind": "geodesic", "steps": 3}}
        assert client.post(f"{url}/exports", json=export).status_code == 200
        store = JobStore(tmp_path / "data" / "library")
        job = store.create(name, "Kit", {"sounds": mine, "kept_with": name, "config": SHORT}).id
        with client.stream("GET", f"{API}/jobs/{job}/events") as events:
            assert any(line == "event: progress" for line in events.iter_lines())  # the worker computes
        store.close()
    processes = {line for line in watched() if line.startswith("process ")}
    assert len(processes) >= 2  # the server, and a worker
    assert [line for line in watched() if line not in processes] == []
