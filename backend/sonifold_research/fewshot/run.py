"""All cells, one JSON file each: stopped and started again, it goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from sonifold.adapt.forecast import Forecast
from sonifold.adapt.instant import choose
from sonifold_research.fewshot import closed, gradient, learned
from sonifold_research.fewshot.bench import FEWEST, Bench, Score
from sonifold_research.fewshot.groups import Group, Side

SEEDS = 5
CLAIM = 600  # seconds for which a cell that another process has begun is left to it
Part = Callable[[Bench, list[int], list[int], int], dict[str, Score]]


class Plan(NamedTuple):
    """One part of the evaluation: which arms, for how many uploads, for which draws."""

    name: str
    arms: Part
    counts: tuple[int, ...]
    seeds: range


#: What says most comes first: wherever the evaluation is stopped, what is there can be reported.
PLANS = (
    Plan("closed", closed.arms, (10,), range(SEEDS)),
    Plan("refined", gradient.finetuned, (10,), range(SEEDS)),
    Plan("closed", closed.arms, (5, 20), range(1)),
    Plan("instant", closed.instant, (5, 20), range(1, SEEDS)),
    Plan("scratch", gradient.scratch, (10,), range(1)),
    Plan("variants", gradient.variants, (10,), range(1)),
    Plan("plain", gradient.plain, (10,), range(1)),
    Plan("learned", learned.arms, (10,), range(2)),
    Plan("refined", gradient.finetuned, (5,), range(SEEDS)),
    Plan("refined", gradient.finetuned, (20,), range(2)),
    Plan("instant", closed.instant, (3, 1), range(2)),
)
Progress = Callable[[str, int, int], None]


class Cell(NamedTuple):
    """A group, so many uploads, one draw, one part."""

    plan: Plan
    group: Group
    uploads: int
    seed: int

    @property
    def file(self) -> str:
        group = self.group.name.lower().replace(" ", "-").replace(".", "-")
        return f"{self.plan.name}-{group}-{self.uploads}-{self.seed}.json"


def cells(groups: Sequence[Group], side: Side) -> list[Cell]:
    """All of them, in the order of the plans."""
    return [
        Cell(plan, group, count, seed)
        for plan in PLANS
        for count in plan.counts
        for seed in plan.seeds
        for group in groups
        if group.side == side and len(group.indices) >= count + FEWEST
    ]


def planned(groups: Sequence[Group]) -> int:
    """How many cells the report is to be made of."""
    return len(cells(groups, "report"))


def run(bench: Bench, folder: Path, side: Side, progress: Progress) -> None:
    """Whatever is not there yet; several processes may share the work."""
    folder.mkdir(parents=True, exist_ok=True)
    todo = cells(bench.sounds.groups, side)
    for number, cell in enumerate(todo, 1):
        path, claimed = folder / cell.file, folder / f"{cell.file}.part"
        if path.exists() or (claimed.exists() and time.time() - claimed.stat().st_mtime < CLAIM):
            continue
        claimed.touch()
        measured = measure(bench, cell)
        claimed.write_text(json.dumps(measured), encoding="utf-8")
        claimed.rename(path)
        progress(f"{cell.plan.name}: {cell.group.name}, {cell.uploads} uploads", number, len(todo))


def measure(bench: Bench, cell: Cell) -> dict[str, Any]:
    """One cell."""
    upload_indices, others = bench.draw(cell.group, cell.uploads, cell.seed)
    arms = cell.plan.arms(bench, upload_indices, others, cell.seed)
    uploads = bench.uploads(upload_indices, cell.seed)
    forecast = Forecast.of(bench.model, uploads, choose(bench.model, uploads))
    return {
        "part": cell.plan.name,
        "group": cell.group.name,
        "kind": cell.group.kind,
        "side": cell.group.side,
        "count": cell.uploads,
        "seed": cell.seed,
        "coherence": forecast.coherence,
        "expected": forecast.gain,
        "arms": {name: asdict(score) for name, score in arms.items()},
    }


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """All cells measured so far."""
    for path in sorted(folder.glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))
