"""The costs that docs/scale.md counts with: of one morph, one sound, one search.

python tests/benchmarks/load/costs.py              everything, into docs/scale.json; some minutes
python tests/benchmarks/load/costs.py --only scan  one part, the others stay as they are

Costs are seconds of a processor, user and system time of the server's process with ``SONIFOLD_THREADS=1``, so that what
runs beside it changes little. The part ``arrivals`` is in seconds of the clock and needs a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import soundfile
from clients import API, client_of
from server import ROOT, Server

OUT = ROOT / "docs" / "scale.json"
#: Morphs that are asked for at once -> how often.
BURSTS = {1: 8, 2: 4, 4: 3}
#: Share of the time that arrivals keep the server busy, and their number.
BUSY, ARRIVALS = (0.5, 0.8), 40
UPLOADS = 40
#: Files of two ingests: the difference is free of what every ingest takes.
FEW, MANY = 20, 100
ROWS = 100_000
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "morphs": morphs, "arrivals": arrivals, "uploads": uploads, "collection": collection, "scan": scan,
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=parts, action="append", help="a part; may be given several times")
    options = parser.parse_args()
    os.environ["SONIFOLD_THREADS"] = "1"
    measured = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in options.only or parts:
        measured[name] = {**parts[name](), "processor": processor()}
        print(name, measured[name], flush=True)
        OUT.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def processor() -> str:
    """The name of this machine's processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


