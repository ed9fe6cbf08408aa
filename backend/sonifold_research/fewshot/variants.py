"""Does geometry help? Every variant against the plain adaptation of its family: table, verdict and plot."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sonifold.intervals import Estimate
from sonifold_research.fewshot.figures import figure, save
from sonifold_research.fewshot.results import Results, average, percent, said

AIM = 0.10  # of the plain adaptation's error
PLAIN = "tuned, classic augmentation"
ALIKE = "tuned, transposed copies"
ALIKE_FIELD = "tuned, transposed copies, field"


class Family(NamedTuple):
    """Variants of one way to adapt, held against a plain one."""

    title: str
    plain: str
    control: str | None  # knows nothing of the latent space, and must be beaten too
    names: tuple[str, ...]
    like_control: tuple[str, ...] | None = None  # those that differ from it in one thing; None: all


FAMILIES = (
    Family(
        "gradient steps with replay and classic augmentation, nothing of the latent space",
        PLAIN,
        "tuned, classic augmentation + cross-fade",
        (
            "tuned, classic augmentation + cross-fade",
            "tuned, classic augmentation + geodesic",
            "tuned, classic augmentation, field",
            ALIKE,
            ALIKE_FIELD,
            "instant",
            "refined",
        ),
        ("tuned, classic augmentation + geodesic",),
    ),
    Family("the same with transposed copies", ALIKE, None, (ALIKE_FIELD, "instant", "refined")),
    Family(
        "refining: such steps from the head in closed form, a field on top",
        "refined, plain",
        "refined, cross-fade",
        (
            "refined, cross-fade",
            "refined, geodesic",
            "refined, metric",
            "refined, isometry",
            "refined, encoder too, distillation",
            "refined, geodesic + isometry + distillation",
            "refined, no replay",
        ),
    ),
    Family(
        "head in closed form",
        "head",
        "head + cross-fade",
        (
            "head + cross-fade",
            "head + linear",
            "head + geodesic",
            "head + metric",
            "head, uploads + cross-fade, no copies",
            "head, uploads + geodesic, no copies",
            "head, no budget for the base",
            "two-layer ridge",
            "prototype",
            "instant",
        ),
    ),
    Family(
        "residuals interpolated over z",
        "instant",
        "field, wide scales",
        (
            "field, learned metric",
            "instant, meta-trained base",
            "field, pull-back distance",
            "field, wide scales",
            "field, uploads alone",
            "field, classic augmentation",
        ),
        ("field, pull-back distance",),
    ),
)
WORDS = ("linear", "geodesic", "metric", "isometry", "distillation", "pull-back")
#: What uses paths, a metric, or a penalty on either.
GEOMETRIC = {name for family in FAMILIES for name in family.names if any(word in name for word in WORDS)}
#: What uses distances between latent points, as they are.
LOCAL = {"tuned, classic augmentation, field", ALIKE_FIELD, "instant", "refined"}


def gain(results: Results, name: str, plain: str, count: int = 10) -> Estimate:
    """Mean over groups of the share of the plain adaptation's error that a variant saves."""
    return average(results.saved(name, plain, count)[0])


def best_geometric(results: Results, count: int = 10) -> tuple[str, str, Estimate] | None:
    """The variant with paths, metrics or penalties that gains most over its plain counterpart, and that one."""
    gains = [
        (name, family.plain, gain(results, name, family.plain, count))
        for family in FAMILIES
        for name in family.names
        if name in GEOMETRIC and len(results.saved(name, family.plain, count)[1])
    ]
    return max(gains, key=lambda row: row[2].mean) if gains else None


