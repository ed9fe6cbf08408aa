"""make bench-against: the files as they are beside another revision, both measured in one run in alternation.

    python tests/benchmarks/against                       against the last tag, or the merge base with main
    python tests/benchmarks/against --ref v0.1.0          against any revision
    python tests/benchmarks/against --new main            another revision than the files as they are
    python tests/benchmarks/against --only morphs page    some parts
    python tests/benchmarks/against --rounds 50           more samples; the intervals get narrower

Every figure is a ratio, new over old, so that a slow or busy machine hurts both alike. Both are put under
build/against/ first, so that nothing changes while it is measured, and run in this Python's environment. What a build
cannot do shows a dash. Rows go to build/measures/against.json as they are measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import page
import science
import service
from builds import Build, checked_out, default_revision, this_build
from ratio import Comparison

from sonifold.evaluate.measures import describe_machine, record

PARTS: dict[str, Callable[[tuple[Build, Build], int], list[Comparison]]] = {
    "start": lambda builds, rounds: service.start(builds, max(3, rounds // 4)),
    "morphs": service.morphs,
    "page": page.measure,
    "uploads": lambda builds, rounds: service.uploads(builds, max(3, rounds // 3)),
    "science": science.measure,
    "load-16": lambda builds, rounds: service.load(builds, 16, 1.5 * rounds),
    "load-64": lambda builds, rounds: service.load(builds, 64, 1.5 * rounds),
}


def main() -> None:
    options = parse()
    old = checked_out(options.ref)
    builds = (checked_out(options.new) if options.new else this_build(), old)
    command = f"make bench-against REF={old.name}"
    print(f"{'measure':58} {builds[0].name:>9} {old.name:>9} unit  {'new/old':>7}  95 % interval", flush=True)
    for name in options.only or PARTS:
        try:
            rows = PARTS[name](builds, options.rounds)
        except Exception as error:  # a build that lacks an operation; the other parts go on
            print(f"{name:58} {'-':>9} {'-':>9}       {type(error).__name__}: {error}", flush=True)
            continue
        for row in rows:
            print(line(row), flush=True)
            record(f"against {old.name}: {row.measure}", row.ratio, "x", None, row.n, command, name="against")
    print(describe_machine())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks/against",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ref", default=default_revision(), help="the other revision; default: %(default)s")
    parser.add_argument("--new", help="the revision to judge; default: the files as they are")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=20, help="samples of each build; default: %(default)s")
    return parser.parse_args()


def line(row: Comparison) -> str:
    interval = "" if row.low is None else f"[{row.low:.2f}, {row.high:.2f}]"
    return f"{row.measure:58} {row.new:9.3g} {row.old:9.3g} {row.unit:4}  {row.ratio:7.2f}  {interval}"


if __name__ == "__main__":
    main()
