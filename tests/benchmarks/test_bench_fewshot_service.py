"""What uploading, adapting and refining take through a server of its own, over HTTP; `make bench`.

python -m pytest tests/benchmarks/test_bench_fewshot_service.py -s
"""

from __future__ import annotations

import io
import itertools
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
import soundfile
from test_bench_server import Server

from sonifold.evaluate.measures import record

COMMAND = "python -m pytest tests/benchmarks/test_bench_fewshot_service.py -s"
MODEL = "/api/v1/models/oneshots"
JOBS = 3
PAIRS = 24
Told = list[tuple[float, str, dict[str, Any]]]  # seconds since it was asked for, kind, data


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    server.wait_for("readyz")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def table(client: httpx.Client) -> dict[str, list[Any]]:
    return client.get(f"{MODEL}/sounds").json()


@pytest.fixture(scope="module")
def kit(client: httpx.Client, table: dict[str, list[Any]]) -> list[bytes]:
    """Eight strokes of a kit that the base never saw, as files."""
    ids = [id for id, group in zip(table["id"], table["group"], strict=True) if group == "Sonic Pi tabla"]
    return [client.get(f"{MODEL}/sounds/{id}/audio?format=wav").content for id in ids[::3][:8]]


def keep(measure: str, value: float, unit: str, bar: str | None, n: int) -> None:
    record(measure, value, unit, bar, n, COMMAND, name="fewshot-service")
    print(f"\n{measure}: {value:.3g} {unit}" + (f" (bar {bar})" if bar else ""))


def upload(client: httpx.Client, files: list[bytes]) -> list[str]:
    form = [("files", (f"{number}.wav", data)) for number, data in enumerate(files)]
    reply = client.post(f"{MODEL}/sounds", files=form)
    assert reply.status_code == 201, reply.text
    return [one["id"] for one in reply.json()["sounds"]]


def finetune(client: httpx.Client, sounds: list[str]) -> Told:
    """All that a job tells, and when."""
    began = time.perf_counter()
    job = client.post(f"{MODEL}/finetunes", json={"sounds": sounds, "title": "Kit"}).json()["id"]
    told, kind = [], ""
    with client.stream("GET", f"/api/v1/jobs/{job}/events") as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                told.append((time.perf_counter() - began, kind, json.loads(value)))
    assert told[-1][1] == "done", told[-1]
    client.delete(f"/api/v1/models/{told[-1][2]['model']}")
    return told


def two_clicks(client: httpx.Client, ids: list[str]) -> float:
    """Seconds from the question to the sound of both ways."""
    start = time.perf_counter()
    body = {"anchors": [{"sound": id} for id in ids], "kinds": ["geodesic", "linear"], "steps": 17}
    for morph in client.post(f"{MODEL}/morphs", json=body).json()["morphs"]:
        assert client.get(morph["audio"]["url"]).status_code == 200
    return time.perf_counter() - start


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def test_twenty_uploads(client: httpx.Client, table: dict[str, list[Any]]) -> None:
    long = [id for id, seconds in zip(table["id"], table["seconds"], strict=True) if 0.9 < seconds < 1.1]
    files = [client.get(f"{MODEL}/sounds/{id}/audio?format=wav").content for id in long[:20]]
    upload(client, files[:1])
    began = time.perf_counter()
    ids = upload(client, files)
    listed = client.get(f"{MODEL}/sounds").json()["id"]
    seconds = time.perf_counter() - began
    assert len(ids) == 20
    assert set(ids) <= set(listed)
    keep("20 files of 1 s, from their upload to all on the map", seconds, "s", "<= 3", 20)
    for id in ids:
        client.delete(f"{MODEL}/sounds/{id}")