def section(results: Results, count: int = 10) -> list[str]:
    """The table and what it says."""
    lines = [
        "## Does geometry in training help?",
        "",
        f"{count} uploads. *Gain*: share of the plain adaptation's error on other sounds that the variant saves (mean "
        "over groups, pairs of group and draw; minus: it is worse). Marked *geometry*: paths, metrics and penalties. "
        "Marked *places*: residuals interpolated over the latent space, by Euclidean distance. Synthetic sounds lie "
        "on the way between every two uploads, and between each upload and its two nearest library sounds, residuals "
        "carried along; a quarter of the copies' weight is theirs. The control is the cross-fade, which knows nothing "
        "of the latent space; for interpolated residuals it is the same interpolation by Euclidean distance (eight "
        "copies, wide scales), which the pull-back distance must beat.",
        "",
        "| variant | gain over plain | gain over the control | groups better than plain | drift | groups x draws |",
        "|---|---|---|---|---|---|",
    ]
    for family in FAMILIES:
        rows = [row for name in family.names if (row := _row(results, family, name, count)) is not None]
        if rows:
            drift = np.mean(
                results.over(family.plain, count, results.groups(family.plain, count=count), "drift")
            )
            lines += [f"| *{family.title}: against **{family.plain}*** | | | | {drift:+.3f} | |", *rows]
    return [*lines, "", "![variants](fewshot-variants.png)", "", *verdict(results, count)]


def _row(results: Results, family: Family, name: str, count: int) -> str | None:
    saved, groups = results.saved(name, family.plain, count)
    if not groups:
        return None
    against = "-"
    alike = family.names if family.like_control is None else family.like_control
    if (
        family.control
        and name != family.control
        and name in alike
        and results.saved(name, family.control, count)[1]
    ):
        against = percent(gain(results, name, family.control, count))
    mark = " (geometry)" if name in GEOMETRIC else " (places)" if name in LOCAL else ""
    return (
        f"| {name}{mark} | {percent(average(saved))} | {against} | {int((saved > 0).sum())} of {len(saved)} | "
        f"{np.mean(results.over(name, count, groups, 'drift')):+.3f} | {len(groups)} x "
        f"{results.draws(name, count, family.plain)} |"
    )


def verdict(results: Results, count: int = 10) -> list[str]:
    """What the numbers say, in words that they choose."""
    return [
        *_of_geometry(results, count),
        *_of_latent_space(results, count),
        *_of_copies(results, count),
        *_of_learning(results, count),
    ]


def _of_geometry(results: Results, count: int) -> list[str]:
    best = best_geometric(results, count)
    if best is None:
        return []
    name, plain, estimate = best
    count_of_variants = len(
        {n for family in FAMILIES for n in family.names if n in GEOMETRIC and results.counts(n)}
    )
    if estimate.mean >= AIM and estimate.low > 0:
        words = f"**{name}** is better than {plain} by {percent(estimate)}."
    else:
        words = said(
            estimate,
            f"**Paths, metrics and penalties: no.** The best of them, {name}, is better than {plain} by "
            f"{percent(estimate)}: far from the {100 * AIM:.0f} % that was hoped for, and the best of "
            f"{count_of_variants} that were tried, so part of it is luck.",
            f"**Paths, metrics and penalties: no.** The best of them, {name}, comes to {percent(estimate)} against "
            f"{plain}: nothing that could be told from chance.",
            f"**Paths, metrics and penalties: no.** Even the best of them, {name}, is worse than {plain}: "
            f"{percent(estimate)}.",
        )
    pulled = results.saved("field, pull-back distance", "field, wide scales", count)[0]
    if len(pulled):
        order = average(pulled)
        words += " " + said(
            order,
            f"By the pull-back distance residuals carry better than by the Euclidean: {percent(order)}.",
            f"The pull-back distance orders the uploads no better than the Euclidean: {percent(order)}.",
            f"By the pull-back distance residuals carry worse than by the Euclidean: {percent(order)}.",
        )
    return [words, ""]


