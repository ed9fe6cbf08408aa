"""The table of ``make bench-middle``: every measure of both checkouts, paired where both have it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
#: Resamples of an interval.
DRAWS = 4000


def read(folder: Path, name: str) -> dict[int, Row]:
    """The measured pairs of a set, by index."""
    return {
        int(file.stem.split("-")[1]): json.loads(file.read_text())
        for file in sorted(folder.glob(f"{name}-*.json"))
    }


def rows(output: Path) -> Iterator[str]:
    """Lines of the table."""
    yield "| set | measure | base | new |"
    yield "|---|---|---|---|"
    for name in ("random", "tonal", "drums"):
        new, base = read(output / "new", name), read(output / "base", name)
        shared = sorted(set(new) & set(base)) if base else sorted(new)
        if not shared:
            continue
        sides = [[side[i] for i in shared] if side else [] for side in (base, new)]
        for label, get in MEASURES.items():
            cells = [get(side) if side else "" for side in sides]
            if any(cells):
                yield f"| {name} ({len(shared)}) | {label} | {cells[0]} | {cells[1]} |"
        if base:
            for label, number in PAIRED.items():
                difference = [number(new[i]) - number(base[i]) for i in shared]
                yield f"| {name} ({len(shared)}) | {label}, new - base | | {interval(difference)} |"
            ratios = {
                key: np.mean([new[i][key] for i in shared]) / np.mean([base[i][key] for i in shared])
                for key in ("difference", "cpu")
            }
            for label, key in (("difference of the ways in Phi", "difference"), ("CPU seconds", "cpu")):
                yield f"| {name} ({len(shared)}) | {label}, new / base | | {ratios[key]:.2f} |"


def interval(values: list[float]) -> str:
    """Mean with its 95 % interval by bootstrap."""
    draw = np.random.default_rng(0)
    data = np.asarray(values)
    means = [draw.choice(data, len(data)).mean() for _ in range(DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{data.mean():.3f} [{low:.3f}, {high:.3f}]"


def _both(
    read: Callable[[Row], float | None], form: Callable[[np.ndarray], str]
) -> Callable[[list[Row]], str]:
    """A cell for the geodesic and the re-timed line."""

    def cell(side: list[Row]) -> str:
        parts = []
        for kind in ("geodesic", "retimed"):
            values = [value for row in side if (value := read(row[kind])) is not None]
            if not values:
                return ""
            parts.append(form(np.array(values)))
        return " / ".join(parts)

    return cell


def _all(
    read: Callable[[Row], float | None], form: Callable[[np.ndarray], str]
) -> Callable[[list[Row]], str]:
    def cell(side: list[Row]) -> str:
        values = [value for row in side if (value := read(row)) is not None]
        return form(np.array(values)) if values else ""

    return cell


def _percentiles(*ranks: float) -> Callable[[np.ndarray], str]:
    return lambda values: ", ".join(f"{np.percentile(values, rank):.2f}" for rank in ranks)


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.3f}"


def _share_above(limit: float) -> Callable[[np.ndarray], str]:
    return lambda values: f"{values.mean():.2f}, {100 * (values > limit).mean():.0f} %"


def _steps_above(row: Row) -> float | None:
    """Mean share over the inner steps of a way."""
    return float(np.mean(list(row["shares"].values()))) if row.get("shares") else None


MEASURES: dict[str, Callable[[list[Row]], str]] = {
    "mid points with more attacks than either end, %": _both(
        lambda row: row["more_attacks"], lambda values: f"{100 * values.mean():.1f}"
    ),
    "share of harmonic energy at the pitch between, middle step: mean, pairs > .8": _both(
        lambda row: row.get("share"), _share_above(0.8)
    ),
    "the same, all inner steps each at its place": _both(_steps_above, _share_above(0.8)),
    "dip under the line, blocks of 100 ms: median, p90, worst (LU)": _both(
        lambda row: row["dip_0.1"], _percentiles(50, 90, 100)
    ),
    "dip under the line, blocks of 400 ms: median, p90, worst (LU)": _both(
        lambda row: row["dip_0.4"], _percentiles(50, 90, 100)
    ),
    "geodesic against straight, blocks of 100 ms: median, p90, worst (LU)": _all(
        lambda row: row["apart"]["0.1"], _percentiles(50, 90, 100)
    ),
    "geodesic against straight, blocks of 400 ms: median, p90, worst (LU)": _all(
        lambda row: row["apart"]["0.4"], _percentiles(50, 90, 100)
    ),
    "variation of the steps in Phi": _both(lambda row: row["variation"], _mean),
    "density of mid points among real sounds, Phi": _both(lambda row: row["density_phi"], _mean),
    "density of mid points among real sounds, log-mel": _both(lambda row: row["density_mel"], _mean),
    "difference of the two ways' mid points in Phi": _all(lambda row: row["difference"], _mean),
    "ends against the recordings, worst (dB)": _both(lambda row: row["end_db"], _percentiles(100)),
    "highest peak": _both(lambda row: row["peak"], _percentiles(100)),
    "glide: largest jump over the median step: median, worst": _all(
        lambda row: row["glide"]["jump"] if "glide" in row else None, _percentiles(50, 100)
    ),
    "glide: correlation with B's hit: median, least": _all(
        lambda row: row["glide"]["hit"] if "glide" in row else None, _percentiles(50, 0)
    ),
    "CPU seconds a morph": _all(lambda row: row["cpu"], _mean),
}
PAIRED: dict[str, Callable[[Row], float]] = {
    "density, Phi": lambda row: row["geodesic"]["density_phi"],
    "density, log-mel": lambda row: row["geodesic"]["density_mel"],
}
