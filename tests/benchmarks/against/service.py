"""What both builds take over their public HTTP API, in alternation."""

from __future__ import annotations

import io
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import soundfile
from builds import Build, Server, servers
from ratio import Comparison, compare

STEPS = 17
UPLOADS_AT_ONCE = 20


def alternate(
    builds: Sequence[Any], rounds: int, measure: Callable[[Any, int], float]
) -> tuple[list[float], list[float]]:
    """``measure(build, round)`` of both, the order turned round each time; samples of the new and of the old."""
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for index in (0, 1) if number % 2 == 0 else (1, 0):
            samples[index].append(measure(builds[index], number))
    return samples


def sound_ids(server: Server) -> list[str]:
    ids: list[str] = server.json("GET", f"{server.model}/sounds")["id"]
    return ids


def pairs_of(server: Server, count: int, seed: int) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    ids = sorted(sound_ids(server))
    return [tuple(draw.sample(ids, 2)) for _ in range(count)]  # type: ignore[misc]


def morph(client: httpx.Client, model: str, pair: Sequence[str]) -> int:
    """Both ways of a pair and their sound; the status of the first answer that is not 200, else 200."""
    anchors = [{"sound": id} for id in pair]
    reply = client.post(
        f"{model}/morphs", json={"anchors": anchors, "kinds": ["geodesic", "linear"], "steps": STEPS}
    )
    if reply.status_code != 200:
        return reply.status_code
    for way in reply.json()["morphs"]:
        audio = client.get(way["audio"]["url"])
        if audio.status_code != 200:
            return audio.status_code
    return 200


def seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


# -- the parts ------------------------------------------------------------------------------------------


