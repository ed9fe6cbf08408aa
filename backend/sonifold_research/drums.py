"""The pack of drums on its plane: the metric that was trained with it, beside those that were not.

The figures are those of the pack's card (``sonifold evaluate drums``): nothing is measured here but the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sonifold import load
from sonifold.choices import MetricName
from sonifold.evaluate.metrics import COLUMNS, GAINED, cell
from sonifold.files import copied
from sonifold.model import Model

from . import latent_plane

COLOURS = ("#e4572e", "#c9a227", "#7ea04d", "#17a398")
PAIRS, SEED = 6, 2
LEARNED, LINE = "learned (RHVAE)", "line, re-timed"
#: Measures in which less is better; in the others more is.
LESS = {"variation_mel", "nearest_mel", "reencoding", "length"}


def reproduce(out: Path, docs: Path | None, progress: Callable[[str, int, int], None]) -> list[Path]:
    """Write the figure and the page of the pack; the files written.

    Raises ``ModuleNotFoundError`` without matplotlib, ``PackError`` without the pack.
    """
    import matplotlib  # noqa: F401, before the work rather than after it

    model = load("drums")
    out.mkdir(parents=True, exist_ok=True)
    files = [out / "drums.png", out / "drums.md"]
    progress("figure", 0, 1)
    draw(model, files[0])
    files[1].write_text(page(model, files[0].name), encoding="utf-8")
    progress("figure", 1, 1)
    return files if docs is None else [*files, *copied(files, docs)]


def draw(model: Model, file: Path) -> None:
    """Magnification, sounds, geodesics and lines under the learned metric, the kernel metric and the pull-back."""
    from matplotlib.figure import Figure

    library = model.library
    families = list(library.family_names)
    labels = torch.tensor([families.index(family) for family in library.families])
    encoded = latent_plane.Encoded(library.z, labels, families, COLOURS[: len(families)], "family")
    pairs = latent_plane.pairs_apart(encoded, PAIRS, SEED)
    figure = Figure(figsize=(15, 5.2), layout="constrained")
    names = {
        MetricName.LEARNED: "learned with the VAE (RHVAE)",
        MetricName.KERNEL: "kernel of the posteriors",
        MetricName.PULLBACK: "pull-back of the perceptual distance",
    }
    for axes, (name, title) in zip(figure.subplots(1, 3), names.items(), strict=True):
        latent_plane.draw(axes, encoded, model.metric(name), pairs)
        axes.set_title(f"{title}: log sqrt det G", fontsize=10)
    figure.savefig(file, dpi=80, pil_kwargs={"optimize": True})


def page(model: Model, picture: str) -> str:
    """Markdown, from the numbers of the card; ``picture`` is the link to the figure."""
    metrics, training, network = model.card["metrics"], model.config.training, model.config.vae
    settings = model.config.hamiltonian
    assert settings is not None
    return f"""# Drums: a metric that was trained with its sounds

The pack `drums` holds {len(model.library)} kicks, snares, toms and cymbals of the pack `oneshots`, file by file as they
are there, with the same ids, licences and credits. Its latent space has {network.latent_dim} dimensions and is its own
map. It is an RHVAE (Chadebec et al., IEEE TPAMI 2022): a network that gives each sound a kernel is trained together
with encoder and decoder, and the kernels of all sounds make the *learned metric*. It can be chosen for paths, for new
sounds, and for light and dark on the map; so can the metrics of every other pack.

`sonifold train drums` makes it again: {training.steps:,} steps of {training.batch} sounds, seed {training.seed},
T = {settings.temperature:g}, lambda = {settings.ridge:g}, {settings.leapfrogs} leapfrog steps of {settings.step:g};
about 13 minutes on one core, and it goes on where it was stopped. `sonifold evaluate drums` measures it and writes its
[card](../models/drums/CARD.md); `sonifold reproduce drums --docs docs` writes this page.

![The latent plane under three metrics, with geodesics and straight lines]({picture})

Each sound at its latent point over the magnification log sqrt det G (darker: distances are longer), geodesics between
{PAIRS} pairs in blue, straight lines dashed.

## Against the straight line

{metrics["pairs"]} random pairs, 17 steps each, residuals included; every path but the line is timed to constant
perceptual speed. Paired differences to the line with the same timing, with 95 % bootstrap intervals; in bold where
an interval leaves zero out. The first three columns are judged in log-mel levels, which no metric was made from.

{_table(metrics["gained"])}

{_verdict(metrics["gained"])}

{_rebuilding(model.card["reconstruction"])}
"""


def _table(gained: dict[str, Any]) -> str:
    lines = ["| path | " + " | ".join(COLUMNS[name] for name in GAINED) + " |"]
    lines.append("|---" * (len(GAINED) + 1) + "|")
    for method, row in gained.items():
        cells = [f"**{text}**" if _sure(row[name]) else text for name in GAINED if (text := _cell(row[name]))]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(estimate: dict[str, float]) -> str:
    return cell(estimate, signed=True)


def _sure(estimate: dict[str, float]) -> bool:
    """Whether an interval leaves zero out."""
    return estimate["n"] > 0 and estimate["low"] * estimate["high"] > 0


def _verdict(gained: dict[str, Any]) -> str:
    """What the differences say of the learned metric and of the kernel metric that nobody trained."""
    sentences = [
        f"{subject} is {_words(gained[method])}."
        for method, subject in (
            (LEARNED, "The learned metric"),
            ("kernel", "The kernel metric, for comparison,"),
        )
    ]
    return "In words, against the re-timed line: " + " ".join(sentences)


def _words(row: dict[str, Any]) -> str:
    sure = [name for name in GAINED if _sure(row[name])]
    better = [COLUMNS[name] for name in sure if (row[name]["mean"] < 0) == (name in LESS)]
    worse = [COLUMNS[name] for name in sure if (row[name]["mean"] < 0) != (name in LESS)]
    parts = [
        f"{how} in {'; '.join(measures)}"
        for how, measures in (("better", better), ("worse", worse))
        if measures
    ]
    return ", and ".join(parts) or "no different as far as these pairs can show"


def _rebuilding(tables: dict[str, Any]) -> str:
    lines = [
        "## What two dimensions cost",
        "",
        "Sounds that were held out, rebuilt from their latent point alone. A morph carries the residuals of its ends",
        "along besides, so that it begins and ends with the recordings.",
        "",
        "| sounds | method | log-mel error, dB | Phi error |",
        "|---|---|---|---|",
    ]
    for split, methods in tables.items():
        lines += [
            f"| {split.replace('_', ' ')} | {method} | {cell(row['log_mel_db'])} | {cell(row['phi'])} |"
            for method, row in methods.items()
        ]
    return "\n".join(lines)