def test_memory_of_hostile_uploads(client: httpx.Client, server: Server) -> None:
    """The largest that is read, and two that claim to be far larger: what they take beyond the models' own."""
    rate = 192_000
    noise = np.random.default_rng(0).normal(0, 0.1, (round(9.9 * rate), 8)).astype(np.float32)
    hours = io.BytesIO()
    with soundfile.SoundFile(hours, "w", 8000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(8 * 60):
            file.write(np.zeros(60 * 8000, np.int16))
    wide = io.BytesIO()
    soundfile.write(wide, noise, rate, format="WAV", subtype="FLOAT")
    lying = wide.getvalue()[:40] + b"\xf0\xff\xff\xff" + wide.getvalue()[44:4000]
    before = server.memory("VmRSS")
    for to in ("sounds", "uploads"):
        for data, status in ((lying, 422), (hours.getvalue(), 422), (wide.getvalue(), 201)):
            reply = client.post(f"{MODEL}/{to}", files={"files": ("a.wav", data)})
            assert reply.status_code == status, reply.text
    taken = server.memory("VmHWM") - before
    keep("uploads: 9.9 s at 192 kHz in 8 channels, memory at most", taken, "MB", None, 6)


def test_adapting(client: httpx.Client, kit: list[bytes]) -> None:
    seconds = []
    for seed in range(3):
        sounds = upload(client, kit)
        z = client.get(f"{MODEL}/sounds/{sounds[0]}").json()["z"]
        began = time.perf_counter()
        made = client.post(f"{MODEL}/adaptations", json={"sounds": sounds, "seed": seed}).json()["result"]
        reply = client.post(
            f"/api/v1/models/{made}/decodings", json={"points": [z]}, headers={"Accept": "audio/wav"}
        )
        seconds.append(time.perf_counter() - began)
        assert len(reply.content) > 100_000
        client.delete(f"/api/v1/models/{made}")
        time.sleep(8)  # until the worker that this has called has loaded what it needs
    keep("8 uploads, from asking for the adaptation to its first sound", max(seconds), "s", "<= 1", 3)


def test_refining(client: httpx.Client, kit: list[bytes]) -> None:
    """The first job finds a worker that is ready, the others start their own."""
    sounds = upload(client, kit)
    runs = [finetune(client, sounds) for _ in range(JOBS)]
    taken = [told[-1][0] for told in runs]
    keep("fine-tune on 8 sounds, until the model can be played: slowest", max(taken), "s", "<= 60", JOBS)
    keep("fine-tune on 8 sounds, until the model can be played: fastest", min(taken), "s", None, JOBS)
    keep("fine-tune: first event", max(told[0][0] for told in runs), "s", "<= 1", JOBS)
    gaps = [b[0] - a[0] for told in runs for a, b in itertools.pairwise(told)]
    keep("fine-tune: longest time between events", max(gaps), "s", "<= 1", len(gaps))
    steps = [[one for one in told if one[1] == "progress"] for told in runs]
    keep("fine-tune: first progress", max(one[0][0] for one in steps), "s", None, JOBS)
    between = [b[0] - a[0] for one in steps for a, b in itertools.pairwise(one)]
    keep("fine-tune: longest time between two progress events", max(between), "s", None, len(between))
    off = []
    for told, told_steps in zip(runs, steps, strict=True):
        end = told[-1][0]
        for at, _, data in told_steps:
            if at >= end / 5:
                off.append(abs(data["eta"] / (end - at) - 1))
                break
    keep("fine-tune: what is left, told after a fifth, is off by", 100 * max(off), "%", "<= 25", JOBS)


def test_morphs_beside_a_job(client: httpx.Client, kit: list[bytes], table: dict[str, list[Any]]) -> None:
    chosen = random.Random(1).sample(table["id"][:1500], 4 * PAIRS)
    pairs = [chosen[i : i + 2] for i in range(0, len(chosen), 2)]
    sounds = upload(client, kit)
    idle = [two_clicks(client, pair) for pair in pairs[:PAIRS]]
    ended = threading.Event()

    def work() -> None:
        with httpx.Client(base_url=client.base_url, timeout=120) as own:
            while not ended.is_set():
                finetune(own, sounds)

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(1)
    busy = [two_clicks(client, pair) for pair in pairs[PAIRS:]]
    ended.set()
    worker.join()
    keep("two clicks to both morphs, idle, p95", p95(idle), "s", "<= 1", PAIRS)
    keep("two clicks to both morphs beside a job, p95", p95(busy), "s", None, PAIRS)
    keep("two clicks beside a job over idle, p95", p95(busy) / p95(idle), "x", "<= 2", PAIRS)
