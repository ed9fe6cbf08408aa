"""make bench-collection: folders taken into the collection, and found again.

    python tests/benchmarks/collection                              2,000 sounds, 200,000 names; some ten minutes
    python tests/benchmarks/collection --only speed,kills --sounds 20000

Parts: speed (sounds a second and memory), kills (kill -9 at random moments, then what is lost or there twice), names
(until names can be searched), uploads (the upload route in the same run), clicks (morphs meanwhile), finding (searches
and neighbours among 100,000). Sounds are altered copies of the packs' recordings, made at the start.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import beside
import finding
import taking_in
from altered import write_altered

from sonifold.evaluate.measures import record

PARTS = ("speed", "kills", "names", "uploads", "clicks", "finding")
COMMAND = "make bench-collection"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="collection", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--sounds", type=int, default=2000)
    parser.add_argument("--names", type=int, default=200_000)
    parser.add_argument("--uploads", type=int, default=121)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; parts are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="sonifold-collection-") as room:
        measure(parts, options, Path(room))
    return 0


def measure(parts: list[str], options: argparse.Namespace, room: Path) -> None:
    folder = room / "Samples"
    files: list[Path] = []
    if {"speed", "kills", "uploads", "clicks"} & set(parts):
        files = write_altered(folder, options.sounds, options.seed)
    if {"speed", "kills", "uploads"} & set(parts):
        speed = taking_in.speed(folder, room / "speed")
        keep(f"taking in {len(files)} one-shots", speed.per_second, "sounds/s", ">= 80", speed.analysed)
        keep("taking in: CPU of all processes, a sound", speed.cpu_milliseconds, "ms", None, speed.analysed)
        keep("taking in: most memory, all processes", speed.megabytes, "MB", "<= 1500", 1)
    if "kills" in parts:
        losses = taking_in.kills(
            folder, room / "killed", room / "speed", options.kills, speed.per_second, options.seed
        )
        keep("taking in, killed at random: sounds lost", losses.lost, "sounds", "== 0", losses.kills)
        keep("taking in, killed at random: sounds repeated", losses.repeated, "sounds", "== 0", losses.kills)
        keep(
            "taking in, killed at random: vectors that are others",
            losses.wrong,
            "sounds",
            "== 0",
            losses.kills,
        )
    if "uploads" in parts:
        ratio = speed.per_second / beside.uploads(room / "uploads", files[: options.uploads])
        keep("taking in over the upload route, sounds/s", ratio, "x", ">= 4", options.uploads)
    if "clicks" in parts:
        idle, meanwhile = beside.clicks(room / "clicks", folder, options.pairs)
        keep(
            "two clicks while sounds are taken in over idle, p95",
            meanwhile / idle,
            "x",
            "<= 1.5",
            options.pairs,
        )
    if "names" in parts:
        names = taking_in.names(room / "names", options.names, 5, options.seed)
        keep(f"{options.names} names until all can be searched", names.seconds, "s", "<= 60", names.listed)
        keep("listing, killed 5 times: names lost", names.lost, "names", "== 0", 5)
        keep("listing, killed 5 times: names repeated", names.repeated, "names", "== 0", 5)
    if "finding" in parts:
        finding.measure(room / "finding", options.vectors, keep)
    shutil.rmtree(room, ignore_errors=True)


def keep(measure: str, value: float, unit: str, bar: str | None, n: int) -> None:
    record(measure, value, unit, bar, n, COMMAND, name="collection")
    print(f"{measure}: {value:.4g} {unit}" + (f" (bar {bar})" if bar else "") + f", n {n}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
