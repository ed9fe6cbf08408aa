"""docs/ears.md and the part of the card, written from whatever was measured, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonifold.evaluate import card
from sonifold.files import copied, write_whole
from sonifold.intervals import Estimate, bootstrap
from sonifold_research.ears.figures import FIGURES, figures, summary
from sonifold_research.ears.judges import JUDGES
from sonifold_research.ears.methods import DEFAULT, STEPS

PAGE = "ears.md"
COMMAND = "sonifold evaluate ears"
TITLES = {"random": "random pairs", "family": "pairs within a family"}
INTRODUCTION = (
    "Written by `{command} --docs docs`. Every other page here measures with what was fitted together with the model. "
    "These two judges were not: **CDPAM** was trained on differences that people just notice, **Zimtohrli** is a "
    "model of the ear fitted to listeners' ratings of codecs. Both were made for small differences, and are asked "
    "about large ones here; Zimtohrli hardly hears when a steady sound ends. {steps} steps a way are rendered, every "
    "other one is judged. In every column less is better. Beside each mean, in brackets, what the geodesic has less "
    "than that way, paired, with its 95 % interval: above 0 the geodesic is better, and an interval that holds 0 "
    "decides nothing."
)
METHODS = (
    "*Geodesic* is the app's default: blend metric, re-timed. *Spherical* and *linear autoencoder* (principal "
    "components of the library, as many as the model has latent coordinates) are timed by the model's ear like the "
    "geodesic, and have its rendering: pitch, times, residuals. *Cross-fade* mixes the two recordings and needs no "
    "model. The nearest recording is looked for among 150 of the library, of which the ten nearest in Phi are asked "
    "about."
)
Pairs = Sequence[Mapping[str, Any]]
Cells = Mapping[str, Pairs]  # by judge


def write(folder: Path, measured: Mapping[str, Cells], out: Path, docs: Path | None) -> list[Path]:
    """The page in ``out`` and in ``docs`` where it is given, and the card's part; the files written."""
    tables = {name: _tables(by_judge) for name, by_judge in measured.items()}
    lines = [
        "# What independent ears say",
        "",
        INTRODUCTION.format(command=COMMAND, steps=STEPS),
        "",
        METHODS,
        "",
    ]
    for name, by_judge in measured.items():
        for judge, cells in by_judge.items():
            title = f"## {JUDGES[judge]}, {len(cells)} {TITLES[name]}"
            lines += [title, "", *_rows(tables[name][judge]), ""]
        lines += _double_beginnings(max(by_judge.values(), key=len), TITLES[name])
    page = out / PAGE
    write_whole(page, "\n".join(lines).encode(), durable=False)
    card.add(folder, "ears", tables)
    return [page, folder / "card.json", *(copied([page], docs) if docs else [])]


def _tables(by_judge: Cells) -> dict[str, Any]:
    """{judge: {method: {"mean" | "saved": {figure: Estimate}}}}."""
    return {judge: summary([_figures(cell) for cell in cells], DEFAULT) for judge, cells in by_judge.items()}


def _figures(cell: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {method: figures(verdict) for method, verdict in cell["verdicts"].items()}


def _rows(table: Mapping[str, Any]) -> list[str]:
    rows = ["| | " + " | ".join(FIGURES.values()) + " |", "|---" * (len(FIGURES) + 1) + "|"]
    for method, estimates in table.items():
        saved = estimates.get("saved", {})
        cells = [_cell(estimates["mean"][name], saved.get(name)) for name in FIGURES]
        rows.append(f"| {method} | " + " | ".join(cells) + " |")
    return rows


def _cell(mean: Estimate, saved: Estimate | None) -> str:
    return f"{mean.mean:.3f}" + (
        f" ({saved.mean:+.3f} [{saved.low:+.3f}, {saved.high:+.3f}])" if saved else ""
    )


def _double_beginnings(cells: Pairs, title: str) -> list[str]:
    """How often the middle of a morph begins more often than both ends."""
    shares = {name: bootstrap([float(cell["begun"][name]) for cell in cells]) for name in cells[0]["begun"]}
    rows = [
        f"| {name} | {100 * share.mean:.0f} [{100 * share.low:.0f}, {100 * share.high:.0f}] |"
        for name, share in shares.items()
    ]
    return [f"Middles with more beginnings than either end, {title}:", "", "| | % |", "|---|---|", *rows, ""]
