"""docs/fewshot.md: the tables and plots of whatever has been measured, whatever they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sonifold.adapt.forecast import MUCH
from sonifold.evaluate.measures import record
from sonifold.files import write_whole
from sonifold_research.episodes import page as episodes
from sonifold_research.fewshot import classified, run, variants
from sonifold_research.fewshot.figures import figure, save
from sonifold_research.fewshot.groups import Group
from sonifold_research.fewshot.results import Cells, Results, average, median, percent

COMMAND = "sonifold evaluate fewshot"
MAIN = {
    "none, encoder's mean": "no adaptation, encoder's mean",
    "none": "no adaptation",
    "head, uploads alone": "head in closed form, uploads alone",
    "head, classic augmentation": "head in closed form, classic augmentation",
    "head": "head in closed form, transposed copies",
    "field, uploads alone": "residuals interpolated over z, uploads alone",
    "field, classic augmentation": "residuals interpolated over z, classic augmentation",
    "instant": "**instant** (residuals interpolated over z, transposed copies)",
    "refined": "**refined**",
    "from scratch": "from scratch",
}


class Measured(NamedTuple):
    """Everything that was measured."""

    cells: Cells  # of the groups
    classifier: Cells
    classifier_rendered: dict[str, Any] | None = None
    rendered: dict[str, Any] | None = None
    losses: Any = None  # of what was learned from episodes


def write(measured: Measured, groups: Sequence[Group], docs: Path) -> Path:
    """The page and its plots; returns the page. Of the cells those count that are planned."""
    planned = {
        (cell.plan.name, cell.group.name, cell.uploads, cell.seed) for cell in run.cells(groups, "report")
    }
    results = Results(
        cell
        for cell in measured.cells
        if (cell["part"], cell["group"], cell["count"], cell["seed"]) in planned
    )
    lines = [
        *_opening(results, groups, len(planned)),
        *episodes.summary(docs),
        *_in_short(results, measured.classifier),
        *_main(results),
        *_by_kind(results),
        *_by_count(results),
        *_heard(measured.rendered),
        *variants.section(results),
        *variants.learned(measured.losses),
        *_forecast(results),
        *classified.section(measured.classifier, measured.classifier_rendered),
    ]
    docs.mkdir(parents=True, exist_ok=True)
    _plot_groups(results, docs / "fewshot-groups.png")
    variants.plot(results, docs / "fewshot-variants.png")
    classified.plot(measured.classifier, docs / "fewshot-classifier.png")
    page = docs / "fewshot.md"
    write_whole(page, ("\n".join(lines).rstrip() + "\n").encode(), durable=False)
    _record(results)
    return page


# -- sections -------------------------------------------------------------------------------------


def _opening(results: Results, groups: Sequence[Group], planned: int) -> list[str]:
    reported = [group for group in groups if group.side == "report"]
    for_settings = [group for group in groups if group.side == "settings"]
    kinds = {
        kind: sum(group.kind == kind for group in reported)
        for kind in dict.fromkeys(g.kind for g in reported)
    }
    return [
        "# Few-shot adaptation: what was measured",
        "",
        f"Written by `{COMMAND}`. A pack is given N sounds of a group that it never saw, and is judged by *other* "
        "sounds of that group: the Phi error of their decodings, from refined latent points, without residuals, in the "
        "domain of features (no rendering).",
        "",
        f"- **Groups.** {len(reported)} for this report: "
        + ", ".join(f"{count} of kind {kind}" for kind, count in kinds.items())
        + ". Foreign kits (never trained on, never shipped), held-out kits and programs, and General MIDI programs "
        "that the base has no note of, rendered from a soundfont; sounds within 3 dB of a training sound are left out.",
        f"- **Settings** (copies, amounts, budget, steps, rates) were chosen on {len(for_settings)} other groups: "
        + ", ".join(group.name for group in for_settings)
        + ". Nothing was chosen on the groups of this report. Makers "
        "are not kept apart: one has a kit on the settings' side and two here, and all notes come from one soundfont.",
        "- **Intervals** are 95 % percentile bootstraps over groups, of differences paired by group and seed.",
        "- **Drift** is the change of the base's error on its own held-out sounds, which take part in nothing else. "
        "What is rehearsed, and what the closed form remembers, are training sounds alone.",
        "- Groups smaller than N + 5 sounds are left out at that N.",
        "- **Time** is not measured here, where other things run beside: see `make bench ARGS='-k fewshot'`.",
        (
            f"- **Measured**: all {planned} cells planned (a group, N, a draw, one part)."
            if results.cells >= planned
            else f"- **Measured so far**: {results.cells} cells of {planned} (a group, N, a draw, one part), those "
            f"first that say most; `{COMMAND}` goes on where it stopped."
        )
        + " The last column of a table says over how many groups and draws; rows over fewer groups are not comparable "
        "with their neighbours.",
        "",
    ]


def _in_short(results: Results, classifier: Cells, count: int = 10) -> list[str]:
    lines = []
    for name in ("instant", "refined"):
        saved, groups = results.saved(name, "none", count)
        if not groups:
            continue
        together = np.array(
            [s for s, g in zip(saved, groups, strict=True) if results.foretold(count, g) >= MUCH]
        )
        upload_error = np.median(results.over(name, count, groups, "own"))
        drift = np.mean(results.over(name, count, groups, "drift"))
        lines.append(
            f"- **{name.capitalize()}**, {count} uploads: {percent(median(saved))} less error on other sounds (median "
            f"of {len(groups)} groups), {percent(median(together))} in the {len(together)} groups that belong "
            f"together; the uploads themselves come to {upload_error:.2f}, the base drifts by {drift:+.3f}."
        )
    worse = _worse_from_scratch(results, "refined", count)
    if len(worse):
        lines.append(f"- **From scratch** the error is {percent(median(worse))} higher than refined.")
    best = variants.best_geometric(results, count)
    if best is not None:
        lines.append(
            f"- **Geometry in training**: the best of paths, metrics and penalties, {best[0]}, comes to "
            f"{percent(best[2])} against {best[1]}."
        )
    over_plain = variants.gain(results, "refined", variants.PLAIN, count)
    if over_plain.n:
        field = variants.gain(results, variants.ALIKE_FIELD, variants.ALIKE, count)
        lines.append(
            f"- **Against plain adaptation with replay** (gradient steps, classic augmentation) refining saves "
            f"{percent(over_plain)}; residuals interpolated over the latent space alone {percent(field)}."
        )
    return ["## In short", "", *lines, *classified.in_short(classifier), ""] if lines else []


def _main(results: Results, count: int = 10) -> list[str]:
    lines = [
        f"## {count} uploads",
        "",
        "| | Phi error, median over groups | less than no adaptation, median | groups better | uploads themselves | "
        "drift | groups x draws |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in MAIN.items():
        groups = results.groups(name, "none", count=count)
        if not groups:
            continue
        saved, _ = results.saved(name, "none", count)
        errors = results.over(name, count, groups)
        lines.append(
            f"| {title} | {np.median(errors):.2f} | "
            + ("-" if name == "none" else percent(median(saved)))
            + f" | {'-' if name == 'none' else f'{int((saved > 0).sum())} of {len(saved)}'} | "
            f"{np.median(results.over(name, count, groups, 'own')):.2f} | "
            f"{np.mean(results.over(name, count, groups, 'drift')):+.3f} | "
            f"{len(groups)} x {results.draws(name, count)} |"
        )
    further, both = results.saved("refined", "instant", count)
    if len(both):
        lines += [
            "",
            f"On the {len(both)} groups where both were measured, refining saves {percent(average(further))} of what "
            f"instant adaptation leaves (mean; {int((further > 0).sum())} groups better).",
        ]
    return [*lines, "", "![by group](fewshot-groups.png)", "", *_against_scratch(results, count)]


def _worse_from_scratch(results: Results, name: str, count: int) -> np.ndarray:
    """How much more error training from scratch leaves than an adaptation, one number a group."""
    savings, _ = results.saved(name, "from scratch", count)
    return 1 / (1 - savings) - 1


def _against_scratch(results: Results, count: int) -> list[str]:
    lines = []
    for name in ("refined", "instant"):
        worse = _worse_from_scratch(results, name, count)
        if len(worse):
            lines.append(
                f"{percent(median(worse))} ({name}; higher in {int((worse > 0).sum())} of {len(worse)} groups)"
            )
    if not lines:
        return []
    return [
        "From scratch, on the uploads and their copies alone, the error on other sounds is higher than ours, in the "
        f"median by {', '.join(lines)}.",
        "",
    ]


def _by_kind(results: Results, count: int = 10) -> list[str]:
    lines = [
        "## By kind",
        "",
        f"What is known before adapting, from {count} uploads: *coherence*, the mean cosine between residuals of "
        "different uploads, and the gain *foretold* by leaving out one upload at a time. Groups with "
        f"{100 * MUCH:.0f} % or more foretold are those of which the user is told that the sounds belong together.",
        "",
        "| | groups | instant, less than none | refined, less than none |",
        "|---|---|---|---|",
    ]
    groups = results.groups("instant", "none", count=count)
    sets = {
        kind: [g for g in groups if results.kinds[g] == kind]
        for kind in dict.fromkeys(results.kinds.values())
    }
    sets[f"belong together (>= {100 * MUCH:.0f} % foretold)"] = [
        g for g in groups if results.foretold(count, g) >= MUCH
    ]
    sets["others"] = [g for g in groups if results.foretold(count, g) < MUCH]
    for title, members in sets.items():
        cells = []
        for name in ("instant", "refined"):
            saved, compared = results.saved(name, "none", count)
            cells.append(
                percent(median(np.array([s for s, g in zip(saved, compared, strict=True) if g in members])))
            )
        lines.append(f"| {title} | {len(members)} | {' | '.join(cells)} |")
    lines += ["", "| group | kind | coherence | foretold | none | instant | refined |", "|---" * 7 + "|"]
    for group in sorted(groups, key=lambda g: -results.foretold(count, g)):
        scores = [
            f"{results.mean(name, count, group):.2f}" if (name, count, group) in results.scores else "-"
            for name in ("none", "instant", "refined")
        ]
        lines.append(
            f"| {group} | {results.kinds[group]} | {results.coherence(count, group):.2f} | "
            f"{100 * results.foretold(count, group):+.0f} % | {' | '.join(scores)} |"
        )
    return [*lines, ""]


def _by_count(results: Results) -> list[str]:
    counts = results.counts("instant")
    lines = [
        "## By number of uploads",
        "",
        "Less Phi error than no adaptation, median over groups.",
        "",
        "| | " + " | ".join(f"N = {count}" for count in counts) + " |",
        "|---" * (len(counts) + 1) + "|",
    ]
    names = (
        "head, uploads alone",
        "head, classic augmentation",
        "head",
        "field, uploads alone",
        "field, pull-back distance",
        "instant",
        "refined",
        "two-layer ridge",
        "prototype",
    )
    for name in names:
        cells = []
        for count in counts:
            saved, groups = results.saved(name, "none", count)
            draws = results.draws(name, count, "none")
            cells.append(f"{percent(median(saved))} ({len(groups)} x {draws})" if groups else "-")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "In brackets: groups x draws. N = 20 leaves out the smallest groups.", ""]
    return [*lines, *_drift_and_upload_errors(results, counts)]


def _drift_and_upload_errors(results: Results, counts: Sequence[int]) -> list[str]:
    """What adapting costs, and what it does for the uploads, at every N."""
    lines = [
        "| | " + " | ".join(f"N = {count}" for count in counts) + " |",
        "|---" * (len(counts) + 1) + "|",
    ]
    for name in ("instant", "refined"):
        for column, title in (("own", "uploads themselves, median"), ("drift", "drift of the base, mean")):
            row = []
            for count in counts:
                values = results.over(name, count, results.groups(name, count=count), column)
                value = (np.median if column == "own" else np.mean)(values) if len(values) else None
                row.append("-" if value is None else f"{value:.2f}" if column == "own" else f"{value:+.3f}")
            lines.append(f"| {name}: {title} | " + " | ".join(row) + " |")
    return [*lines, ""]


def _forecast(results: Results, count: int = 10) -> list[str]:
    pairs = [
        (results.forecasts[key][1], gain)
        for key, gain in results.gains.items()
        if key[0] == count and results.forecasts[key][1] is not None
    ]
    coherences = [
        (results.forecasts[key][0], gain)
        for key, gain in results.gains.items()
        if key[0] == count and results.forecasts[key][0] is not None
    ]
    if len(pairs) < 3:
        return []
    predicted, measured = np.array(pairs, float).T
    coherent, came_too = np.array(coherences, float).T
    return [
        "## What the user is told before",
        "",
        f"The gain foretold from uploads left out, against the gain that came, over {len(pairs)} draws of {count} "
        f"uploads: correlation {np.corrcoef(predicted, measured)[0, 1]:.2f}, foretold less came "
        f"{100 * np.mean(predicted - measured):+.1f} points on average, "
        f"{100 * np.mean(np.abs(predicted - measured)):.1f} apart. "
        f"Coherence alone correlates {np.corrcoef(coherent, came_too)[0, 1]:.2f}.",
        "",
    ]


def _heard(rendered: dict[str, Any] | None) -> list[str]:
    if not rendered:
        return []
    groups = rendered["groups"]
    lines = [
        "## Rendered",
        "",
        f"The same in rendered sound, {rendered['sounds']} other sounds of each of {len(groups)} groups, 10 uploads, "
        "one draw: Phi error of the rendering against the recording, both analysed as recordings are.",
        "",
        "| | Phi error, rendered, median | less than none, median | groups better |",
        "|---|---|---|---|",
    ]
    none = np.array([group["none"] for group in groups])
    for name in ("none", "instant", "refined"):
        values = np.array([group[name] for group in groups])
        saved = 1 - values / none
        cells = (
            ("-", "-") if name == "none" else (percent(median(saved)), f"{(saved > 0).sum()} of {len(saved)}")
        )
        lines.append(f"| {name} | {np.median(values):.2f} | {' | '.join(cells)} |")
    return [*lines, ""]


# -- plots ----------------------------------------------------------------------------------------


def _plot_groups(results: Results, path: Path, count: int = 10) -> None:
    groups = sorted(results.groups("instant", "none", count=count), key=lambda g: results.foretold(count, g))
    picture, axes = figure(7.5, 0.28 * len(groups) + 1.2)
    heights = np.arange(len(groups))
    for name, colour, shift in (("instant", "#e2725b", 0.18), ("refined", "#3d6fb6", -0.18)):
        saved, compared = results.saved(name, "none", count)
        by = dict(zip(compared, saved, strict=True))
        axes.barh(heights + shift, [100 * by.get(g, 0) for g in groups], 0.34, color=colour, label=name)
    axes.set_yticks(
        heights, [f"{g}  ({100 * results.foretold(count, g):+.0f} %)" for g in groups], fontsize=7
    )
    axes.set_xlabel(f"less Phi error on other sounds than without adaptation, %; {count} uploads")
    axes.set_ylabel("group (gain foretold)")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.legend(loc="lower right")
    save(picture, path)


# -- figures --------------------------------------------------------------------------------------


def _record(results: Results, count: int = 10) -> None:
    """Beside their bars, for `make measures`."""
    for name, bar in (("instant", ">= 8"), ("refined", ">= 12")):
        saved, groups = results.saved(name, "none", count)
        if not len(groups):
            continue
        gain = median(saved)
        title = f"few-shot, {count} uploads: Phi error saved on other sounds, {name}"
        record(title, 100 * gain.mean, "%", bar, gain.n, COMMAND, "fewshot")
        together = [s for s, g in zip(saved, groups, strict=True) if results.foretold(count, g) >= MUCH]
        if together:
            record(
                f"{title}, groups that belong together",
                100 * float(np.median(together)),
                "%",
                ">= 20",
                len(together),
                COMMAND,
                "fewshot",
            )
        drift = float(results.over(name, count, groups, "drift").mean())
        record(
            f"few-shot: drift of the base, {name}", drift, "Phi", "<= 0.06", len(groups), COMMAND, "fewshot"
        )
    groups = results.groups("refined", count=count)
    if groups:
        upload_error = float(np.median(results.over("refined", count, groups, "own")))
        record(
            "few-shot: uploads themselves, refined",
            upload_error,
            "Phi",
            "<= 1.0",
            len(groups),
            COMMAND,
            "fewshot",
        )
    worse = _worse_from_scratch(results, "refined", count)
    if len(worse):
        value = 100 * float(np.median(worse))
        record(
            "few-shot: from scratch, worse than refined", value, "%", ">= 40", len(worse), COMMAND, "fewshot"
        )
    best = variants.best_geometric(results, count)
    if best is not None:
        title = "few-shot: best variant with paths, metrics or penalties over its plain counterpart"
        record(title, 100 * best[2].mean, "%", ">= 10", best[2].n, COMMAND, "fewshot")
    for name in ("instant", "refined"):
        estimate = variants.gain(results, name, variants.PLAIN, count)
        if estimate.n:
            title = f"few-shot: {name} (residuals interpolated over the latent space) over plain adaptation with replay"
            record(title, 100 * estimate.mean, "%", ">= 10", estimate.n, COMMAND, "fewshot")
