"""The classifier's part of the page: tables, what they say, and the plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sonifold.intervals import Estimate
from sonifold_research.fewshot import classify, making, nearness
from sonifold_research.fewshot.figures import panels, save
from sonifold_research.fewshot.results import Cells, average, said

TEST_TITLES = {"test": "fixed test set", "elsewhere": "other makers"}
REAL = "real only"
COLUMNS = [f"{kind}, {test}" for kind in ("weak", "tuned") for test in classify.TESTS]


def section(cells: Cells, rendered: dict[str, Any] | None) -> list[str]:
    """The protocol, its four tables, the nearest sounds, and one cell in rendered sound."""
    augmented = [cell for cell in cells if "arms" in cell]
    if not augmented:
        return []
    draws = min(sum(cell["count"] == count for cell in augmented) for count in classify.COUNTS)
    lines = [
        "## Geometry for a classifier",
        "",
        "The protocol of Chadebec et al. (TPAMI 2022) on sounds. Classes "
        f"{', '.join(classify.CLASSES)}; N real sounds of each from foreign kits, "
        f"{making.SYNTHETIC} synthetic ones of each added (classic augmentation: ten of each "
        "sound, at most as many). No generator has seen more of a class than these N sounds: those in the latent space "
        "use the pack as it is, the latent points of the N sounds, and carry their residuals along; *VAE of the class "
        "alone* is trained on the N sounds and nothing else, as published (its metric is that of its posteriors, not "
        "a learned one). Weak: the nearest sound by ear. Tuned: "
        "kernel ridge, scale and ridge by cross-validation on the real sounds. Both in Phi, by features. Balanced "
        f"accuracy on {classify.TEST} real sounds of each class from the same foreign kits, and on the sounds of these "
        "classes that the base was never trained on, all by other makers. Mean of "
        f"{draws} draws; in brackets the 95 % interval over draws of the paired difference to real only, in points.",
        "",
    ]
    for column in COLUMNS:
        kind, test = column.split(", ")
        lines += [
            f"**{kind.capitalize()}, {TEST_TITLES[test]}**",
            "",
            "| | " + " | ".join(f"N = {count}" for count in classify.COUNTS) + " |",
            "|---" * (len(classify.COUNTS) + 1) + "|",
        ]
        for name in making.WAYS:
            row = [_accuracy(augmented, name, column, count) for count in classify.COUNTS]
            lines.append(f"| {name} | " + " | ".join(row) + " |")
        lines.append("")
    return [
        *lines,
        "![classifier](fewshot-classifier.png)",
        "",
        *_verdict(augmented),
        *_why(augmented),
        *_nearest([cell for cell in cells if "nearest" in cell]),
        *_rendered(rendered),
    ]


def in_short(cells: Cells) -> list[str]:
    """What geodesics are worth to a classifier, in a line."""
    augmented = [cell for cell in cells if "arms" in cell]
    if not augmented:
        return []
    gains = ", ".join(
        f"{points(difference(augmented, 'geodesic', 'linear interpolation', column))} ({column.split(', ')[0]}, "
        f"{TEST_TITLES[column.split(', ')[1]]})"
        for column in COLUMNS
    )
    return [
        "- **A classifier** trained on synthetic sounds on geodesics instead of straight lines gains, in points of "
        f"balanced accuracy: {gains}."
    ]


def difference(cells: Cells, name: str, than: str, column: str, count: int | None = None) -> Estimate:
    """Paired difference of balanced accuracies over cells, one N or all."""
    chosen_arms = [cell["arms"] for cell in cells if count in (None, cell["count"])]
    return average(np.array([arms[name][column] - arms[than][column] for arms in chosen_arms]))


def points(estimate: Estimate) -> str:
    """As a table shows it."""
    return f"{100 * estimate.mean:+.1f} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def _accuracy(cells: Cells, name: str, column: str, count: int) -> str:
    values = [cell["arms"][name][column] for cell in cells if cell["count"] == count]
    if not values:
        return "-"
    mean = f"{100 * np.mean(values):.1f}"
    if name == REAL:
        return mean
    gain = difference(cells, name, REAL, column, count)
    return f"{mean} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"


def _verdict(cells: Cells) -> list[str]:
    lines = ["Over all N together, in points:", ""]
    for column in COLUMNS:
        kind, test = column.split(", ")
        gains = {name: difference(cells, name, REAL, column) for name in making.WAYS if name != REAL}
        better = sorted((n for n in gains if gains[n].low > 0), key=lambda n: -gains[n].mean)
        worse = sorted((n for n in gains if gains[n].high < 0), key=lambda n: gains[n].mean)
        lines.append(
            f"- {kind}, {TEST_TITLES[test]}: better than real only: "
            + (", ".join(f"{name} {points(gains[name])}" for name in better) or "nothing")
            + "; worse: "
            + (", ".join(f"{name} {points(gains[name])}" for name in worse) or "nothing")
            + f". Geodesic against linear interpolation: "
            f"{points(difference(cells, 'geodesic', 'linear interpolation', column))}, against the cross-fade: "
            f"{points(difference(cells, 'geodesic', 'cross-fade', column))}; metric volume by HMC against the Gaussian "
            f"mixture: {points(difference(cells, 'metric volume, HMC', 'Gaussian mixture', column))}."
        )
    return [*lines, ""]


def _why(cells: Cells) -> list[str]:
    """The pack's metric keeps to the base's library; what of the gain is that, and what is the path?"""
    column = "weak, elsewhere"
    whole = difference(cells, "geodesic", "linear interpolation", column)
    if whole.low <= 0:
        return []
    bare = difference(cells, "geodesic, pull-back alone", "linear interpolation", column)
    faded = difference(cells, "cross-fade with the library", "linear interpolation", column)
    return [
        f"Where geodesics help, with the weak classifier on other makers ({points(whole)} over straight lines): on "
        f"geodesics of the decoder's metric alone, which knows of no sounds, it is {points(bare)}; cross-fades with "
        f"the nearest sounds of the base's library, without any geometry, come to {points(faded)}. "
        + said(
            difference(cells, "geodesic", "cross-fade with the library", column),
            "So it is not the library's sounds alone: the path among them counts.",
            "So the path cannot be told from the library's sounds as such.",
            "So the library's sounds as such do more than the path.",
        )
        + " These makers are among those of the library, which the generator has seen without labels.",
        "",
    ]


def _nearest(cells: Cells) -> list[str]:
    if not cells:
        return []
    lines = [
        "**The nearest sound, by which distance?** Nothing is made; the class of the nearest of the N real sounds. By "
        "ear: Phi of the recordings. Latent: Euclidean. Pull-back: the straight line's length under the decoder's "
        "metric. Geodesic: the geodesic's length under the pack's metric. Through: the shortest way over the base's "
        "library by ear, each step squared. Balanced accuracy, mean of draws; in brackets the interval of the paired "
        "difference to Euclidean distance, in points.",
        "",
    ]
    for test in classify.TESTS:
        lines += [
            f"| {TEST_TITLES[test]} | "
            + " | ".join(f"N = {count}" for count in classify.COUNTS)
            + " | all N |",
            "|---" * (len(classify.COUNTS) + 2) + "|",
        ]
        for name in nearness.NAMES:
            row = []
            for count in (*classify.COUNTS, None):
                accuracies = [cell["nearest"] for cell in cells if count in (None, cell["count"])]
                values = np.array([accuracy[name][test] for accuracy in accuracies])
                plain = np.array([accuracy["latent"][test] for accuracy in accuracies])
                apart = average(values - plain)
                interval = "" if name == "latent" else f" [{100 * apart.low:+.1f}, {100 * apart.high:+.1f}]"
                row.append(f"{100 * values.mean():.1f}{interval}")
            lines.append(f"| {name} | " + " | ".join(row) + " |")
        lines.append("")
    sentences = []
    for test in classify.TESTS:
        both = average(
            np.array([cell["nearest"]["geodesic"][test] - cell["nearest"]["latent"][test] for cell in cells])
        )
        sentences.append(
            f"{TEST_TITLES[test]}: the geodesic is "
            + said(
                both,
                f"better than the straight distance in latent space by {points(both)} points",
                f"as good as the straight distance in latent space ({points(both)} points)",
                f"worse than the straight distance in latent space by {points(both)} points",
            )
        )
    return [*lines, "; ".join(sentences).capitalize() + ".", ""]


def _rendered(rendered: dict[str, Any] | None) -> list[str]:
    if rendered is None:
        return []
    lines = [
        "**Rendered.** Cells with every synthetic sound rendered and the real ones as recorded, against the same by "
        "features: balanced accuracy by features -> rendered.",
        "",
        "| | " + " | ".join(f"{c.split(', ')[0]}, {TEST_TITLES[c.split(', ')[1]]}" for c in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    changes = []
    for cell in rendered["cells"]:
        plain = cell["ways"][REAL]
        for name, both in cell["ways"].items():
            row = [f"{100 * both['features'][c]:.1f} -> {100 * both['rendered'][c]:.1f}" for c in COLUMNS]
            lines.append(f"| N = {cell['count']}, draw {cell['seed']}: {name} | " + " | ".join(row) + " |")
            if name != REAL:
                changes += [
                    abs(
                        (both["rendered"][c] - plain["rendered"][c])
                        - (both["features"][c] - plain["features"][c])
                    )
                    for c in COLUMNS
                ]
    return [
        *lines,
        "",
        f"What an arm gains over real only changes by {100 * float(np.mean(changes)):.1f} points on average when "
        f"everything is rendered, {100 * max(changes):.1f} at most; one draw each, so part of that is chance.",
        "",
    ]


def plot(cells: Cells, path: Path) -> None:
    """Both classifiers on both test sets."""
    augmented = [cell for cell in cells if "arms" in cell]
    if not augmented:
        return
    picture, all_axes = panels(2, 2, 10, 8.4)
    colours = _colours()
    for axes, column in zip(all_axes, COLUMNS, strict=True):
        for number, name in enumerate(making.WAYS):
            values = [
                100 * np.mean([cell["arms"][name][column] for cell in augmented if cell["count"] == count])
                for count in classify.COUNTS
            ]
            width = 2.4 if name in (REAL, "geodesic") else 1.0
            axes.plot(
                classify.COUNTS,
                values,
                "o-",
                color=colours[number],
                markersize=3,
                linewidth=width,
                label=name,
            )
        axes.set_xscale("log")
        axes.set_xticks(classify.COUNTS, [str(count) for count in classify.COUNTS])
        axes.minorticks_off()
        axes.set_xlabel("real sounds of each class", fontsize=8)
        kind, test = column.split(", ")
        axes.set_ylabel(f"balanced accuracy, %, {kind}, {TEST_TITLES[test]}", fontsize=8)
    all_axes[0].legend(fontsize=6)
    save(picture, path)


def _colours() -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["tab20"](number) for number in range(len(making.WAYS))]
