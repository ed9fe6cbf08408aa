"""The groups of sounds that few-shot adaptation is measured on, none of which the base was trained on.

Foreign kits, held-out kits and programs, programs of a soundfont that the base has no note of, textures, and mixed
bags drawn from all of them. Each group stands on one side: *settings* were chosen on the first, the *report* is
of the second. Makers are not kept apart: one has a kit on the first side and two on the second, and all notes come
from one soundfont.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sonifold.audio import fingerprint
from sonifold.audio.prepare import polyphase, prepare, to_float
from sonifold.training.datasets import candidates, render, table
from sonifold.training.datasets.sources import FLUID, locate
from sonifold.training.datasets.split import NEAR_DB, TRAIN
from sonifold.types import AudioBatch

Kind = Literal["kit", "instrument", "texture", "mixed bag"]
Side = Literal["settings", "report"]
Progress = Callable[[str, int, int], None]

#: Kits by their group in the data set.
KITS: dict[str, Side] = {
    "Hydrogen ColomboAcousticDrumkit": "settings",
    "Hydrogen ElectricEmpireKit": "settings",
    "Hydrogen Millo-Drums_v.1": "settings",
    "Hydrogen Millo_MultiLayered2": "settings",
    "Hydrogen Millo_MultiLayered3": "settings",
    "Kit Brush": "settings",
    "Hydrogen BJA_Pacific": "report",
    "Hydrogen ForzeeStereo": "report",
    "Hydrogen Gimme A Hand 1.0": "report",
    "Hydrogen The Black Pearl 1.0": "report",
    "Hydrogen circAfrique v4": "report",
    "Hydrogen HardElectro1": "report",
    "Hydrogen VariBreaks": "report",
    "Sonic Pi tabla": "report",
    "Kit TR-808": "report",
}
LOW, MIDDLE, HIGH = range(36, 72), range(43, 83), range(55, 95)
#: Instruments and textures by the General MIDI programs they are made of, their notes and velocities.
PROGRAMS: dict[str, tuple[Kind, Side, Sequence[int], Sequence[int], Sequence[int]]] = {
    "Pizzicato": ("instrument", "settings", (45,), MIDDLE, (50, 90, 120)),
    "Voice oohs": ("instrument", "settings", (53,), MIDDLE, (50, 90, 120)),
    "Flute": ("instrument", "settings", (73,), HIGH, (50, 90, 120)),
    "Saw lead": ("instrument", "settings", (81,), MIDDLE, (50, 90, 120)),
    "Synth effects": ("texture", "settings", range(96, 104), (48, 60, 67, 72), (110,)),
    "Banjo": ("instrument", "report", (105,), MIDDLE, (50, 90, 120)),
    "Marimba": ("instrument", "report", (12,), MIDDLE, (50, 90, 120)),
    "Steel drum": ("instrument", "report", (114,), MIDDLE, (50, 90, 120)),
    "Clarinet": ("instrument", "report", (71,), MIDDLE, (50, 90, 120)),
    "Violin": ("instrument", "report", (40,), HIGH, (50, 90, 120)),
    "Trumpet": ("instrument", "report", (56,), MIDDLE, (50, 90, 120)),
    "Church organ": ("instrument", "report", (19,), MIDDLE, (50, 90, 120)),
    "Overdriven guitar": ("instrument", "report", (29,), LOW, (50, 90, 120)),
    "Pads": ("texture", "report", range(88, 96), (48, 60, 67, 72), (110,)),
    "String ensembles": ("texture", "report", (44, 48, 49, 50, 51), (40, 48, 52, 60, 67, 72, 79), (110,)),
}
#: Drawn from the groups of the same side, so many sounds of each.
MIXED: dict[str, tuple[Side, int]] = {
    "Mixed bag 0": ("settings", 3),
    "Mixed bag 1": ("report", 2),
    "Mixed bag 2": ("report", 2),
}


@dataclass(frozen=True)
class Group:
    """Sounds that belong together, by their indices in :class:`Sounds`."""

    name: str
    kind: Kind
    side: Side
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Sounds:
    """The sounds of all groups: prepared audio (sound, sample) and which group each was recorded for."""

    audio: AudioBatch
    groups: tuple[Group, ...]


def build(dataset: Path, cache: Path, progress: Progress) -> Sounds:
    """All groups, rendered once and kept in ``cache``.

    Raises:
        DatasetError: no data set at ``dataset``, or the soundfont or fluidsynth is missing.
    """
    rows = table.read(dataset)
    if not cache.exists():
        training_neighbours = fingerprint.Neighbours()
        trained = [row for row in rows if row.split == TRAIN]
        for sound in pcm(table.load_audio(dataset, trained)):
            training_neighbours.add(fingerprint.fingerprint(sound))
        tensors = {}
        for number, (name, (_, _, programs, notes, velocities)) in enumerate(PROGRAMS.items(), 1):
            rendered = render_programs(programs, notes, velocities)
            tensors[name] = torch.from_numpy(np.stack(distinct(rendered, training_neighbours)))
            progress("groups: notes", number, len(PROGRAMS))
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, cache)
    stored = load_file(cache)
    audio: list[Tensor] = []
    groups: list[Group] = []
    count = 0
    for name, side in KITS.items():
        part = table.load_audio(dataset, [row for row in rows if row.group == name and row.split != TRAIN])
        groups.append(Group(name, "kit", side, tuple(range(count, count + len(part)))))
        audio.append(part)
        count += len(part)
    for name, (kind, side, *_) in PROGRAMS.items():
        part = torch.from_numpy(to_float(stored[name].numpy()))
        groups.append(Group(name, kind, side, tuple(range(count, count + len(part)))))
        audio.append(part)
        count += len(part)
    return Sounds(torch.cat(audio), (*groups, *_mixed(groups)))


def _mixed(groups: Sequence[Group]) -> list[Group]:
    mixed = []
    for number, (name, (side, each)) in enumerate(MIXED.items()):
        draw = np.random.default_rng(number)
        indices = [
            int(index)
            for group in groups
            if group.side == side
            for index in draw.choice(group.indices, each, replace=False)
        ]
        mixed.append(Group(name, "mixed bag", side, tuple(sorted(indices))))
    return mixed


def render_programs(
    programs: Sequence[int], notes: Sequence[int], velocities: Sequence[int]
) -> list[np.ndarray]:
    font = locate(FLUID).find(candidates.FONT_FILES[FLUID])
    played = [
        render.Note(render.Preset(0, program, ""), note, velocity)
        for program in programs
        for note in notes
        for velocity in velocities
    ]
    with tempfile.TemporaryDirectory() as folder:
        prepared = [
            prepare(audio, render.RATE, polyphase) for audio in render.render(font, played, Path(folder))
        ]
    return [sound for sound in prepared if sound is not None]


def distinct(sounds: Sequence[np.ndarray], training_neighbours: fingerprint.Neighbours) -> list[np.ndarray]:
    """Those that differ from each other and lie apart from everything the base was trained on."""
    maps = [fingerprint.fingerprint(sound) for sound in sounds]
    return [sounds[i] for i in fingerprint.unique(maps) if not training_neighbours.within(maps[i], NEAR_DB)]


def pcm(audio: AudioBatch) -> list[np.ndarray]:
    return list((audio * 32_768).round().to(torch.int16).numpy())