class CpuClock:
    """Seconds of a processor that a process has taken since this was made."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = self._now()

    def seconds(self) -> float:
        return self._now() - self._began

    def _now(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


# -- morphs ------------------------------------------------------------------------------------------


def morphs() -> dict[str, Any]:
    """Processor seconds of bursts of two-click morphs by their size, and the bytes that one reply is."""
    with tempfile.TemporaryDirectory() as data, Server(ROOT, Path(data)) as server:
        return asyncio.run(morph_costs(server))


async def morph_costs(server: Server) -> dict[str, Any]:
    costs: dict[str, list[float]] = {}
    replies: list[int] = []
    async with client_of(server) as client:
        pairs = await pairs_of(client)
        for _ in range(2):
            await morph(client, next(pairs))  # what the first ones take beside
        for size in (size for size, times in BURSTS.items() for _ in range(times)):
            clock = CpuClock(server.process.pid)
            replies += await asyncio.gather(*(morph(client, next(pairs)) for _ in range(size)))
            costs.setdefault(str(size), []).append(round(clock.seconds(), 3))
    return {
        "cpu_seconds_of_burst": costs,
        "bytes_of_reply": round(statistics.mean(replies)),
        "memory_mb": round(server.memory),
    }


async def pairs_of(client: httpx.AsyncClient) -> Any:
    """Pairs of sounds, each pair once."""
    ids = (await client.get(f"{API}/sounds")).json()["id"]
    draw = random.Random(0)
    return iter([draw.sample(ids, 2) for _ in range(1000)])


async def morph(client: httpx.AsyncClient, pair: list[str]) -> int:
    """Both ways of a pair and their sound; the bytes of all replies."""
    body = {"anchors": [{"sound": id} for id in pair], "kinds": ["geodesic", "linear"], "steps": 17}
    reply = (await client.post(f"{API}/morphs", json=body)).raise_for_status()
    sounds = [(await client.get(way["audio"]["url"])).raise_for_status() for way in reply.json()["morphs"]]
    return len(reply.content) + sum(len(sound.content) for sound in sounds)


def arrivals() -> dict[str, Any]:
    """Seconds that answers took where requests came at random, by how busy they were to keep the server."""
    measured = json.loads(OUT.read_text())["morphs"]["cpu_seconds_of_burst"]["1"]
    alone = statistics.mean(measured)
    with tempfile.TemporaryDirectory() as data, Server(ROOT, Path(data)) as server:
        return {
            str(busy): asyncio.run(random_arrivals(server, busy / alone, seed))
            for seed, busy in enumerate(BUSY)
        }


async def random_arrivals(server: Server, rate: float, seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    async with client_of(server) as client:
        pairs = await pairs_of(client)
        for _ in range(seed * ARRIVALS):
            next(pairs)  # those of the runs before are in the cache

        async def timed() -> float:
            began = time.perf_counter()
            await morph(client, next(pairs))
            return time.perf_counter() - began

        asked = []
        for _ in range(ARRIVALS):
            asked.append(asyncio.create_task(timed()))
            await asyncio.sleep(draw.expovariate(rate))
        stays = await asyncio.gather(*asked)
    return {"rate": round(rate, 4), "stays": sorted(round(stay, 3) for stay in stays)}


# -- sounds ------------------------------------------------------------------------------------------


def uploads() -> dict[str, Any]:
    """Processor seconds of one uploaded sound, and the bytes that it adds to the data folder."""
    with tempfile.TemporaryDirectory() as data, Server(ROOT, Path(data)) as server:
        return asyncio.run(upload_costs(server, Path(data)))


async def upload_costs(server: Server, data: Path) -> dict[str, Any]:
    async with client_of(server) as client:
        files = [wav_of(file) for file in files_of_pack(UPLOADS + 1)]
        await store(client, files[0])
        before, clock = bytes_of(data), CpuClock(server.process.pid)
        for file in files[1:]:
            await store(client, file)
        cpu = clock.seconds()
    return {
        "cpu_seconds_of_sound": round(cpu / UPLOADS, 4),
        "bytes_of_sound": round((bytes_of(data) - before) / UPLOADS),
        "seconds_of_sound": round(
            statistics.mean(soundfile.info(io.BytesIO(file)).duration for file in files), 3
        ),
    }


async def store(client: httpx.AsyncClient, file: bytes) -> None:
    reply = await client.post(f"{API}/sounds", files={"files": ("sound.wav", file)})
    reply.raise_for_status()


def files_of_pack(count: int) -> list[Path]:
    return sorted((ROOT / "models" / "oneshots" / "audio").glob("*.ogg"))[:count]


def wav_of(file: Path) -> bytes:
    samples, rate = soundfile.read(file)
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def bytes_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def collection() -> dict[str, Any]:
    """Processor seconds and bytes that one file of a collection takes, its file apart."""
    (few, few_bytes), (many, many_bytes) = ingest(FEW), ingest(MANY)
    files = files_of_pack(MANY)[FEW:]
    return {
        "cpu_seconds_of_file": round((many - few) / (MANY - FEW), 4),
        "bytes_of_file": round((many_bytes - few_bytes) / (MANY - FEW)),
        "seconds_of_file": round(statistics.mean(soundfile.info(file).duration for file in files), 3),
    }


def ingest(count: int) -> tuple[float, int]:
    """Processor seconds of an ingest of so many files, and the bytes of the collection then."""
    with tempfile.TemporaryDirectory() as folder:
        sounds, data = Path(folder) / "sounds", Path(folder) / "data"
        sounds.mkdir()
        for file in files_of_pack(count):
            shutil.copy(file, sounds)
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "backend"),
            "SONIFOLD_MODELS": str(ROOT / "models"),
            "SONIFOLD_DATA": str(data),
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", "from sonifold.cli import main; main()", "ingest", str(sounds)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return cpu, bytes_of(data / "collection")


# -- search ------------------------------------------------------------------------------------------


def scan() -> dict[str, Any]:
    """Processor seconds of an exact search of a million sounds, and what smaller vectors find of the same."""
    import sonifold
    from sonifold_app.collection.vectors import TIMBRE, Vectors

    rows = np.random.default_rng(0).standard_normal((ROWS, TIMBRE), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        vectors = Vectors.create(Path(folder), "pack", 1, 1.0)
        vectors.write(0, np.zeros((ROWS, 1), np.float32), rows)
        vectors.distances(rows[0])
        began = time.process_time()
        for row in range(5):
            vectors.distances(rows[row])
        exact = (time.process_time() - began) / 5
    timbre = sonifold.load("oneshots", ROOT / "models").nearby.library.timbre.numpy()
    return {
        "cpu_seconds_of_million": round(exact * 1e6 / ROWS, 3),
        "library": len(timbre),
        "recall_at_10": {str(width): recall(timbre, width) for width in (16, 32, 64, 128)},
        "cpu_seconds_of_million_bytes_64": round(scan_bytes(64) * 1e6 / ROWS, 4),
    }


def recall(timbre: Any, width: int, most: int = 10, candidates: int = 100) -> float:
    """Share of the ten nearest that are among the hundred nearest by ``width`` principal components of a byte each."""
    centred = timbre - timbre.mean(0)
    components = np.linalg.svd(centred, full_matrices=False)[2][:width]
    small = centred @ components.T
    small = np.round(small * (127 / np.abs(small).max())).clip(-127, 127)
    shares = []
    for row in range(len(timbre)):
        exact = np.argsort(((timbre - timbre[row]) ** 2).sum(1))[1 : most + 1]
        near = np.argsort(((small - small[row]) ** 2).sum(1))[1 : candidates + 1]
        shares.append(np.isin(exact, near).mean())
    return round(float(np.mean(shares)), 4)


def scan_bytes(width: int) -> float:
    """Processor seconds of squared distances to all of ROWS rows of ``width`` bytes."""
    rows = np.random.default_rng(0).integers(-127, 128, (ROWS, width), np.int8)
    norms = (rows.astype(np.float32) ** 2).sum(1)
    began = time.process_time()
    for row in range(5):
        sound = rows[row].astype(np.float32)
        for start in range(0, ROWS, 4096):
            part = rows[start : start + 4096].astype(np.float32)
            _ = norms[start : start + 4096] - 2 * (part @ sound)
    return (time.process_time() - began) / 5


if __name__ == "__main__":
    sys.exit(main())
