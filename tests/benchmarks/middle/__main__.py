"""make bench-middle: what is heard between two sounds, of this checkout beside another, in one run.

    python tests/benchmarks/middle --base ../before              everything, about an hour and a half
    python tests/benchmarks/middle --base ../before --pairs 10   a quick look
    python tests/benchmarks/middle --table                       nothing measured, the table printed again
    python tests/benchmarks/middle --ears 40                     nothing measured, so many of the pairs judged by CDPAM

Every pair is written to build/bench/middle as soon as it is measured, so that an interrupted run goes on where it
stopped; delete that folder after a change.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "geometry"))  # behind our own folder: both have a table

import environments  # noqa: E402
import table  # noqa: E402

ROOT = HERE.parents[2]
JUDGES = ROOT / "backend" / "sonifold_research" / "ears" / "judges"  # what they need, pinned
OUTPUT = ROOT / "build" / "bench" / "middle"
PAIRS = {"random": 100, "tonal": 40, "drums": 40}
GLIDES = 10


def main() -> int:
    options = parse()
    if options.ears:
        return judged(options.ears)
    sides = {"new": ROOT} | ({"base": options.base.resolve()} if options.base else {})
    for name, count in PAIRS.items():
        for side, checkout in {} if options.table else sides.items():
            measure(checkout, OUTPUT / side, name, min(count, options.pairs or count))
    print(*table.rows(OUTPUT), sep="\n")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks/middle",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", type=Path, help="the checkout to compare with")
    parser.add_argument("--pairs", type=int, help="of each set; all of them by default")
    parser.add_argument("--table", action="store_true", help="measure nothing, print what is there")
    parser.add_argument("--ears", type=int, metavar="N", help="ask CDPAM about N pairs that are there")
    return parser.parse_args()


def measure(checkout: Path, folder: Path, name: str, count: int) -> None:
    """One set of pairs of one checkout, in a process of its own on one thread."""
    print(f"{folder.name} {name} ", end="", flush=True)
    command = [sys.executable, str(HERE / "child.py"), str(folder), name, str(count), str(GLIDES)]
    subprocess.run(command, env=environment_of(checkout), cwd=checkout, check=True)
    print()


def judged(pairs: int) -> int:
    """What CDPAM says of the pairs that were measured, in an environment of its own on one thread."""
    command = [environments.python("cdpam", JUDGES), HERE / "ears.py", OUTPUT, str(pairs)]
    return subprocess.run(command, env=environment_of(ROOT)).returncode


def environment_of(checkout: Path) -> dict[str, str]:
    """A checkout's backend first, and one thread."""
    return {**os.environ, "PYTHONPATH": str(checkout / "backend"), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    sys.exit(main())
