"""docs/fewshot.md: the tables and plots of whatever has been measured, whatever they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonifold.adapt.forecast import MUCH
from sonifold.evaluate.fewshot import classify, run
from sonifold.evaluate.fewshot.groups import Group
from sonifold.evaluate.intervals import RESAMPLES, Estimate
from sonifold.evaluate.measures import record

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
HEAD = (
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
)
FIELD = (
    "field, pull-back distance",
    "field, wide scales",
    "field, uploads alone",
    "field, classic augmentation",
)
GRADIENT = (
    "refined, cross-fade",
    "refined, geodesic",
    "refined, metric",
    "refined, isometry",
    "refined, encoder too, distillation",
    "refined, geodesic + isometry + distillation",
    "refined, no replay",
)
#: Families of variants: the plain adaptation they are held against, the cross-fade among them, and their names.
FAMILIES = (
    ("head", "head + cross-fade", HEAD, "head in closed form"),
    ("instant", "field, wide scales", FIELD, "residuals interpolated over z"),
    ("refined, plain", "refined, cross-fade", GRADIENT, "gradient"),
)
#: What geometry has a part in; the rest are controls.
GEOMETRIC = tuple(
    name
    for name in (*HEAD, *FIELD, *GRADIENT)
    if any(word in name for word in ("linear", "geodesic", "metric", "isometry", "distillation", "pull-back"))
)
Cells = list[dict[str, Any]]


class Results:
    """Scores by arm, number of uploads and group, seeds averaged."""

    def __init__(self, cells: Iterable[dict[str, Any]]):
        found: dict[tuple[str, int, str], list[dict[str, float]]] = defaultdict(list)
        self.kinds: dict[str, str] = {}
        self.told: dict[tuple[int, str, int], tuple[float | None, float | None]] = {}
        self.gains: dict[tuple[int, str, int], float] = {}
        self.cells = 0
        for cell in cells:
            self.cells += 1
            self.kinds[cell["group"]] = cell["kind"]
            key = cell["count"], cell["group"], cell["seed"]
            self.told[key] = cell["coherence"], cell["expected"]
            for name, score in cell["arms"].items():
                found[name, cell["count"], cell["group"]].append(score | {"seed": cell["seed"]})
            if cell["part"] == "closed":
                arms = cell["arms"]
                self.gains[key] = 1 - arms["instant"]["others"] / arms["none"]["others"]
        self.found = found

    def groups(self, *names: str, count: int) -> list[str]:
        """Groups for which all these arms were measured."""
        return sorted(
            group for group in self.kinds if all((name, count, group) in self.found for name in names)
        )

    def mean(self, name: str, count: int, group: str, what: str = "others", like: str | None = None) -> float:
        """Over seeds; only those that ``like`` was measured with as well, so that pairs are pairs."""
        rows = self.found[name, count, group]
        if like is not None:
            seeds = {row["seed"] for row in self.found[like, count, group]}
            rows = [row for row in rows if row["seed"] in seeds]
        return float(np.mean([row[what] for row in rows]))

    def over(
        self, name: str, count: int, groups: Sequence[str], what: str = "others", like: str | None = None
    ) -> np.ndarray:
        """One number a group."""
        return np.array([self.mean(name, count, group, what, like) for group in groups])

    def saved(self, name: str, than: str, count: int) -> tuple[np.ndarray, list[str]]:
        """Share of the error of ``than`` that ``name`` saves, for each group, seed by seed paired."""
        groups = self.groups(name, than, count=count)
        ours = self.over(name, count, groups, like=than)
        theirs = self.over(than, count, groups, like=name)
        return 1 - ours / theirs, groups

    def known(self, count: int, group: str, which: int) -> float:
        """Mean over seeds of what was known before adapting: coherence (0) or the gain foretold (1)."""
        found = [told[which] for (n, g, _), told in self.told.items() if (n, g) == (count, group)]
        return float(np.mean([told for told in found if told is not None]))

    def coherence(self, count: int, group: str) -> float:
        """Mean cosine between residuals of different uploads."""
        return self.known(count, group, 0)

    def foretold(self, count: int, group: str) -> float:
        """Share of the error that was expected to be saved."""
        return self.known(count, group, 1)

    def seeds(self, name: str, count: int) -> int:
        """The fewest of any group."""
        return min(len(self.found[name, count, group]) for group in self.groups(name, count=count))


def median(values: np.ndarray, seed: int = 0) -> Estimate:
    """Median over groups with its percentile-bootstrap interval."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draw = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(np.median(values[draw], 1), [0.025, 0.975])
    return Estimate(float(np.median(values)), float(low), float(high), len(values))


