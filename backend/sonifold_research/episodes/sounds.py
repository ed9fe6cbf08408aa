"""Sounds of foreign groups: neither trained on nor used to choose anything, each with its family and its group."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.torch import load_file, save

from sonifold.audio import fingerprint
from sonifold.audio.prepare import Pcm, polyphase, prepare, to_float
from sonifold.files import write_whole
from sonifold.model import Model
from sonifold.training.datasets import candidates
from sonifold.training.datasets.sources import HYDROGEN, locate
from sonifold.training.datasets.split import NEAR_DB
from sonifold.types import AudioBatch
from sonifold_research.fewshot.groups import KITS, PROGRAMS, distinct, pcm, render_programs

EACH = 8  # sounds of a family in a kit, at most
NOTES = 16  # of an instrument or texture, spread over its notes
#: How the programs sound; the base has neither winds nor bowed strings. Pads are a family of their own, in no episode.
FAMILIES = {
    "Banjo": "Pluck",
    "Overdriven guitar": "Pluck",
    "Marimba": "Bell",
    "Steel drum": "Bell",
    "Clarinet": "Wind",
    "Trumpet": "Wind",
    "Church organ": "Wind",
    "Violin": "Bowed",
    "String ensembles": "Bowed",
    "Pads": "Texture",
}
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ForeignSounds:
    """Sounds as columns. Those of an instrument lie in the order of their notes."""

    audio: AudioBatch  # (sound, sample)
    families: tuple[str, ...]
    groups: tuple[str, ...]

    def rows(self, family: str | None = None, group: str | None = None) -> list[int]:
        """Rows of a family, a group, or both."""
        return [
            row
            for row, columns in enumerate(zip(self.families, self.groups, strict=True))
            if family in (None, columns[0]) and group in (None, columns[1])
        ]


def build(model: Model, sources: Path | None, cache: Path, progress: Progress) -> ForeignSounds:
    """All of them, made once and stored in ``cache``.

    Raises:
        DatasetError: a package, fluidsynth or mido is missing.
    """
    if not cache.exists():
        trained = fingerprint.Neighbours()
        for number, label in enumerate(model.library.labels):
            if label.split == "train":
                (samples,) = pcm(model.library.audio(label.id, model.sound_samples)[None])
                trained.add(fingerprint.fingerprint(samples))
            progress("episodes: what the base has heard", number + 1, len(model.library))
        audio, rows = [], []
        for family, group, samples in (*_kits(trained, sources), *_programs(trained, progress)):
            audio.append(torch.from_numpy(to_float(samples)))
            rows.append((family, group))
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")
        write_whole(cache, save({"audio": torch.stack(audio)}), durable=False)
    families, groups = zip(*json.loads(cache.with_suffix(".json").read_text(encoding="utf-8")), strict=True)
    return ForeignSounds(load_file(cache)["audio"], families, groups)


def _kits(trained: fingerprint.Neighbours, sources: Path | None) -> Iterator[tuple[str, str, Pcm]]:
    chosen = {name for name, side in KITS.items() if side == "report"}
    counts: Counter[tuple[str, str]] = Counter()
    heard = fingerprint.Neighbours()
    files = candidates.hydrogen_files(locate(HYDROGEN, sources))
    for index in np.random.default_rng(0).permutation(len(files)):
        candidate, path = files[index]
        kind = candidate.family, candidate.group
        if candidate.group not in chosen or not candidate.family or counts[kind] >= EACH:
            continue
        recording, rate = soundfile.read(path, dtype="float32", always_2d=True)
        samples = prepare(recording, rate, polyphase)
        if samples is None:
            continue
        outline = fingerprint.fingerprint(samples)
        if not trained.within(outline, NEAR_DB) and not heard.within(outline, fingerprint.SAME_DB):
            heard.add(outline)
            counts[kind] += 1
            yield (*kind, samples)


def _programs(trained: fingerprint.Neighbours, progress: Progress) -> Iterator[tuple[str, str, Pcm]]:
    chosen = [(name, *row) for name, row in PROGRAMS.items() if row[1] == "report"]
    for number, (name, _, _, programs, notes, velocities) in enumerate(chosen, 1):
        sounds = distinct(render_programs(programs, notes, velocities), trained)
        for index in np.linspace(0, len(sounds) - 1, min(NOTES, len(sounds))).round().astype(int):
            yield FAMILIES[name], name, sounds[index]
        progress("episodes: notes", number, len(chosen))