def _of_latent_space(results: Results, count: int) -> list[str]:
    lines = []
    for name in ("instant", "refined"):
        estimate = gain(results, name, PLAIN, count)
        if estimate.n:
            reached = estimate.mean >= AIM and estimate.low > 0
            lines.append(
                f"**{name}**, which interpolates residuals over the latent space, saves {percent(estimate)} of the "
                f"error of plain adaptation with replay and classic augmentation"
                + (f": the {100 * AIM:.0f} % that were aimed at." if reached else ".")
            )
    copies, field = gain(results, ALIKE, PLAIN, count), gain(results, ALIKE_FIELD, ALIKE, count)
    if copies.n and field.n:
        lines.append(
            "Two things make that up. Copies in other keys instead of classic augmentation, which is no geometry, "
            f"save {percent(copies)}; the field on top of the same steps saves {percent(field)}"
            + said(
                field,
                ": that the latent space is a place, where near sounds lack the same, is worth something, but less "
                "than the 10 %."
                if field.mean < AIM
                else ": that the latent space is a place is worth that much.",
                ": nothing that could be told from chance.",
                ": it harms.",
            )
        )
    return [" ".join(lines), ""] if lines else []


def _of_copies(results: Results, count: int) -> list[str]:
    copies = gain(results, "head", "head, uploads alone", count)
    between = gain(results, "head, uploads + geodesic, no copies", "head, uploads alone", count)
    if not (copies.n and between.n) or copies.low <= 0:
        return []
    lines = [
        "Where the limit lies: what helps is to know a change that keeps the group and leaves the uploads - a "
        f"transposition: copies in other keys save {percent(copies)} of the error of the uploads alone. "
        f"Geodesics instead of copies: {percent(between)}."
    ]
    if between.mean < copies.low:
        lines.append(
            "Places between the uploads say little that the uploads do not say: a path's decodings come from the base, "
            "and its residuals are blends of residuals that are there already, so the fit is asked for what it gives "
            "anyway."
        )
    return [" ".join(lines), ""]


def _of_learning(results: Results, count: int) -> list[str]:
    metric = gain(results, "field, learned metric", "instant", count)
    base = gain(results, "instant, meta-trained base", "instant", count)
    if not (metric.n and base.n):
        return []
    return [
        "Learning the geometry from other groups. A metric learned so that residuals transfer, on the groups that "
        f"settings are chosen on, comes to {percent(metric)} against the Euclidean distance on these; a base that is "
        "meta-trained through the closed form, on kits and programs of its training set altered as a whole, to "
        f"{percent(base)} against the base as it is. "
        + (
            "What they learn does not carry over to groups of other makers."
            if max(metric.low, base.low) <= 0
            else "What they learn carries over."
        ),
        "",
    ]


def learned(losses: tuple[tuple[float, float], tuple[float, float]] | None) -> list[str]:
    """How well the learned ones fitted what they were learned from."""
    if losses is None:
        return []
    (first, last), (begun, ended) = losses
    return [
        f"On the episodes that they were learned from, the metric's loss fell by {100 * (1 - last / first):.1f} %, the "
        f"base's by {100 * (1 - ended / begun):.1f} %.",
        "",
    ]


def plot(results: Results, path: Path, count: int = 10) -> None:
    """Every variant's gain with its interval."""
    rows: list[tuple[str, Estimate | None]] = []
    for family in FAMILIES:
        gains = [(name, gain(results, name, family.plain, count)) for name in family.names]
        measured: list[tuple[str, Estimate | None]] = [row for row in gains if row[1].n]
        if measured:
            rows += [(f"against {family.plain}:", None), *measured]
    if not rows:
        return
    picture, axes = figure(7.5, 0.24 * len(rows) + 1.2)
    for height, (name, estimate) in enumerate(reversed(rows)):
        if estimate is None:
            continue
        colour = "#3d6fb6" if name in GEOMETRIC else "#e2725b" if name in LOCAL else "#888888"
        axes.plot([100 * estimate.low, 100 * estimate.high], [height, height], color=colour, linewidth=2)
        axes.plot(100 * estimate.mean, height, "o", color=colour, markersize=4)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)], fontsize=7)
    for label, (_, estimate) in zip(axes.get_yticklabels(), reversed(rows), strict=True):
        if estimate is None:
            label.set_fontweight("bold")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.axvline(100 * AIM, color="#2a9d4a", linewidth=0.8, linestyle="--")
    axes.set_xlabel(
        "gain, % of the plain error, 95 % intervals (blue: geometry; coral: places; dashed: the aim)",
        fontsize=8,
    )
    save(picture, path)
