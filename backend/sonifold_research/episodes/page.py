"""docs/fewshot-episodes.md and its figure, written from whatever was measured."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from sonifold.files import copied
from sonifold.intervals import Estimate, bootstrap
from sonifold_research.episodes.distances import AUDIO, EUCLIDEAN, LENGTHS
from sonifold_research.episodes.draw import COUNTS, PROTOCOLS, WAYS
from sonifold_research.episodes.rules import RULES
from sonifold_research.episodes.sounds import ForeignSounds
from sonifold_research.fewshot import figures

PAGE, FIGURE, SUMMARY = "fewshot-episodes.md", "fewshot-episodes.png", "## In five lines"
#: The distance that was best on families of the library, before anything was measured on foreign groups.
CHOSEN = "decoded Phi, modulo"
CANDIDATES = ("decoded Phi", "Euclidean latent, modulo", CHOSEN, *LENGTHS)
LINES = {"families": (1, 3, 5), "instruments": (1, 5)}
INTRODUCTION = (
    "Written by `sonifold reproduce fewshot-episodes --docs docs`. {sounds} sounds of {count} foreign groups, on which "
    "nothing was trained and nothing chosen: {groups}. Sounds within 3 dB of a training sound are left out. An episode "
    "has 3 or 5 classes, N sounds of each, and five queries of each class, and classifies by the nearest sound where "
    "nothing else is named."
)
WHERE = (
    "Recognising a sound by the nearest of a few (5-way episodes on foreign groups): distances modulo transposition "
    "help, most where classes are instruments; so does Phi of the audio modulo transposition, which needs no model and "
    "is about as good on families and better on instruments. Metrics drawn to known sounds (blend, kernel) do not. "
    "Adapting a model and adding sounds by geodesics is what the rest of this page is about."
)
HOW = (
    "*Modulo*: the least over nine keys within an octave up and down, of either sound (`sonifold.quotient`); geodesics "
    "start from the copy that is registered by what is decoded. *Mean distance*: the class whose sounds are nearest on "
    "average. *Prototype*: the nearest mean of a class, computed from distances alone; *Frechet mean*: under the "
    "pull-back, by geodesic length. The network is compared with Euclidean prototypes. Decoded Phi, modulo, "
    "was chosen on families of the library; the best of all is the best of {candidates} on these very episodes, so a "
    "part of its gain is luck. Where a class has fewer than N sounds on the one side, the episode is left out: no "
    "episode has 20 of each class, and instruments have 8. Distances are compared over the episodes that both were "
    "measured on; an accuracy alone is not comparable where the numbers of episodes differ. Episodes of families, "
    "5-way, N = 1, by distance: {counts}."
)
WORDS = {
    "families": "Classes are families of sounds; queries come from other groups than the sounds that may be known.",
    "instruments": "Classes are single instruments; queries come from the other half of their notes.",
}
Cells = list[dict[str, Any]]


class Scores:
    """Accuracies by protocol, arm and episode, and their paired differences."""

    def __init__(self, cells: Cells):
        self.by_arm: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for cell in cells:
            for arm, score in cell["scores"].items():
                self.by_arm[cell["protocol"], arm][cell["seed"]] = score

    def distances(self, protocol: str) -> list[str]:
        """Names of all distances that were measured, in order."""
        return list(
            dict.fromkeys(arm.split(" / ")[2] for measured, arm in self.by_arm if measured == protocol)
        )

    def mean(self, protocol: str, arm: str) -> Estimate:
        """Over all its episodes."""
        return bootstrap(list(self.by_arm[protocol, arm].values()))

    def over(self, protocol: str, arm: str, reference: str) -> Estimate:
        """Points above another arm, over the episodes of both."""
        ours, theirs = self.by_arm[protocol, arm], self.by_arm[protocol, reference]
        return bootstrap([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])


def write(cells: Cells, foreign: ForeignSounds, out: Path, docs: Path | None) -> list[Path]:
    """The page and its figure in ``out``, and in ``docs`` where it is given; the files written."""
    scores = Scores(cells)
    _draw(scores, out / FIGURE)
    (out / PAGE).write_text(_page(scores, foreign), encoding="utf-8")
    files = [out / PAGE, out / FIGURE]
    return files if docs is None else [*files, *copied(files, docs)]


def summary(docs: Path) -> list[str]:
    """What the page in ``docs`` says in five lines, as a section of another; none where it has not been written."""
    page = docs / PAGE
    if not page.exists():
        return []
    _, _, rest = page.read_text(encoding="utf-8").partition(f"{SUMMARY}\n")
    lines = rest.split("\n## ")[0].strip()
    return ["## Where geometry helps", "", WHERE, "", lines, "", f"More: [few-shot episodes]({PAGE}).", ""]


def _page(scores: Scores, foreign: ForeignSounds) -> str:
    groups = sorted(set(foreign.groups))
    parts = [
        "# Few-shot episodes: which distance knows a sound again?",
        INTRODUCTION.format(sounds=len(foreign.groups), count=len(groups), groups=", ".join(groups)),
        SUMMARY,
        _five_lines(scores),
    ]
    for protocol in PROTOCOLS:
        parts += [f"## {protocol.capitalize()}", WORDS[protocol]]
        parts += [_table(scores, protocol, ways) for ways in WAYS]
    parts += [f"![accuracies]({FIGURE})", "## How", _how(scores)]
    return "\n\n".join(parts) + "\n"


def _five_lines(scores: Scores) -> str:
    return "\n".join(
        f"- **{protocol.capitalize()}, N = {count}**: {_line(scores, protocol, count)}"
        for protocol, counts in LINES.items()
        for count in counts
    )


def _line(scores: Scores, protocol: str, count: int) -> str:
    best, gain = _best(scores, protocol, count)
    arm, best_arm, euclidean, audio = (
        f"5 / {count} / {name} / 1-NN" for name in (CHOSEN, best, EUCLIDEAN, AUDIO)
    )
    return (
        f"{CHOSEN} is {_points(scores.over(protocol, arm, euclidean))} points over Euclidean latent distance and "
        f"{_points(scores.over(protocol, arm, audio))} over Phi of the audio; the best of all, {best}, "
        f"{_points(gain)} and {_points(scores.over(protocol, best_arm, audio))}."
    )


def _best(scores: Scores, protocol: str, count: int) -> tuple[str, Estimate]:
    reference = f"5 / {count} / {EUCLIDEAN} / 1-NN"
    gains = {name: scores.over(protocol, f"5 / {count} / {name} / 1-NN", reference) for name in CANDIDATES}
    name = max((name for name in gains if gains[name].n), key=lambda name: gains[name].mean)
    return name, gains[name]


def _table(scores: Scores, protocol: str, ways: int) -> str:
    rows = [
        f"### {ways}-way",
        "",
        "Accuracy in percent; in brackets points over Euclidean latent distance by the same rule, with the 95 % "
        "bootstrap interval over paired episodes.",
        "",
        "| distance | rule | " + " | ".join(f"N = {count}" for count in COUNTS) + " |",
        "|---|---|" + "---|" * len(COUNTS),
    ]
    for name in scores.distances(protocol):
        for rule in (*RULES, "trained"):
            cells = [_cell(scores, protocol, ways, count, name, rule) for count in COUNTS]
            if any(cell != "-" for cell in cells):
                rows.append(f"| {name} | {rule} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _cell(scores: Scores, protocol: str, ways: int, count: int, name: str, rule: str) -> str:
    arm = f"{ways} / {count} / {name} / {rule}"
    mean = scores.mean(protocol, arm)
    if not mean.n:
        return "-"
    reference = "prototype" if rule == "trained" else rule
    gain = scores.over(protocol, arm, f"{ways} / {count} / {EUCLIDEAN} / {reference}")
    return f"{mean.mean:.1f}" + ("" if name == EUCLIDEAN else f" ({_points(gain)})")


def _points(estimate: Estimate) -> str:
    return f"{estimate.mean:+.1f} [{estimate.low:+.1f}, {estimate.high:+.1f}]"


def _how(scores: Scores) -> str:
    episodes = {
        name: max(scores.mean("families", f"5 / 1 / {name} / {rule}").n for rule in (*RULES, "trained"))
        for name in scores.distances("families")
    }
    counts = ", ".join(f"{name} {count}" for name, count in episodes.items())
    return HOW.format(candidates=len(CANDIDATES), counts=counts)


def _draw(scores: Scores, path: Path) -> None:
    picture, axes = figures.panels(1, len(PROTOCOLS), 11, 4)
    names = sorted({name.removesuffix(", modulo") for name in scores.distances(PROTOCOLS[0])})
    colours = {name: f"C{number}" for number, name in enumerate(names)}
    for axis, protocol in zip(axes, PROTOCOLS, strict=True):
        for name in scores.distances(protocol):
            rule = "trained" if name.startswith("network") else "1-NN"
            means = [scores.mean(protocol, f"5 / {count} / {name} / {rule}") for count in COUNTS]
            shown = [(count, mean) for count, mean in zip(COUNTS, means, strict=True) if mean.n]
            if shown:
                axis.plot(
                    [count for count, _ in shown],
                    [mean.mean for _, mean in shown],
                    marker="o",
                    color=colours[name.removesuffix(", modulo")],
                    linestyle="--" if "modulo" in name else "-",
                    label=name,
                )
        axis.set(
            title=f"{protocol}, 5-way", xlabel="sounds of each class", ylabel="accuracy, %", xscale="log"
        )
        axis.set_xticks(COUNTS, [str(count) for count in COUNTS])
    axes[0].legend(fontsize=7)
    figures.save(picture, path)
