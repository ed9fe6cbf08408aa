"""What both builds take as a library, each in a process of its own; ours and theirs in alternation.

python tests/benchmarks/against/science.py        the process: reads names of operations, answers with seconds
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: How many of each, for four rounds; those that name CPU seconds are measured in them, which a busy machine moves less.
OPERATIONS = {
    "CPU seconds: geodesic and line of a pair, 17 steps": 4,
    "CPU seconds: geodesic and re-timed line, 17 steps": 4,
    "one geodesic of the pack": 12,
    "64 geodesics in one batch": 2,
    "Model.distances of 12 sounds, geodesic": 1,
    "reading and preparing 1 s of 96 kHz stereo": 60,
}


def measure(builds: Any, rounds: int) -> list[Any]:
    from ratio import compare
    from service import alternate

    workers = [Worker(build) for build in builds]
    try:
        return [
            compare(
                name,
                "s",
                *alternate(
                    workers, max(1, rounds * share // 4), lambda worker, n, name=name: worker.ask(name, n)
                ),
            )
            for name, share in OPERATIONS.items()
        ]
    finally:
        for worker in workers:
            worker.stop()


class Worker:
    """A process with a build's packages that measures what it is asked for."""

    def __init__(self, build: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            env={**build.environment(MODELS=str(build.folder / "models")), "OMP_NUM_THREADS": "1"},
            cwd=build.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, operation: str, seed: int) -> float:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([operation, seed]) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def serve() -> None:
    """Answer each line [operation, seed] with the seconds it took."""
    import numpy as np
    import torch

    import sonifold

    torch.set_num_threads(1)
    model = sonifold.load("oneshots")
    ids = model.library.ids

    def several(seed: int, count: int) -> list[Any]:
        return [
            model.sound(ids[i]) for i in np.random.default_rng(seed).choice(len(ids), count, replace=False)
        ]

    def geodesics(seed: int, count: int) -> Callable[[], Any]:
        from sonifold import geodesic

        points = torch.stack([torch.as_tensor(sound.z) for sound in several(seed, 2 * count)])
        metric = model.metric()
        return lambda: geodesic.solve(metric, points[:count], points[count:])

    def reading(seed: int) -> Callable[[], Any]:
        import io

        import soundfile

        try:
            from sonifold.audio.prepare import prepare
        except ImportError:  # where it was before
            from sonifold.datasets.prepare import prepare
        from sonifold.audio.read import read

        noise = (
            np.random.default_rng(seed).standard_normal((96_000, 2))
            * np.exp(-np.arange(96_000) / 20_000)[:, None]
        )
        file = io.BytesIO()
        soundfile.write(file, 0.2 * noise, 96_000, format="WAV", subtype="PCM_24")

        def read_and_prepare() -> None:
            recording = read(file.getvalue())
            prepare(recording.samples, recording.sample_rate)

        return read_and_prepare

    def distances(seed: int) -> Callable[[], Any]:
        sounds = several(seed, 12)
        return lambda: model.distances(sounds, "geodesic")

    def ways(seed: int, *kinds: str) -> Callable[[], Any]:
        ends = tuple(several(seed, 2))
        return lambda: [model.morph(model.paths([ends], kind)[0]) for kind in kinds]

    operations = {
        "CPU seconds: geodesic and line of a pair, 17 steps": lambda seed: ways(seed, "geodesic", "linear"),
        "CPU seconds: geodesic and re-timed line, 17 steps": lambda seed: ways(seed, "geodesic", "retimed"),
        "one geodesic of the pack": lambda seed: geodesics(seed, 1),
        "64 geodesics in one batch": lambda seed: geodesics(seed, 64),
        "Model.distances of 12 sounds, geodesic": distances,
        "reading and preparing 1 s of 96 kHz stereo": reading,
    }
    for operation in ("one geodesic of the pack", "CPU seconds: geodesic and line of a pair, 17 steps"):
        operations[operation](999)()  # what only a process's first one pays
    for line in sys.stdin:
        operation, seed = json.loads(line)
        run = operations[operation](seed)
        clock = time.process_time if operation.startswith("CPU") else time.perf_counter
        began = clock()
        run()
        print(clock() - began, flush=True)


if __name__ == "__main__":
    serve()