def average(values: np.ndarray, seed: int = 0) -> Estimate:
    """Mean over groups with its percentile-bootstrap interval."""
    draw = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draw].mean(1), [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def write(
    cells: Cells, classified: Cells, groups: Sequence[Group], heard: dict[str, Any] | None, docs: Path
) -> Path:
    """The page and its plots; returns the page."""
    results = Results(cell for cell in cells if cell["side"] == "report")
    lines = [
        *_opening(results, groups),
        *_main(results),
        *_by_kind(results),
        *_by_count(results),
        *_geometry(results),
        *_forecast(results),
        *_classifier(classified),
        *_heard(heard),
    ]
    docs.mkdir(parents=True, exist_ok=True)
    _plot_groups(results, docs / "fewshot-groups.png")
    _plot_variants(results, docs / "fewshot-variants.png")
    if classified:
        _plot_classifier(classified, docs / "fewshot-classifier.png")
    page = docs / "fewshot.md"
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    _record(results)
    return page


def percent(estimate: Estimate) -> str:
    """As a table shows it."""
    if not estimate.n:
        return "-"
    return f"{100 * estimate.mean:+.1f} % [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


# -- sections -------------------------------------------------------------------------------------


def _opening(results: Results, groups: Sequence[Group]) -> list[str]:
    planned = run.planned(groups)
    ours = [group for group in groups if group.side == "report"]
    theirs = [group for group in groups if group.side == "settings"]
    kinds = {kind: sum(group.kind == kind for group in ours) for kind in dict.fromkeys(g.kind for g in ours)}
    return [
        "# Few-shot adaptation: what was measured",
        "",
        f"Written by `{COMMAND}`. A pack is given N sounds of a group that it never saw, and is judged by *other* "
        "sounds of that group: the Phi error of their decodings, from refined latent points, without residuals, in the "
        "domain of features (no rendering).",
        "",
        f"- **Groups.** {len(ours)} for this report: "
        + ", ".join(f"{count} of kind {kind}" for kind, count in kinds.items())
        + ". Foreign kits (never trained on, never shipped), held-out kits and programs, and General MIDI programs "
        "that the base has no note of, rendered from a soundfont; sounds within 3 dB of a training sound are left out.",
        f"- **Settings** (copies, amounts, budget, steps, rates) were chosen on {len(theirs)} other groups: "
        + ", ".join(group.name for group in theirs)
        + ". Nothing was chosen on the groups of this report. Makers "
        "are not kept apart: one has a kit on the settings' side and two here, and all notes come from one soundfont.",
        "- **Intervals** are 95 % percentile bootstraps over groups, of differences paired by group and seed.",
        "- **Drift** is the change of the base's error on its own held-out sounds, which take part in nothing else. "
        "What is rehearsed, and what the closed form remembers, are training sounds alone.",
        "- Groups smaller than N + 5 sounds are left out at that N.",
        f"- **Measured so far**: {results.cells} cells of {planned} (a group, N, a draw, one part), those first "
        f"that say most; `{COMMAND}` goes on where it stopped. Rows over fewer groups are not comparable with their "
        "neighbours.",
        "",
    ]


def _main(results: Results, count: int = 10) -> list[str]:
    lines = [
        f"## {count} uploads",
        "",
        "| | Phi error, median over groups | less than no adaptation, median | groups better | uploads themselves | "
        "drift | seconds | groups x seeds |",
        "|---|---|---|---|---|---|---|---|",
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
            f"{np.median(results.over(name, count, groups, 'seconds')):.2f} | "
            f"{len(groups)} x {results.seeds(name, count)} |"
        )
    further, both = results.saved("refined", "instant", count)
    if len(both):
        lines += [
            "",
            f"On the {len(both)} groups where both were measured, refining saves {percent(average(further))} of what "
            f"instant adaptation leaves (mean; {int((further > 0).sum())} groups better).",
        ]
    return [*lines, "", "![by group](fewshot-groups.png)", "", *_against_scratch(results, count)]


def _against_scratch(results: Results, count: int) -> list[str]:
    groups = results.groups("from scratch", "refined", count=count)
    if not groups:
        return []
    worse = (
        results.over("from scratch", count, groups)
        / results.over("refined", count, groups, like="from scratch")
        - 1
    )
    return [
        f"From scratch, on the uploads and their copies alone, the error is {percent(median(worse))} of ours "
        "higher (median).",
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
    for title, chosen in sets.items():
        cells = []
        for name in ("instant", "refined"):
            saved, known = results.saved(name, "none", count)
            cells.append(
                percent(median(np.array([s for s, g in zip(saved, known, strict=True) if g in chosen])))
            )
        lines.append(f"| {title} | {len(chosen)} | {' | '.join(cells)} |")
    lines += ["", "| group | kind | coherence | foretold | none | instant | refined |", "|---" * 7 + "|"]
    for group in sorted(groups, key=lambda g: -results.foretold(count, g)):
        scores = [
            f"{results.mean(name, count, group):.2f}" if (name, count, group) in results.found else "-"
            for name in ("none", "instant", "refined")
        ]
        lines.append(
            f"| {group} | {results.kinds[group]} | {results.coherence(count, group):.2f} | "
            f"{100 * results.foretold(count, group):+.0f} % | {' | '.join(scores)} |"
        )
    return [*lines, ""]


def _by_count(results: Results) -> list[str]:
    counts = sorted({count for _, count, _ in results.found})
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
            cells.append(f"{percent(median(saved))} ({len(groups)})" if len(groups) else "-")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, "", "In brackets: groups. N = 20 leaves out the smallest.", ""]


def _geometry(results: Results, count: int = 10) -> list[str]:
    lines = [
        "## Does geometry in training help?",
        "",
        f"{count} uploads. *Gain*: share of the plain adaptation's error on other sounds that the variant saves (mean "
        "over groups; minus: it is worse). Synthetic sounds lie on the way between every two uploads, and between "
        "each upload and its two nearest library sounds, residuals carried along; a quarter of the copies' weight is "
        "theirs. The control is the cross-fade, which knows nothing of the latent space; for interpolated "
        "residuals it is the same interpolation by Euclidean distance (eight copies, wide scales), which the pull-back "
        "distance must beat.",
        "",
        "| variant | gain over plain | gain over the control | groups better than plain | drift | groups x seeds |",
        "|---|---|---|---|---|---|",
    ]
    for plain, control, names, title in FAMILIES:
        if not results.groups(plain, count=count):
            continue
        lines.append(f"| *{title}* | *against {plain}* | | | | |")
        for name in names:
            saved, groups = results.saved(name, plain, count)
            if not len(groups):
                continue
            against = "-"
            if control and name != control and results.groups(name, control, count=count):
                against = percent(average(results.saved(name, control, count)[0]))
            mark = " (geometry)" if name in GEOMETRIC else ""
            lines.append(
                f"| {name}{mark} | {percent(average(saved))} | {against} | {int((saved > 0).sum())} of {len(saved)} | "
                f"{np.mean(results.over(name, count, groups, 'drift')):+.3f} | {len(groups)} x "
                f"{results.seeds(name, count)} |"
            )
    return [*lines, "", "![variants](fewshot-variants.png)", "", *_verdict(results, count)]


def best_geometric(results: Results, count: int = 10) -> tuple[str, Estimate] | None:
    """The geometric variant with the largest mean gain over its plain counterpart."""
    found = []
    for plain, _, names, _ in FAMILIES:
        for name in names:
            saved, groups = results.saved(name, plain, count)
            if name in GEOMETRIC and len(groups):
                found.append((name, average(saved)))
    return max(found, key=lambda pair: pair[1].mean) if found else None


def _verdict(results: Results, count: int) -> list[str]:
    best = best_geometric(results, count)
    if best is None:
        return []
    name, gain = best
    if gain.mean >= 0.1 and gain.low > 0:
        said = f"**{name}** is better than plain adaptation by {percent(gain)}."
    elif gain.low > 0:
        said = (
            f"No. The best geometric variant, {name}, is better than plain adaptation by {percent(gain)}: more than "
            "chance, and far from the 10 % that was hoped for."
        )
    elif gain.high > 0:
        said = (
            f"No. The best geometric variant, {name}, comes to {percent(gain)} against plain adaptation: nothing that "
            "could be told from chance."
        )
    else:
        said = (
            f"No. Even the best geometric variant, {name}, is worse than plain adaptation: {percent(gain)}, since its "
            "synthetic sounds take the place of copies."
        )
    copies, _ = results.saved("head", "head, uploads alone", count)
    between, _ = results.saved("head, uploads + geodesic, no copies", "head, uploads alone", count)
    lines = [said, ""]
    if len(copies) and len(between):
        lines += [
            "Where the limit lies: what helps is to know a change that keeps the group and leaves the uploads - a "
            f"transposition: copies in other keys save {percent(average(copies))} of the error of the uploads alone. "
            "Places between the uploads, on geodesics or not, say nothing that the uploads do not say: a path's "
            "decodings come from the base, and its residuals are blends of residuals that are there already, so the "
            f"fit is asked for what it gives anyway (geodesics instead of copies: {percent(average(between))}).",
            "",
        ]
    local, _ = results.saved("instant", "head", count)
    if len(local):
        lines += [
            "What of the latent space does help is that it is a place: residuals interpolated over z (instant) save "
            f"{percent(average(local))} of the error that the update of the head, which knows no places, leaves. "
            "Euclidean distance does for that; the pull-back distance orders the uploads no better.",
            "",
        ]
    return lines


def _forecast(results: Results, count: int = 10) -> list[str]:
    pairs = [
        (results.told[key][1], gain)
        for key, gain in results.gains.items()
        if key[0] == count and results.told[key][1] is not None
    ]
    coherences = [
        (results.told[key][0], gain)
        for key, gain in results.gains.items()
        if key[0] == count and results.told[key][0] is not None
    ]
    if len(pairs) < 3:
        return []
    told, came = np.array(pairs, float).T
    coherent, came_too = np.array(coherences, float).T
    return [
        "## What the user is told before",
        "",
        f"The gain foretold from uploads left out, against the gain that came, over {len(pairs)} draws of {count} "
        f"uploads: correlation {np.corrcoef(told, came)[0, 1]:.2f}, foretold less came "
        f"{100 * np.mean(told - came):+.1f} points on average, {100 * np.mean(np.abs(told - came)):.1f} apart. "
        f"Coherence alone correlates {np.corrcoef(coherent, came_too)[0, 1]:.2f}.",
        "",
    ]


def _classifier(cells: Cells) -> list[str]:
    if not cells:
        return []
    lines = [
        "## Geometry for a classifier",
        "",
        f"Classes {', '.join(classify.CLASSES)}; N real sounds of each from foreign kits, {classify.SYNTHETIC} "
        f"synthetic ones of each added. Weak: the nearest sound to the ear, nothing tuned. Tuned: kernel ridge, "
        f"settings by cross-validation on the real sounds. Balanced accuracy on {classify.TEST} real sounds of each "
        f"class from the foreign kits, and elsewhere: {classify.ELSEWHERE} of each from the base's library (other "
        f"makers; the base was trained on most of them, the classifier on none). Mean of {_draws(cells)} draws; in "
        "brackets the 95 % interval of the paired difference to real only, in points.",
        "",
    ]
    for classifier in ("weak", "tuned"):
        for test in ("test", "elsewhere"):
            lines += [
                f"**{classifier.capitalize()}, {'fixed test set' if test == 'test' else 'elsewhere'}**",
                "",
                "| | " + " | ".join(f"N = {count}" for count in classify.COUNTS) + " |",
                "|---" * (len(classify.COUNTS) + 1) + "|",
            ]
            for name in classify.ARMS:
                row = [_accuracy(cells, name, f"{classifier}, {test}", count) for count in classify.COUNTS]
                lines.append(f"| {name} | " + " | ".join(row) + " |")
            lines.append("")
    return [*lines, "![classifier](fewshot-classifier.png)", ""]


def _draws(cells: Cells) -> int:
    return min(sum(cell["count"] == count for cell in cells) for count in classify.COUNTS)


def _accuracy(cells: Cells, name: str, what: str, count: int) -> str:
    chosen = [cell["arms"] for cell in cells if cell["count"] == count]
    if not chosen:
        return "-"
    values = np.array([arms[name][what] for arms in chosen])
    if name == "real only":
        return f"{100 * values.mean():.1f}"
    gain = average(values - np.array([arms["real only"][what] for arms in chosen]))
    return f"{100 * values.mean():.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"


def _heard(heard: dict[str, Any] | None) -> list[str]:
    if not heard:
        return []
    groups = heard["groups"]
    lines = [
        "## Rendered",
        "",
        f"The same in rendered sound, {heard['sounds']} other sounds of each of {len(groups)} groups, 10 uploads, one "
        "draw: median Phi error of the rendering against the recording.",
        "",
        "| | Phi error, rendered | less than none |",
        "|---|---|---|",
    ]
    none = np.array([group["none"] for group in groups])
    for name in ("none", "instant", "refined"):
        values = np.array([group[name] for group in groups])
        saved = "-" if name == "none" else percent(median(1 - values / none))
        lines.append(f"| {name} | {np.median(values):.2f} | {saved} |")
    return [*lines, ""]


# -- plots ----------------------------------------------------------------------------------------


def _figure(width: float, height: float):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), dpi=110, layout="constrained")


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    figure.savefig(path)
    pyplot.close(figure)


