"""A crowd and hostile bodies against real servers, this tree's and, beside it, another one's.

python tests/benchmarks/load --base FOLDER     FOLDER: a checkout to compare with; its servers take turns with ours

Prints a table; says at the end which bars are missed, and exits with 1 then.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from clients import Crowd, crowd, hostile
from server import ROOT, Server

#: Seconds within which everybody has an answer, of whichever kind; share of the other tree's throughput; MB that memory
#: may grow between the middle and the end of a run; seconds that a look whether the server lives may take.
ANSWERED, THROUGHPUT, GROWTH, ALIVE = 15.0, 1.0, 50.0, 0.5
HEADINGS = "tree    answers  refused  worst s   p95 s  morphs/s            MB  livez s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="a checkout to compare with")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=1, help="how often each tree has its turn")
    options = parser.parse_args()
    trees = {"ours": ROOT} | ({} if options.base is None else {"base": options.base})
    found: dict[str, list[Crowd]] = {name: [] for name in trees}
    print(HEADINGS)
    for _ in range(options.rounds):
        for name, tree in trees.items():
            with tempfile.TemporaryDirectory() as data, Server(tree, Path(data)) as server:
                found[name].append(asyncio.run(crowd(server, options.clients, options.seconds)))
            print(f"{name:6} {found[name][-1]}", flush=True)
    for name, tree in trees.items():
        with tempfile.TemporaryDirectory() as data, Server(tree, Path(data)) as server:
            for what, alive, status in asyncio.run(hostile(server)):
                print(f"{name:6} {what:42} answered {status}, livez at worst {alive:.3f} s", flush=True)
                if name == "ours" and alive > ALIVE:
                    found[name][-1].missed.append(f"{what}: livez took {alive:.2f} s, more than {ALIVE} s")
    missed = [sentence for one in found["ours"] for sentence in one.missed]
    missed += misses(found)
    print("\n".join(f"missed: {sentence}" for sentence in missed) or "no bar is missed")
    return 1 if missed else 0


def misses(found: dict[str, list[Crowd]]) -> list[str]:
    """What is not as it should be, as sentences."""
    sentences = []
    worst = max(one.worst for one in found["ours"])
    if worst > ANSWERED:
        sentences.append(f"somebody waited {worst:.1f} s for an answer, more than {ANSWERED:g} s")
    growth = max(one.memory[1] - one.memory[0] for one in found["ours"])
    if growth > GROWTH:
        sentences.append(f"memory grew by {growth:.0f} MB, more than {GROWTH:g}")
    if "base" in found:
        ours, base = (statistics.median(one.pace for one in found[name]) for name in ("ours", "base"))
        print(f"throughput: {ours / base:.2f} times the other tree's")
        if ours < THROUGHPUT * base:
            sentences.append(f"throughput is {ours / base:.2f} of the other tree's")
    return sentences


if __name__ == "__main__":
    sys.exit(main())
