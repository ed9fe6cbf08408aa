"""All pairs: rendered by every method, judged by every judge, a file each; stopped and started again, it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sonifold.audio.onsets import onsets
from sonifold.files import write_whole
from sonifold.model import Model
from sonifold.types import AudioBatch
from sonifold_research.ears import page
from sonifold_research.ears.judges import JUDGES, NEAREST
from sonifold_research.ears.listening import JudgeProcess
from sonifold_research.ears.methods import STEPS, Method, methods

RANDOM, FAMILY = "random", "family"
SETS = {RANDOM: 100, FAMILY: 30}
RECORDINGS = 150  # of the library, among which a middle step's nearest is looked for
ASKED = 10  # of them: the nearest to the step in Phi, without the ends
HEARD = 2  # every so many of the steps: a judge takes seconds
Progress = Callable[[str, int, int], None]
Pair = tuple[int, int]
Measured = dict[str, dict[str, list[dict[str, Any]]]]


def evaluate(folder: Path, out: Path, docs: Path | None, progress: Progress) -> list[Path]:
    """Measure what has not been measured yet, write the page, and the figures into the pack's card; files written.

    Args:
        folder: of the pack.
        out: where results and the judges' environments lie.
        docs: also write the page there.

    Raises:
        EnvironmentFailed: a judge's packages cannot be installed.
        JudgeFailed: a judge ended early.
    """
    torch.set_num_threads(1)
    model = Model.load(folder)
    ask(model, out, progress)
    return page.write(folder, read(out), out, docs)


def ask(model: Model, out: Path, progress: Progress) -> None:
    """Every judge about all pairs that it has not heard yet; a pair is rendered once for all of them."""
    wanted = [
        (name, index, missing)
        for name, index in _in_turn()
        if (missing := [judge for judge in JUDGES if not _file(out, judge, name, index).exists()])
    ]
    if not wanted:
        return
    (out / "pairs").mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(0).choice(len(model.library), RECORDINGS, replace=False)
    recordings, morphs = out / "recordings.npz", out / "morphs.npz"
    audio = [model.library.audio(model.library.ids[row], model.sound_samples).numpy() for row in rows]
    np.savez(recordings, audio=np.stack(audio), rate=model.sample_rate)
    drawn = {name: pairs(model, name) for name in SETS}
    compared = methods(model)
    with ExitStack() as open_judges:
        processes = {
            judge: open_judges.enter_context(JudgeProcess(judge, recordings, out / "environments" / judge))
            for judge in JUDGES
        }
        for number, (name, index, missing) in enumerate(wanted):
            pair = drawn[name][index]
            begun = _rendered(model, pair, compared, rows, morphs)
            names = [model.library.labels[row].name for row in pair]
            for judge in missing:
                cell = {"names": names, "begun": begun, "verdicts": processes[judge].verdicts(morphs)}
                write_whole(_file(out, judge, name, index), json.dumps(cell).encode(), durable=False)
            progress("pairs", number + 1, len(wanted))
    for file in (recordings, morphs):
        file.unlink()


def read(out: Path) -> Measured:
    """All that was measured so far, by set of pairs and judge; a judge that was asked nothing has no entry."""
    return {
        name: {
            judge: [json.loads(file.read_text(encoding="utf-8")) for file in files]
            for judge in JUDGES
            if (files := sorted(out.glob(f"pairs/{judge}-{name}-*.json")))
        }
        for name in SETS
    }


def pairs(model: Model, name: str) -> list[Pair]:
    """Rows of library sounds: any two, or two of one family."""
    draw = np.random.default_rng(list(SETS).index(name) + 20)
    families = np.array(model.library.families)
    drawn: list[Pair] = []
    while len(drawn) < SETS[name]:
        first, second = (int(row) for row in draw.choice(len(families), 2, replace=False))
        if name == RANDOM or families[first] == families[second]:
            drawn.append((first, second))
    return drawn


def _in_turn() -> Iterator[tuple[str, int]]:
    """Set and number of each pair; after every third random pair one of a family, so that any part is a fair one."""
    for index in range(SETS[RANDOM]):
        yield RANDOM, index
        if index % 3 == 2 and index // 3 < SETS[FAMILY]:
            yield FAMILY, index // 3


def _file(out: Path, judge: str, name: str, index: int) -> Path:
    return out / "pairs" / f"{judge}-{name}-{index:03d}.json"


def _rendered(
    model: Model, pair: Pair, compared: dict[str, Method], rows: NDArray[np.int64], file: Path
) -> dict[str, bool]:
    """Write the morphs of a pair; of each, whether its middle begins more often than either end."""
    first, second = (model.sound(model.library.ids[row]) for row in pair)
    phi = model.library.timbre[torch.from_numpy(rows)]
    ends = torch.from_numpy(np.isin(rows, pair))
    arrays: dict[str, NDArray[Any]] = {}
    begun = {}
    for name, method in compared.items():
        audio = method((first, second))
        middle = audio[STEPS // 2]
        away = torch.cdist(model.timbre_of(middle[None]), phi)[0].masked_fill(ends, torch.inf)
        arrays[name] = audio[::HEARD].numpy()
        arrays[name + NEAREST] = away.argsort()[:ASKED].numpy()
        begun[name] = _beginnings(middle[None], model)[0] > max(_beginnings(audio[[0, -1]], model))
    arrays["rate"] = np.array(model.sample_rate)
    np.savez(file, allow_pickle=False, **arrays)
    return begun


def _beginnings(audio: AudioBatch, model: Model) -> list[int]:
    """How often each sound begins."""
    return [len(onsets(sound, model.sample_rate)) for sound in audio.numpy()]