def _plot_groups(results: Results, path: Path, count: int = 10) -> None:
    groups = sorted(results.groups("instant", "none", count=count), key=lambda g: results.foretold(count, g))
    figure, axes = _figure(7.5, 0.28 * len(groups) + 1.2)
    places = np.arange(len(groups))
    for name, colour, shift in (("instant", "#e2725b", 0.18), ("refined", "#3d6fb6", -0.18)):
        saved, known = results.saved(name, "none", count)
        by = dict(zip(known, saved, strict=True))
        axes.barh(places + shift, [100 * by.get(g, 0) for g in groups], 0.34, color=colour, label=name)
    axes.set_yticks(places, [f"{g}  ({100 * results.foretold(count, g):+.0f} %)" for g in groups], fontsize=7)
    axes.set_xlabel(f"less Phi error on other sounds than without adaptation, %; {count} uploads")
    axes.set_ylabel("group (gain foretold)")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.legend(loc="lower right")
    _save(figure, path)


def _plot_variants(results: Results, path: Path, count: int = 10) -> None:
    rows = []
    for plain, _, names, _ in FAMILIES:
        for name in names:
            saved, groups = results.saved(name, plain, count)
            if len(groups):
                rows.append((name, average(saved)))
    if not rows:
        return
    figure, axes = _figure(7.5, 0.26 * len(rows) + 1.2)
    for place, (name, gain) in enumerate(reversed(rows)):
        colour = "#3d6fb6" if name in GEOMETRIC else "#888888"
        axes.plot([100 * gain.low, 100 * gain.high], [place, place], color=colour, linewidth=2)
        axes.plot(100 * gain.mean, place, "o", color=colour, markersize=4)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)], fontsize=7)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.axvline(10, color="#2a9d4a", linewidth=0.8, linestyle="--")
    axes.set_xlabel(
        "gain over plain adaptation, % (blue: geometry; dashed: the aim); 95 % intervals over groups"
    )
    _save(figure, path)


