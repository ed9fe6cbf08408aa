"""Notes of library sounds whose note is known, by the network alone and with the sound's own period.

python tests/benchmarks/pitch.py
"""

from __future__ import annotations

import math

import sonifold
from sonifold.audio.pitch import learned_pitch, pitch


def is_right(found: float | None, true: float) -> bool:
    return found is not None and abs(12 * math.log2(found / true)) <= 0.5


def main() -> None:
    library = sonifold.load("oneshots").library
    known = [label for label in library.labels if label.pitch_hz]
    rows = []
    for label in known:
        audio = library.audio(label.id).numpy()
        rows.append((label, learned_pitch(audio, 44_100), pitch(audio, 44_100)))
    for name, column in (("network", 1), ("both", 2)):
        found = sum(row[column] is not None for row in rows)
        right = sum(is_right(row[column], row[0].pitch_hz) for row in rows)
        print(f"{name:8} {len(known)} notes: {found} found, {right} within half a semitone")
    lost = [
        row[0].name
        for row in rows
        if is_right(row[1], row[0].pitch_hz) and not is_right(row[2], row[0].pitch_hz)
    ]
    print(f"right by the network, wrong by both: {', '.join(lost) or 'none'}")


if __name__ == "__main__":
    main()
