"""``kill -9`` of the server and its worker, at moments spread at random over a whole job, its saving included.

Nothing uploaded and nothing finished is lost, and the job goes on by itself. Two kills; ``KILLS=10`` for more,
``SEED`` for the same moments again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from app_checks import API, file_of, tone
from server import started_server

from sonifold_app.store.jobs import JobStore

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
#: What these take at least, on any machine.
LOADING_SECONDS, SAVING_SECONDS = 2.0, 3.0
CONFIG = {"steps": 40, "check_every": 2, "warmup": 2, "uploads": 4, "copies": 4, "replay": 8}


class Running:
    """``sonifold serve`` as a process of its own, on a data folder."""

    def __init__(self, data: Path, models: Path) -> None:
        self._stack = contextlib.ExitStack()
        address, self.process_id = self._stack.enter_context(
            started_server(DATA=str(data), MODELS=str(models))
        )
        self.client = self._stack.enter_context(httpx.Client(base_url=address, timeout=120))

    def workers(self) -> list[int]:
        """Process ids of what the server started."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process_id)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in listed.stdout.split()]

    def kill(self) -> None:
        """The server and whatever it started, at once and without a word."""
        for pid in (*self.workers(), self.process_id):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._stack.close()

    def get(self, path: str) -> httpx.Response:
        reply = self.client.get(API + path)
        assert reply.status_code == 200, (path, reply.text)
        return reply

    def sum_of(self, model: str) -> str:
        """Of what a model makes of a point."""
        reply = self.client.post(
            f"{API}/models/{model}/decodings",
            json={"positions": [[0.1, 0.1]]},
            headers={"Accept": "audio/wav"},
        )
        assert reply.status_code == 200, reply.text
        return hashlib.sha256(reply.content).hexdigest()

    def wait_for_model(self, model: str) -> None:
        """Packs of one's own are loaded after the server is ready."""
        deadline = time.monotonic() + 60
        while self.client.get(f"{API}/models/{model}").status_code != 200:
            assert time.monotonic() < deadline, f"{model} is lost"
            time.sleep(0.05)

    def end_of(self, job: str) -> list[tuple[str, dict]]:
        """The events of a job, once it is over: (kind, data)."""
        told = []
        for block in self.get(f"/jobs/{job}/events").text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if fields.get("event", "beat") != "beat":
                told.append((fields["event"], json.loads(fields["data"])))
        return told


@pytest.mark.skipif(not hasattr(signal, "SIGKILL") or sys.platform == "win32", reason="no kill -9 here")
def test_nothing_is_lost_whoever_is_killed_whenever(tmp_path, name, small_models):
    draw = random.Random(SEED)
    print(f"SEED={SEED} KILLS={KILLS}")
    store = JobStore(tmp_path / "library")
    server = Running(tmp_path, small_models)

    def begin() -> str:
        request = {"sounds": mine, "kept_with": name, "config": CONFIG}
        return store.create(name, "Kit", request).id

    try:
        files = [("files", (f"{i}.wav", file_of(tone(0.4, 150 + 70 * i)))) for i in range(5)]
        reply = server.client.post(f"{API}/models/{name}/sounds", files=files)
        mine = [one["id"] for one in reply.json()["sounds"]]
        audio = {id: server.get(f"/models/{name}/sounds/{id}/audio").content for id in mine}
        job = begin()
        assert server.end_of(job)[-1][0] == "done"
        finished = {result_of(server, job): ""}
        finished = {model: server.sum_of(model) for model in finished}
        for number in range(KILLS):
            share = (number + draw.random()) / KILLS
            job = begin()
            wait_until(store, job, share)
            server.kill()
            before = [event.kind for event in store.events(job)]
            running = store.find(job).state == "running"
            server = Running(tmp_path, small_models)
            for id in mine:
                assert server.get(f"/models/{name}/sounds/{id}/audio").content == audio[id], (
                    "an upload is lost"
                )
            for model, sum_ in finished.items():
                server.wait_for_model(model)
                assert server.sum_of(model) == sum_, "a finished pack is not what it was"
            told = server.end_of(job)
            kinds = [kind for kind, _ in told]
            print(
                f"killed at {100 * share:.0f} % of a job, after {len(before)} events, in {before[-1]!r}: {kinds[-1]}"
            )
            assert kinds[-1] == "done", told[-1]
            assert kinds.count("interrupted") == running
            assert kinds[: len(before)] == before, "events are lost"
            steps = [(data["phase"], data["step"]) for kind, data in told if kind == "progress"]
            assert steps == sorted(steps, key=lambda step: (step[0] == "final", step[1])), "it began anew"
            while len(finished) > 1:
                gone = next(iter(finished))
                del finished[gone]
                assert server.client.delete(f"{API}/models/{gone}").status_code == 204
            finished[result_of(server, job)] = server.sum_of(result_of(server, job))
        names = [path.name for path in (tmp_path / "packs").iterdir()]
        assert sorted(names) == sorted(finished), "something half-written is left"
    finally:
        server.kill()
        store.close()


def wait_until(store: JobStore, job: str, share: float) -> None:
    """Until about so much of a job is done: a fifth for loading, half for the steps, the rest for saving."""

    def reached(kind: str, count: int = 1) -> None:
        deadline = time.monotonic() + 120
        while [event.kind for event in store.events(job)].count(kind) < count:
            assert time.monotonic() < deadline, f"no {kind}"
            time.sleep(0.02)

    if share < 0.2:
        reached("started")
        time.sleep(share / 0.2 * LOADING_SECONDS)
    elif share < 0.7:
        reached("progress", 1 + int((share - 0.2) / 0.5 * (2 * CONFIG["steps"] // CONFIG["check_every"])))
        time.sleep(0.1 * (share * 1000 % 1))
    else:
        reached("saving")
        time.sleep((share - 0.7) / 0.3 * SAVING_SECONDS)


def result_of(server: Running, job: str) -> str:
    return server.get(f"/jobs/{job}").json()["result"]
