"""Taking in beside what else a server does: uploads of the same files, and morphs meanwhile."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from pathlib import Path

import httpx2 as httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from test_bench_server import Server

MODEL = "/api/v1/models/oneshots"
AT_ONCE = 20  # files of an upload


def uploads(data: Path, files: list[Path]) -> float:
    """Sounds a second by the upload route, twenty files a request, one request after the other."""
    server = Server(data)
    try:
        server.wait_for("readyz")
        with httpx.Client(base_url=server.url, timeout=300) as client:
            send(client, files[:1])
            began = time.perf_counter()
            for start in range(1, len(files), AT_ONCE):
                send(client, files[start : start + AT_ONCE])
            return (len(files) - 1) / (time.perf_counter() - began)
    finally:
        server.stop()


def send(client: httpx.Client, files: list[Path]) -> None:
    reply = client.post(
        f"{MODEL}/sounds", files=[("files", (path.name, path.read_bytes())) for path in files]
    )
    if reply.status_code != 201:
        raise RuntimeError(reply.text)


def clicks(data: Path, folder: Path, pairs: int) -> tuple[float, float]:
    """p95 of two clicks until both morphs are there, in seconds: idle, and while a folder is taken in."""
    server = Server(data)
    try:
        server.wait_for("readyz")
        with httpx.Client(base_url=server.url, timeout=300) as client:
            ids = client.get(f"{MODEL}/sounds").json()["id"]
            drawn = random.Random(0).sample(ids, 4 * pairs)
            morph(client, ids[:2])
            idle = [morph(client, drawn[2 * n : 2 * n + 2]) for n in range(pairs)]
            begin_analysis(client, folder)
            beside = [morph(client, drawn[2 * n : 2 * n + 2]) for n in range(pairs, 2 * pairs)]
            state = client.get("/api/v1/collection").json()["ingest"]["state"]
            if state != "running":
                raise RuntimeError(f"the ingest is {state} before the clicks are over; give it more sounds")
    finally:
        server.stop()
    return tuple(statistics.quantiles(seconds, n=20)[-1] for seconds in (idle, beside))  # type: ignore[return-value]


def begin_analysis(client: httpx.Client, folder: Path) -> None:
    """Take a folder in, and wait until its first sounds are analysed."""
    run = client.post("/api/v1/collection/ingests", json={"folders": [str(folder)]}).json()["id"]
    while not client.get(f"/api/v1/collection/ingests/{run}").json()["progress"]["analysed"]:
        time.sleep(0.1)


def morph(client: httpx.Client, ids: list[str]) -> float:
    """Seconds from the question to the sound of both ways."""
    began = time.perf_counter()
    body = {"anchors": [{"sound": id} for id in ids], "kinds": ["geodesic", "linear"], "steps": 17}
    reply = client.post(
        f"{MODEL}/morphs", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    for each in reply.json()["morphs"]:
        if client.get(each["audio"]["url"]).status_code != 200:
            raise RuntimeError("a morph has no sound")
    return time.perf_counter() - began