def start(builds: tuple[Build, Build], rounds: int) -> list[Comparison]:
    """Whole processes, started and stopped."""

    def until_ready(build: Build, _: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            server = Server(build, Path(folder))
            server.stop()
            return server.seconds_to_ready

    return [compare("start until /readyz", "s", *alternate(builds, rounds, until_ready))]


def morphs(builds: tuple[Build, Build], rounds: int) -> list[Comparison]:
    """Two clicks over HTTP: seconds and CPU seconds of both ways with their sound, and what memory that leaves."""
    with servers(builds) as running:
        before = [server.memory() for server in running]
        pairs = pairs_of(running[1], rounds + 2, seed=1)
        for server in running:  # what only the first request of a process pays
            for pair in pairs[rounds:]:
                morph(server.client, server.model, pair)
        cpu: tuple[list[float], list[float]] = ([], [])

        def both_ways(server: Server, number: int) -> float:
            began = server.cpu_seconds()
            taken = seconds(lambda: morph(server.client, server.model, pairs[number]))
            cpu[running.index(server)].append(server.cpu_seconds() - began)
            return taken

        taken = alternate(running, rounds, both_ways)
        after = [server.memory() for server in running]
    return [
        compare("two clicks to both morphs over HTTP, median", "s", *taken),
        compare("two clicks to both morphs over HTTP, p95", "s", *taken, summary="p95"),
        compare("CPU seconds a morph, both ways", "s", *cpu, summary="mean"),
        compare("memory when ready", "MB", before[:1], before[1:]),
        compare(f"memory after {rounds + 2} morphs", "MB", after[:1], after[1:]),
    ]


def load(builds: tuple[Build, Build], clients: int, duration: float) -> list[Comparison]:
    """Many clients at once, each doing two-click morphs; a 503 is waited for as its Retry-After says."""
    figures: dict[str, list[float]] = {"rate": [], "worst": [], "refused": [], "memory": []}
    for build in builds:
        with servers((build,)) as (server,):
            pairs = pairs_of(server, 4000, seed=2)
            morph(server.client, server.model, pairs[-1])
            waits, refused, taken = storm(server, pairs, clients, duration)
            figures["rate"].append(len(waits) / taken)
            figures["worst"].append(max(waits + refused, default=taken))
            figures["refused"].append(float(len(refused)))
            figures["memory"].append(server.memory())
    label = f"{clients} clients for {duration:.0f} s"
    print(
        f"{label}: refused with Retry-After: {figures['refused'][0]:.0f} new, {figures['refused'][1]:.0f} old"
    )
    return [
        compare(f"{label}: morphs a second", "1/s", figures["rate"][:1], figures["rate"][1:]),
        compare(f"{label}: longest wait for an answer", "s", figures["worst"][:1], figures["worst"][1:]),
        compare(f"{label}: memory after", "MB", figures["memory"][:1], figures["memory"][1:]),
    ]


def storm(
    server: Server, pairs: Sequence[tuple[str, str]], clients: int, duration: float
) -> tuple[list[float], list[float], float]:
    """Seconds of each morph, seconds of each refusal, and how long it all took."""
    waits: list[float] = []
    refused: list[float] = []
    began = time.perf_counter()

    def visit(number: int) -> None:
        with httpx.Client(base_url=server.client.base_url, timeout=300) as client:
            turn = number
            while time.perf_counter() - began < duration and turn < len(pairs):
                asked = time.perf_counter()
                status = morph(client, server.model, pairs[turn])
                (waits if status == 200 else refused).append(time.perf_counter() - asked)
                if status not in (200, 429, 503):
                    raise RuntimeError(f"a morph was answered with {status}")
                if status == 200:
                    turn += clients
                else:
                    time.sleep(1)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, refused, time.perf_counter() - began


def uploads(builds: tuple[Build, Build], rounds: int) -> list[Comparison]:
    """A hundred files of a second until all are listed; one of 96 kHz in stereo; eight to adapt to."""
    with servers(builds) as running:
        hundred = [bell(number) for number in range(100)]
        wide = bell(0, rate=96_000, channels=2)
        kit = [bell(number, hertz=180.0) for number in range(8)]
        for server in running:
            with kept(server, kit[:1]):
                pass

        def taken_in(server: Server, number: int) -> float:
            began = time.perf_counter()
            with kept(server, hundred) as ids:
                listed = sound_ids(server)
                taken = time.perf_counter() - began
                assert set(ids) <= set(listed)
            return taken

        def placed(server: Server, number: int) -> float:
            form = [("files", ("wide.wav", wide))]
            return seconds(lambda: server.json("POST", f"{server.model}/embeddings", files=form))

        def adapted(server: Server, number: int) -> float:
            with kept(server, kit) as ids:
                began = time.perf_counter()
                reply = server.json(
                    "POST", f"{server.model}/adaptations", json={"sounds": ids, "seed": number}
                )
                model = f"/api/v1/models/{reply['result']}"
                sound = server.json("POST", f"{model}/decodings", json={"positions": [[0.1 * number, 0.0]]})
                server.client.get(sound["sounds"][0]["audio"]["url"]).raise_for_status()
                taken = time.perf_counter() - began
                server.client.delete(model).raise_for_status()
            return taken

        parts: dict[str, tuple[Callable[[Server, int], float], int]] = {
            "100 files of 1 s, upload to all on the map": (taken_in, max(1, rounds // 4)),
            "a 96 kHz stereo WAV of 1 s taken in": (placed, 4 * rounds),
            "adapt to 8 sounds, to its first sound": (adapted, rounds),
        }
        return [
            compare(measure, "s", *alternate(running, count, run)) for measure, (run, count) in parts.items()
        ]


@contextmanager
def kept(server: Server, files: Sequence[bytes]) -> Iterator[list[str]]:
    """Files as own sounds of the server's model, in requests of twenty; deleted afterwards."""
    ids: list[str] = []
    for first in range(0, len(files), UPLOADS_AT_ONCE):
        part = files[first : first + UPLOADS_AT_ONCE]
        form = [("files", (f"{first + n}.wav", data)) for n, data in enumerate(part)]
        ids += [sound["id"] for sound in server.json("POST", f"{server.model}/sounds", files=form)["sounds"]]
    try:
        yield ids
    finally:
        for id in ids:
            server.client.delete(f"{server.model}/sounds/{id}").raise_for_status()


def bell(number: int, rate: int = 44_100, channels: int = 1, hertz: float = 300.0) -> bytes:
    """A second of a struck bar (partials of a free bar: 1, 2.76, 5.40), another for each number, as a WAV."""
    time_s = np.arange(rate) / rate
    base = hertz * 1.02**number
    partials = [(1.0, 1.0), (2.76, 0.5), (5.40, 0.25)]
    sound = sum(
        level * np.sin(2 * np.pi * base * ratio * time_s) * np.exp(-time_s * (3 + ratio + number % 7))
        for ratio, level in partials
        if base * ratio < 18_000
    )
    file = io.BytesIO()
    soundfile.write(
        file, 0.4 * np.repeat(np.asarray(sound)[:, None], channels, 1), rate, "PCM_16", format="WAV"
    )
    return file.getvalue()
