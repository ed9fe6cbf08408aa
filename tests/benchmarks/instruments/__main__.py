"""make bench-instruments: what Sonifold exports, opened by programs that were not written here.

    python tests/benchmarks/instruments                    everything, about a minute
    python tests/benchmarks/instruments --publish          and the table written into docs/instruments.md

A note is rendered and compared with the sound that it was made of: its level, each third octave, the time of its onset,
its pitch. A program that is not installed is reported as such. Debian has them: hydrogen, polyphone, fluidsynth, sox,
libxml2-utils; sfizz and sfzlint come from PyPI into build/peers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import other_readers
import sfz_readers
from exported import write_all
from judge import Row
from peers import BUILD, ROOM, PeerMissing

from sonifold.evaluate.measures import describe_machine

PAGE = BUILD.parent / "docs" / "instruments.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
OUTPUT = BUILD / "bench" / "instruments.json"
BAR_DB = 1.0


def readers(schema: Path | None) -> dict[tuple[str, str], Callable[..., Row]]:
    """By the format's name and the reader's."""
    return {
        ("SFZ", "sfizz (pysfizz)"): sfz_readers.sfizz,
        ("SFZ", "Polyphone, then FluidSynth"): sfz_readers.fluidsynth,
        ("SFZ", "sfzlint"): sfz_readers.sfzlint,
        ("Hydrogen", "Hydrogen"): other_readers.hydrogen,
        ("OP-1", "SoX, where the JSON says"): other_readers.op1,
        ("Bitwig", "xmllint, the authors' schema"): partial(
            other_readers.schema_of_multisample, schema=schema
        ),
        ("Bitwig", "SoX, its sounds alone"): partial(other_readers.sounds_in, "multisample"),
        ("DecentSampler", "SoX, its sounds alone"): partial(other_readers.sounds_in, "dslibrary"),
        ("MPC", "SoX, its sounds alone"): partial(other_readers.sounds_in, "xpm"),
    }


def main() -> int:
    options = parse()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    shutil.rmtree(ROOM, ignore_errors=True)
    written = write_all(ROOM / "exported")
    results = {}
    for (format, reader), read in readers(options.multisample_schema).items():
        print(f"{format}: {reader} ...", file=sys.stderr, flush=True)
        try:
            results[f"{format}|{reader}"] = read(written)
        except PeerMissing as error:
            results[f"{format}|{reader}"] = {"error": str(error)}
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    lines = [*table(results), "", f"{describe_machine()}; `make bench-instruments`."]
    print(*lines, sep="\n")
    if options.publish:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        text = "\n".join(lines)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks/instruments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--publish", action="store_true", help="write the table into docs/instruments.md")
    parser.add_argument(
        "--multisample-schema",
        type=Path,
        metavar="FILE",
        help="the XML schema that stands in the README of github.com/bitwig/multisample, kept as a file",
    )
    return parser.parse_args()


def table(results: dict[str, Row]) -> list[str]:
    """As Markdown."""
    lines = [
        "| format | reader | notes | level | third octaves | onset | pitch | within 1 dB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return lines + [f"| {' | '.join([*key.split('|'), *cells(row)])} |" for key, row in results.items()]


def cells(row: Row) -> list[str]:
    if "error" in row:
        return [row["error"], "", "", "", "", ""]
    if "remarks" in row:
        remarks = row["remarks"]
        return ["no remark" if not remarks else "; ".join(remarks), "", "", "", "", ""]
    within = max(abs(row["level_db"]), row["bands_db"]) <= BAR_DB
    cents = f"{row['cents']:+.1f} cents" if "cents" in row else ""
    return [
        str(row["notes"]),
        f"{row['level_db']:+.2f} dB",
        f"{row['bands_db']:.2f} dB",
        f"{row['onset_ms']:+.2f} ms",
        cents,
        "yes" if within else "no",
    ]


if __name__ == "__main__":
    sys.exit(main())
