"""make bench-geometry: our geometry beside its peers, in one run on one machine.

    python tests/benchmarks/geometry                    everything, about twenty minutes
    python tests/benchmarks/geometry --only kernel      one part; the others keep what they have
    python tests/benchmarks/geometry --table            nothing measured, the table printed again
    python tests/benchmarks/geometry --publish          and written into docs/measures.md

Every part is written to build/bench/geometry.json as soon as it is done, so that an interrupted run keeps what it
has; a peer that cannot be installed or does not finish in its time is reported as such.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import environments
import families
import kernel
import operations
import pullback
import safety
import sampling
import table
import torch

from sonifold.evaluate.measures import describe_machine

OUTPUT = environments.BUILD / "bench" / "geometry.json"

PARTS: dict[str, Callable[[], dict]] = {
    "pullback-2": lambda: pullback.measure(2),
    "pullback-8": lambda: pullback.measure(8),
    "pullback-16": lambda: pullback.measure(16),
    "pullback-16-wide": lambda: pullback.measure(16, wide=True),
    "kernel": lambda: kernel.measure(full=False),
    "kernel-full": lambda: kernel.measure(full=True),
    "sampling-2": lambda: sampling.measure(2),
    "sampling-8": lambda: sampling.measure(8),
    "sampling-16": lambda: sampling.measure(16),
    "safety": safety.measure,
    "operations": operations.measure,
    "families": families.measure,
}


def main() -> int:
    options = parse()
    torch.set_num_threads(1)
    for name in [] if options.table else options.only or PARTS:
        began = time.perf_counter()
        print(f"{name} ...", flush=True)
        result = PARTS[name]()
        keep(name, {**result, "seconds_taken": round(time.perf_counter() - began, 1)})
    results = read()
    if not results:
        print(f"{OUTPUT} holds nothing yet; leave --table out to measure.", file=sys.stderr)
        return 1
    rows = table.rows(results["parts"])
    print("", *table.text(rows), "", *table.details(results["parts"]), "", results["machine"], sep="\n")
    if options.publish:
        table.publish(results)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks/geometry",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--table", action="store_true", help="measure nothing, print what is there")
    parser.add_argument("--publish", action="store_true", help="write the table into docs/measures.md")
    return parser.parse_args()


def keep(name: str, result: dict) -> None:
    """Put one part's result among the others."""
    results = read() or {"parts": {}}
    results["parts"][name] = {**result, "measured": datetime.now(UTC).isoformat(timespec="seconds")}
    results["machine"] = f"{describe_machine()}; one thread unless said otherwise"
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    draft = OUTPUT.with_suffix(".tmp")
    draft.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draft.replace(OUTPUT)


def read() -> dict:
    return json.loads(OUTPUT.read_text(encoding="utf-8")) if OUTPUT.exists() else {}


if __name__ == "__main__":
    sys.exit(main())
