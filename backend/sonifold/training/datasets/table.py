"""A data set on disk: ``sounds.csv`` with one row a sound, ``audio/<id>.flac``, and ``notices/``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from sonifold.audio.prepare import SAMPLE_RATE, SAMPLES
from sonifold.errors import DatasetError
from sonifold.files import write_whole

TABLE = "sounds.csv"


@dataclass(frozen=True)
class Row:
    """One sound. ``id`` is the first 12 hex digits of the sha256 of its float32 samples."""

    id: str
    name: str
    family: str
    source: str
    package: str
    version: str
    licence: str
    credit: str
    group: str
    split: str
    note: int | None
    velocity: int | None
    seconds: float  # from the onset until 60 dB below the peak
    pitch_hz: float | None  # where it is known, not estimated
    shippable: bool
    file: str  # relative to the folder


COLUMNS = tuple(field.name for field in fields(Row))


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write ``sounds.csv``."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = asdict(row)
        cells["seconds"] = f"{row.seconds:.4f}"
        cells["pitch_hz"] = "" if row.pitch_hz is None else f"{row.pitch_hz:.3f}"
        cells["shippable"] = int(row.shippable)
        writer.writerow(cells)
    write_whole(folder / TABLE, text.getvalue().encode(), durable=False)


def read(folder: Path) -> list[Row]:
    """The rows of a data set.

    Raises ``DatasetError`` when the folder holds none, or a table with other columns.
    """
    path = Path(folder) / TABLE
    if not path.is_file():
        raise DatasetError(
            f"there is no {TABLE} in {folder}; "
            f"build the data set with `sonifold dataset oneshots --out {folder}`."
        )
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DatasetError(
                f"{path} has the columns {reader.fieldnames}, expected {list(COLUMNS)}; "
                "build the data set again."
            )
        return [_row(cells) for cells in reader]


def _row(cells: dict[str, str]) -> Row:
    return Row(
        **{name: cells[name] for name in COLUMNS if name not in _TYPED},
        note=int(cells["note"]) if cells["note"] else None,
        velocity=int(cells["velocity"]) if cells["velocity"] else None,
        seconds=float(cells["seconds"]),
        pitch_hz=float(cells["pitch_hz"]) if cells["pitch_hz"] else None,
        shippable=cells["shippable"] == "1",
    )


_TYPED = {"note", "velocity", "seconds", "pitch_hz", "shippable"}


def load_audio(folder: Path, rows: Sequence[Row]) -> Tensor:
    """The sounds of ``rows``, (n, 65536) float32, full scale 1, at 44.1 kHz.

    Raises ``DatasetError`` for a file that is missing or not of that length and rate.
    """
    audio = torch.empty(len(rows), SAMPLES)
    for index, row in enumerate(rows):
        path = Path(folder) / row.file
        try:
            samples, rate = soundfile.read(path, dtype="float32")
        except (OSError, soundfile.LibsndfileError) as error:
            raise DatasetError(f"{path} cannot be read ({error}); build the data set again.") from error
        if rate != SAMPLE_RATE or samples.shape != (SAMPLES,):
            raise DatasetError(
                f"{path} holds {samples.shape} samples at {rate} Hz, "
                f"expected ({SAMPLES},) at {SAMPLE_RATE} Hz; build the data set again."
            )
        audio[index] = torch.from_numpy(np.ascontiguousarray(samples))
    return audio
