"""The sounds of a pack: columns of labels, latent points, timbre, map positions, and the audio files."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from sonifold.errors import SoundNotFound
from sonifold.types import Audio, Points, Positions, Timbre

COLUMNS = ("id", "name", "family", "seconds", "pitch_hz", "source", "licence", "credit", "group", "split")


@dataclass(frozen=True)
class Label:
    """Metadata of a library sound."""

    id: str
    name: str
    family: str
    seconds: float  # until 60 dB under the peak
    pitch_hz: float | None  # where it is known for certain
    source: str
    licence: str
    credit: str
    group: str  # kit or program
    split: str  # train, held_out_sounds or held_out_kits


@dataclass(frozen=True)
class Library:
    """Columns of equal length, one entry a sound, all in the same order."""

    labels: tuple[Label, ...]
    family_names: tuple[str, ...]
    z: Points  # (sound, latent), inverted
    log_variance: Tensor  # (sound, latent), of the posteriors
    timbre: Timbre  # (sound, 512), Phi of the original audio
    positions: Positions  # (sound, 2) on the map
    folder: Path  # holds audio/<id>.ogg
    audio_format: str = "ogg"

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {label.id: row for row, label in enumerate(self.labels)}

    @property
    def ids(self) -> list[str]:
        """The id of each sound."""
        return [label.id for label in self.labels]

    @property
    def names(self) -> list[str]:
        """The name of each sound."""
        return [label.name for label in self.labels]

    @property
    def families(self) -> list[str]:
        """The family of each sound; ``family_names`` has the fixed order."""
        return [label.family for label in self.labels]

    def index(self, sound_id: str) -> int:
        """Row of a sound in the columns.

        Raises:
            SoundNotFound: no sound has that id.
        """
        try:
            return self._rows[sound_id]
        except KeyError:
            raise SoundNotFound(
                f"this library has no sound {sound_id!r}; ids are 12 hexadecimal digits, listed with the library's "
                f"sounds, for example {self.labels[0].id}."
            ) from None

    def audio_path(self, sound_id: str) -> Path:
        """The sound's file in the pack."""
        return self.folder / "audio" / f"{self.labels[self.index(sound_id)].id}.{self.audio_format}"

    def audio_bytes(self, sound_id: str) -> bytes:
        """The sound's file as it is in the pack."""
        return self.audio_path(sound_id).read_bytes()

    def audio(self, sound_id: str, samples: int | None = None) -> Audio:
        """The sound itself, (sample,), padded with silence to ``samples`` if it is shorter."""
        decoded, _ = soundfile.read(io.BytesIO(self.audio_bytes(sound_id)), dtype="float32")
        audio = torch.from_numpy(np.ascontiguousarray(decoded))
        if samples is None:
            return audio
        return torch.nn.functional.pad(audio, (0, max(0, samples - len(audio))))[:samples]


def write_labels(path: Path, labels: tuple[Label, ...]) -> None:
    """A pack's ``library.csv``."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for label in labels:
            values = (getattr(label, column) for column in COLUMNS)
            table.writerow(["" if value is None else value for value in values])


def read_labels(text: str) -> tuple[Label, ...]:
    """Inverse of :func:`write_labels`."""
    return tuple(_label(row) for row in csv.DictReader(io.StringIO(text, newline="")))


def _label(row: dict[str, str]) -> Label:
    pitch = float(row["pitch_hz"]) if row["pitch_hz"] else None
    words = {name: row[name] for name in COLUMNS if name not in ("seconds", "pitch_hz")}
    return Label(**words, seconds=float(row["seconds"]), pitch_hz=pitch)
