"""How soon a started server is ready, how much memory it holds, how soon two clicks can be heard.

python -m pytest tests/benchmarks/test_bench_server.py -s
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sonifold.evaluate.measures import record

COMMAND = "python -m pytest tests/benchmarks/test_bench_server.py -s"
SERVE = "from sonifold_app.serve import serve; from sonifold_app.settings import Settings; serve(Settings())"
API = "api/v1/models/oneshots"
PAIRS = 50


class Server:
    """A server process of its own, with an empty data folder."""

    def __init__(self, data: Path) -> None:
        environment = {
            **os.environ,
            "SONIFOLD_PORT": "0",
            "SONIFOLD_DATA": str(data),
            "SONIFOLD_BROWSER": "0",
        }
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+/", self.process.stdout.readline())
        assert found, "the server did not say where it is"
        self.url = found[0]

    def get(self, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def wait_for(self, path: str) -> float:
        """Seconds from the start of the process until a path answers 200."""
        while True:
            try:
                self.get(path)
                return time.perf_counter() - self.started
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.01)

    def memory(self, what: str) -> float:
        """Megabytes: ``VmRSS`` now, ``VmHWM`` at most so far. Linux tells them."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{what}:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024 / 1e6

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


def keep(measure: str, value: float, unit: str, bar: str | None, n: int) -> None:
    record(measure, value, unit, bar, n, COMMAND, name="server")
    print(f"\n{measure}: {value:.3g} {unit}" + (f" (bar {bar})" if bar else ""))


def test_time_to_ready(tmp_path: Path) -> None:
    """Three starts one after the other; the first may still read the disk, the median counts."""
    alive, ready = [], []
    for run in range(3):
        server = Server(tmp_path / str(run))
        alive.append(server.wait_for("livez"))
        ready.append(server.wait_for("readyz"))
        server.stop()
    keep("server: start until /livez", statistics.median(alive), "s", None, len(alive))
    keep("server: start until /readyz", statistics.median(ready), "s", "<= 5", len(ready))


def test_two_clicks_to_both_morphs_and_memory(server: Server) -> None:
    """Over HTTP, without a browser: the question, the answer and the sound of both ways, 17 steps each."""
    server.wait_for("readyz")
    keep("server: memory when ready", server.memory("VmRSS"), "MB", "<= 1000", 1)
    ids = json.loads(server.get(f"{API}/sounds"))["id"]
    chosen = random.Random(0).sample(ids, 2 * PAIRS)
    seconds, again = [], []
    for first, second in zip(chosen[::2], chosen[1::2], strict=True):
        body = {
            "anchors": [{"sound": first}, {"sound": second}],
            "kinds": ["geodesic", "linear"],
            "steps": 17,
        }
        for times in (seconds, again):
            start = time.perf_counter()
            for morph in json.loads(server.get(f"{API}/morphs", body))["morphs"]:
                server.get(morph["audio"]["url"].lstrip("/"))
            times.append(time.perf_counter() - start)
    p95 = statistics.quantiles(seconds, n=20)[-1]
    keep("server: two clicks to both morphs, p95", p95, "s", "<= 1", PAIRS)
    keep("server: two clicks to both morphs, median", statistics.median(seconds), "s", None, PAIRS)
    keep("server: the same morphs again, p95", statistics.quantiles(again, n=20)[-1], "s", None, PAIRS)
    keep("server: memory after fifty morphs", server.memory("VmRSS"), "MB", "<= 1000", PAIRS)
    keep("server: most memory while morphing", server.memory("VmHWM"), "MB", None, PAIRS)
