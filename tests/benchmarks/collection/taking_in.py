"""How fast sounds are taken in, in how much memory, and what a kill costs."""

from __future__ import annotations

import random
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from running import Running, analysed, read
from sample_files import write_stubs

START_SECONDS = 4.0  # until an ingest analyses its first sounds, about


@dataclass(frozen=True)
class Speed:
    per_second: float
    cpu_milliseconds: float  # of all processes, a sound
    megabytes: float
    analysed: int


def speed(folder: Path, data: Path) -> Speed:
    """Of an ingest from its start to its end, with the loading of the model."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = Running(data, folder)
    seconds = running.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    count = len(analysed(data))
    return Speed(count / seconds, 1000 * cpu / count, running.megabytes, count)


@dataclass
class Losses:
    """What 20 kills cost."""

    kills: int = 0  # that hit it while it ran
    lost: int = 0  # sounds that were analysed before a kill and not afterwards, or are other rows
    repeated: int = 0  # files with two rows, or that two rows of the arrays were written and named for
    wrong: int = 0  # whose vectors are not those of an undisturbed ingest


def kills(folder: Path, data: Path, undisturbed: Path, count: int, per_second: float, seed: int) -> Losses:
    """Kill an ingest with its workers at random moments, begin another, and compare in the end."""
    draw, losses = random.Random(seed), Losses()
    files = sum(path.is_file() for path in folder.rglob("*"))
    share = files / count / per_second  # seconds of work between kills, so that they fall all along it
    before = analysed(data)
    for _ in range(count):
        running = Running(data, folder)
        time.sleep(draw.uniform(0, 2 * (START_SECONDS + share)))
        losses.kills += running.kill()
        after = analysed(data)
        losses.lost += sum(after.get(path) != row for path, row in before.items())
        before = after
    Running(data, folder).wait()
    after = analysed(data)
    losses.lost += sum(after.get(path) != row for path, row in before.items()) + files - len(after)
    rows = read(data, "SELECT count(*), count(DISTINCT path), count(DISTINCT vector) FROM sounds")[0]
    distinct = len({sha256 for _, _, sha256 in after.values()})
    losses.repeated = (rows[0] - rows[1]) + (rows[0] - files) + (rows[2] - distinct)
    losses.wrong = differing(data, undisturbed)
    return losses


def differing(data: Path, other: Path) -> int:
    """Sounds whose timbre in one collection is not what it is in another."""
    ours, theirs = (timbre(folder) for folder in (data, other))
    return sum(not np.allclose(ours[path], theirs[path], atol=1e-4) for path in ours)


def timbre(data: Path) -> dict[str, np.ndarray]:
    (array,) = (data / "collection" / "vectors").glob("*/timbre.f32")
    rows = np.fromfile(array, np.float32).reshape(-1, 512)
    return {path: rows[vector] for path, (_, vector, _) in analysed(data).items()}


@dataclass(frozen=True)
class Names:
    seconds: float
    listed: int
    lost: int
    repeated: int


def names(room: Path, count: int, killed: int, seed: int) -> Names:
    """Seconds until so many names can be searched; then the same killed at random moments, and what that costs."""
    write_stubs(room / "stubs", count)
    seconds = Running(room / "names", room / "stubs", "--phase", "names").wait()
    draw, data = random.Random(seed), room / "killed"
    for _ in range(killed):
        running = Running(data, room / "stubs", "--phase", "names")
        time.sleep(draw.uniform(0.5, max(1.0, seconds / 2)))
        running.kill()
    Running(data, room / "stubs", "--phase", "names").wait()
    ((rows, paths),) = read(data, "SELECT count(*), count(DISTINCT path) FROM sounds WHERE NOT missing")
    ((words,),) = read(data, "SELECT count(*) FROM sound_words_docsize")
    return Names(seconds, words, count - min(paths, words), rows - paths + max(0, words - count))
