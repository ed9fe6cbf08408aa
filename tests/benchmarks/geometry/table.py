"""The figures as a table: each beside its bar, and all solvers beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sonifold.evaluate.measures import read_bar

ROOT = Path(__file__).resolve().parents[3]
#: What docs/measures.md shows was made from this file, which is committed; a test compares them.
PUBLISHED = ROOT / "docs" / "bench-geometry.json"
PAGE = ROOT / "docs" / "measures.md"
BEGIN, END = "<!-- bench-geometry -->", "<!-- /bench-geometry -->"


class Row(NamedTuple):
    """One figure and its bar; a value of None is one that could not be measured."""

    measure: str
    value: float | None
    unit: str
    bar: str | None

    @property
    def verdict(self) -> str:
        if self.bar is None:
            return ""
        if self.value is None:
            return "not measured"
        compare, limit = read_bar(self.bar)
        return "met" if compare(self.value, limit) else "MISSED"

    @property
    def word(self) -> str:
        """The verdict as the page shows it, a missed bar in bold."""
        return "**missed**" if self.verdict == "MISSED" else self.verdict

    @property
    def shown(self) -> str:
        return "-" if self.value is None else f"{self.value:.5g} {self.unit}".strip()


def rows(parts: dict) -> list[Row]:
    """Every figure with its bar that the parts measured so far give."""
    found: list[Row] = []
    for name, outputs, spline, lbfgs in (("pullback-16", 784, 8, 8), ("pullback-16-wide", 8192, 25, 30)):
        if name in parts:
            solvers, title = parts[name]["solvers"], f"d = 16, {outputs} outputs, time to within 1 %"
            found += [
                Row(
                    f"{title}: stochman, spline of 20, over ours",
                    _ratio(solvers, "stochman, spline of 20"),
                    "x",
                    f">= {spline}",
                ),
                Row(
                    f"{title}: torch L-BFGS, raw decoder, over ours",
                    _ratio(solvers, "torch L-BFGS, raw decoder"),
                    "x",
                    f">= {lbfgs}",
                ),
            ]
    for name in ("pullback-8", "pullback-16", "pullback-16-wide"):
        if name in parts:
            part = parts[name]
            title = f"d = {part['latent']}, {part['outputs']} outputs: final energy over the best peer's, worst pair"
            found.append(Row(title, part["energy_over_best_peer_max"], "", "<= 1.002"))
    if "pullback-2" in parts:
        share = 100 * parts["pullback-2"]["solvers"]["sonifold"]["within_1_percent"]
        found.append(Row("d = 2: pairs within 1 % of the best energy known", share, "%", ">= 97"))
    for name, title in (("kernel", "diagonal matrices"), ("kernel-full", "full matrices")):
        if name in parts:
            solvers = parts[name]["solvers"]
            ours, peer = (solvers[which]["ms_to_1_percent"] for which in ("sonifold, solve", "torch L-BFGS"))
            value = peer / ours if peer and ours else None
            found.append(
                Row(
                    f"kernel metric, d = 16, {title}, time to within 1 %: torch L-BFGS over ours",
                    value,
                    "x",
                    ">= 20",
                )
            )
    if "pullback-16" in parts:
        found.append(
            Row("64 geodesics in one batch, d = 16", parts["pullback-16"]["batch_of_64_ms"], "ms", "<= 300")
        )
    for latent, bar in ((2, 8), (8, 30), (16, 80)):
        if f"sampling-{latent}" in parts:
            part = parts[f"sampling-{latent}"]
            ours, peer = part["sonifold"], part["pythae"]
            ratio = peer["seconds"] / ours["seconds"] if peer["seconds"] else None
            found += [
                Row(f"HMC, d = {latent}, 1,000 samples: pythae's time over ours", ratio, "x", f">= {bar}"),
                Row(f"HMC, d = {latent}: acceptance", ours["acceptance"], "", ">= 0.8"),
                Row(f"HMC, d = {latent}: escapes", ours["escapes"], "", "<= 0"),
                Row(f"HMC, d = {latent}: error of the gradient", ours["gradient_error"], "", "<= 1e-4"),
            ]
    if "safety" in parts:
        bad = sum(
            entry["nan"] + entry["worse_than_line"]
            for key, entry in parts["safety"].items()
            if isinstance(entry, dict)
        )
        found.append(Row("NaN or worse than the line, 500 pairs under each of 13 metrics", bad, "", "<= 0"))
    if "families" in parts:
        wrong = {
            "exceptions": "exceptions other than refusals in words",
            "false": "paths worse than the line called converged",
            "foreign": "lengths of another decoder",
        }
        families = [entry for entry in parts["families"].values() if isinstance(entry, dict)]
        pairs = sum(entry["pairs"] for entry in families)
        found += [
            Row(
                f"{len(families)} families of decoders, {pairs:,} pairs: {words}",
                sum(entry[key] for entry in families),
                "",
                "<= 0",
            )
            for key, words in wrong.items()
        ]
    if "operations" in parts:
        part = parts["operations"]
        found += [
            Row("pack, 64 geodesics in one batch", part["batch_of_64_ms"], "ms", "<= 300"),
            Row("pack, two threads: Frechet mean of 8 sounds", part["mean_of_8_ms"], "ms", "<= 150"),
            Row("pack, two threads: analogy", part["analogy_ms"], "ms", "<= 150"),
            Row(
                "pack, two threads: 50 geodesic neighbours ranked anew",
                part["neighbours_of_50_ms"],
                "ms",
                "<= 150",
            ),
        ]
    return found


def _ratio(solvers: dict, peer: str) -> float | None:
    theirs, ours = solvers[peer]["ms_to_1_percent"], solvers["sonifold"]["ms_to_1_percent"]
    return theirs / ours if theirs and ours else None


def text(found: list[Row]) -> Iterator[str]:
    """Aligned lines for a terminal."""
    cells = [("measure", "value", "bar", "")]
    cells += [(row.measure, row.shown, row.bar or "", row.verdict) for row in found]
    yield from _aligned(cells)


def details(parts: dict) -> Iterator[str]:
    """All solvers beside each other."""
    yield from _aligned([_HEAD, *solver_cells(parts)])
    yield ""
    yield from _aligned([_SAMPLER_HEAD, *sampler_cells(parts)])
    if "families" in parts:
        yield ""
        yield from _aligned([_FAMILY_HEAD, *family_cells(parts)])


_HEAD = ("problem", "solver", "ms to 1 %", "arrive", "energy / best, median", "worst", "failures", "")
_SAMPLER_HEAD = ("HMC", "sampler", "s per 1,000", "acceptance", "escapes", "gradient error", "")


def solver_cells(parts: dict) -> Iterator[tuple[str, ...]]:
    """One line for each solver and problem."""
    for name, part in parts.items():
        if name.startswith("pullback"):
            title = f"pullback, d = {part['latent']}, {part['outputs']} outputs"
        elif name.startswith("kernel"):
            title = f"kernel, d = {part['latent']}, {'full' if part['full'] else 'diagonal'}"
        else:
            continue
        for solver, entry in part["solvers"].items():
            tried = entry.get("timed_pairs", entry["pairs"])
            arrived = entry.get("timed_pairs_that_arrive", entry.get("pairs_that_arrive"))
            yield (
                title,
                f"{solver} {entry.get('version', '')}".strip(),
                _number(entry["ms_to_1_percent"]),
                f"{arrived} of {tried}",
                _number(entry["energy_over_best_median"], 5),
                _number(entry["energy_over_best_max"], 5),
                f"{entry['failures']} of {entry['pairs']}" if "failures" in entry else "",
                entry.get("note", ""),
            )


def sampler_cells(parts: dict) -> Iterator[tuple[str, ...]]:
    for name, part in parts.items():
        if name.startswith("sampling"):
            for sampler in ("sonifold", "pythae"):
                entry = part[sampler]
                yield (
                    f"d = {part['latent']}, {part['centroids']} centroids",
                    f"{sampler} {entry.get('version', '')}".strip(),
                    _number(entry["seconds"]),
                    _number(entry["acceptance"]),
                    str(entry["escapes"]),
                    _number(entry["gradient_error"], 2),
                    entry.get("note", ""),
                )


_FAMILY_HEAD = (
    "decoders, d = 1, 2, 8, 64",
    "pairs",
    "exceptions",
    "refused in words",
    "worse than the line",
    "of another decoder",
    "converged",
)


def family_cells(parts: dict) -> Iterator[tuple[str, ...]]:
    """One line for each family of decoders."""
    for name, entry in parts.get("families", {}).items():
        if isinstance(entry, dict):
            keys = ("pairs", "exceptions", "refused", "false", "foreign", "converged")
            yield (name, *(str(entry[key]) for key in keys))


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _aligned(cells: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def markdown(results: dict) -> str:
    """The block of docs/measures.md between its two marks."""
    parts = results["parts"]
    lines = ["| measure | value | bar | |", "|---|---|---|---|"]
    lines += [f"| {row.measure} | {row.shown} | {row.bar} | {row.word} |" for row in rows(parts)]
    lines += ["", "| problem | solver | ms to 1 % | arrive | energy / best, median | worst | failures |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cells[:7])} |" for cells in solver_cells(parts)]
    lines += ["", "| HMC | sampler | s per 1,000 | acceptance | escapes | gradient error |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cells[:6])} |" for cells in sampler_cells(parts)]
    if "families" in parts:
        lines += ["", f"| {' | '.join(_FAMILY_HEAD)} |", "|---" * len(_FAMILY_HEAD) + "|"]
        lines += [f"| {' | '.join(cells)} |" for cells in family_cells(parts)]
    return "\n".join([*lines, "", f"On: {results['machine']}."])


def block(page: str) -> str:
    """What stands between the two marks of a page."""
    return page.split(BEGIN)[1].split(END)[0].strip()


def publish(results: dict) -> None:
    """Keep the results in docs/, and their table in docs/measures.md; parts that were not measured stay."""
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    results = {**results, "parts": published["parts"] | results["parts"]}
    PUBLISHED.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n\n{END}{after}", encoding="utf-8")
