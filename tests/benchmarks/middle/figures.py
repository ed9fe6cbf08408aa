"""Spectrograms of A, steps 5, 9 and 13, and B, on both ways, of this checkout beside another: docs/middle-*.png.

python tests/benchmarks/middle/figures.py --base ../before
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
OUTPUT = ROOT / "build" / "bench" / "middle" / "figures"
PAIRS = [
    ("Koto, G3", "Acoustic bass, C3"),
    ("808 tom, C3", "808 tom, C4"),
    ("Kick 808", "Ride bell"),
    ("Koto, C3", "Snare, TR-808"),
    ("Ride bell", "Acoustic bass, C2"),
    ("Marimba, C5", "Funk guitar, C5"),
]
STEPS = (0, 4, 8, 12, 16)
KINDS = ("geodesic", "retimed")
RATE = 44_100
HIGHEST = 6000.0  # Hz, of the picture


def render(folder: Path) -> None:
    """The steps of every pair as the backend on the path makes them."""
    import sonifold

    folder.mkdir(parents=True, exist_ok=True)
    model = sonifold.load("oneshots")
    for index, names in enumerate(PAIRS):
        ends = tuple(model.sound(model.library.ids[model.library.names.index(name)]) for name in names)
        for kind in KINDS:
            clip = model.morph(model.paths([ends], kind)[0])[1]
            np.save(folder / f"{index}-{kind}.npy", clip.audio[list(STEPS)].numpy())


def draw(index: int, file: Path) -> None:
    """One figure: a row for each way of each checkout, a column for each step."""
    from matplotlib.figure import Figure

    rows = [(side, kind) for side in ("base", "new") for kind in KINDS]
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    axes = figure.subplots(len(rows), len(STEPS), sharex=True, sharey=True)
    for row, (side, kind) in zip(axes, rows, strict=True):
        for axis, sound, step in zip(row, np.load(OUTPUT / side / f"{index}-{kind}.npy"), STEPS, strict=True):
            level = spectrogram(sound)
            axis.imshow(
                level, origin="lower", aspect="auto", vmin=-70, vmax=0, cmap="magma",
                extent=(0, len(sound) / RATE, 0, HIGHEST / 1000), interpolation="nearest",
            )  # fmt: skip
            axis.set_title({0: "A", 16: "B"}.get(step, f"step {step + 1}"), fontsize=8)
            axis.tick_params(labelsize=6)
        way = {"geodesic": "geodesic", "retimed": "straight"}[kind]
        row[0].set_ylabel(f"{ {'base': 'before', 'new': 'after'}[side] }, {way}\nkHz", fontsize=7)
    figure.suptitle(" to ".join(PAIRS[index]), fontsize=9)
    figure.savefig(file, dpi=90)


def spectrogram(sound: np.ndarray) -> np.ndarray:
    """Levels in dB under the loudest cell, (bin, frame), up to 6 kHz."""
    window, hop = 2048, 512
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, window // 2), window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window))) ** 2
    return 10 * np.log10(power / power.max() + 1e-9).T[: round(HIGHEST * window / RATE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the checkout to compare with")
    parser.add_argument("--render", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.render:
        return render(options.render)
    for side, checkout in {"new": ROOT, "base": options.base.resolve()}.items():
        environment = {**os.environ, "PYTHONPATH": str(checkout / "backend"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--render", str(OUTPUT / side)]
        subprocess.run(command, env=environment, cwd=checkout, check=True)
    for index in range(len(PAIRS)):
        draw(index, ROOT / "docs" / f"middle-{index + 1}.png")
    return None


if __name__ == "__main__":
    main()