def _plot_classifier(cells: Cells, path: Path) -> None:
    figure, axes = _figure(7.5, 4.2)
    for name in classify.ARMS:
        values = [
            100 * np.mean([cell["arms"][name]["tuned, test"] for cell in cells if cell["count"] == count])
            for count in classify.COUNTS
        ]
        axes.plot(classify.COUNTS, values, "o-", markersize=3, linewidth=1, label=name)
    axes.set_xscale("log")
    axes.set_xticks(classify.COUNTS, [str(count) for count in classify.COUNTS])
    axes.set_xlabel("real sounds of each class")
    axes.set_ylabel("balanced accuracy, %, tuned classifier, fixed test set")
    axes.legend(fontsize=7)
    _save(figure, path)


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
        own = float(np.median(results.over("refined", count, groups, "own")))
        record("few-shot: uploads themselves, refined", own, "Phi", "<= 1.0", len(groups), COMMAND, "fewshot")
    groups = results.groups("from scratch", "refined", count=count)
    if groups:
        worse = (
            results.over("from scratch", count, groups)
            / results.over("refined", count, groups, like="from scratch")
            - 1
        )
        value = 100 * float(np.median(worse))
        record(
            "few-shot: from scratch, worse than refined", value, "%", ">= 40", len(groups), COMMAND, "fewshot"
        )
    best = best_geometric(results, count)
    if best is not None:
        title = "few-shot: best geometric variant over plain adaptation"
        record(title, 100 * best[1].mean, "%", ">= 10", best[1].n, COMMAND, "fewshot")
