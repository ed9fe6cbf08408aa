"""The one-shot data set, from packages to a folder of labelled sounds.

The steps: locate the packages, list their candidates, render and prepare them, leave out doubles, label
what has no telling name, split, write.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from sonifold.audio import fingerprint
from sonifold.audio.prepare import SAMPLE_RATE, Pcm, audible_seconds, polyphase, prepare, to_float
from sonifold.errors import DatasetError
from sonifold.training.datasets import candidates, labels, render, split, table

from .candidates import Candidate, SoundFile, SoundNote
from .sources import FLUID, MUSESCORE, Package, locate
from .table import Row

Progress = Callable[[str], None]

NOTES_A_JOB = 500  # at 64 kHz float stereo, 440 MB of temporary file
FILES_A_JOB = 200

#: Held out whole: kits, programs and folders that nothing else in the set comes near.
HELD_OUT_GROUPS = frozenset(
    {
        "Sonic Pi tabla",
        "Sonic Pi glitch",
        "Kit TR-808",
        "Kit Brush",
        "Banjo",
        "Marimba",
        "Pizzicato",
        "Steel drum",
        "Voice oohs",
    }
)


class Prepared(NamedTuple):
    """A candidate with its sound and the map by which it is compared."""

    candidate: Candidate
    samples: Pcm
    map: fingerprint.Map


@dataclass(frozen=True)
class FileJob:
    files: tuple[SoundFile, ...]


@dataclass(frozen=True)
class NoteJob:
    font: Path
    notes: tuple[SoundNote, ...]


def build(
    out: Path,
    sources: Path | None = None,
    workers: int = 2,
    progress: Progress = print,
) -> list[Row]:
    """Build the data set into ``out`` and return its rows.

    ``sources`` is a folder with the packages' files; without it they are taken from the system or
    fetched. The same packages give the same ids. Raises ``DatasetError``.
    """
    if workers < 1:
        raise DatasetError(f"{workers} processes cannot build anything; give --workers 1 or more.")
    packages = [locate(name, sources) for name in candidates.PRIORITY]
    for package in packages:
        progress(f"{package.name} {package.version}")
    jobs = [job for package in packages for job in plan(package)]
    prepared: list[Prepared] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for number, sounds in enumerate(pool.map(run_job, jobs), start=1):
            prepared += sounds
            progress(f"job {number} of {len(jobs)}: {len(prepared)} sounds so far")
    prepared.sort(key=lambda sound: not sound.candidate.shippable)  # of two doubles the one we may ship stays
    distinct = [prepared[i] for i in fingerprint.unique([sound.map for sound in prepared])]
    progress(f"{len(distinct)} sounds differ by {fingerprint.SAME_DB} dB or more")
    rows, samples = choose(label_unnamed(distinct))
    write(Path(out), rows, samples)
    write_notices(Path(out), packages)
    progress(summary(rows))
    return rows


def plan(package: Package) -> list[FileJob | NoteJob]:
    """The work on one package, cut into jobs; the cut does not depend on the number of workers."""
    if package.name in (FLUID, MUSESCORE):
        font = package.find(candidates.FONT_FILES[package.name])
        return [NoteJob(font, part) for part in _parts(candidates.font_notes(package), NOTES_A_JOB)]
    files = candidates.FILE_SOURCES[package.name](package)
    return [FileJob(part) for part in _parts(files, FILES_A_JOB)]


def run_job(job: FileJob | NoteJob) -> list[Prepared]:
    """The sounds of a job that differ from each other, prepared."""
    with tempfile.TemporaryDirectory() as folder:
        recordings = _recordings(job, Path(folder))
        prepared = [sound for recording in recordings if (sound := _prepared(*recording)) is not None]
    return [prepared[i] for i in fingerprint.unique([sound.map for sound in prepared])]


def _recordings(job: FileJob | NoteJob, folder: Path) -> Iterator[tuple[Candidate, NDArray[np.float32], int]]:
    if isinstance(job, FileJob):
        for candidate, path in job.files:
            try:
                audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise DatasetError(f"{path} cannot be read ({error}); fetch its package again.") from error
            yield candidate, audio, rate
        return
    notes = [note for _, note in job.notes]
    rendered = render.render(job.font, notes, folder)
    for (candidate, _), audio in zip(job.notes, rendered, strict=True):
        yield candidate, audio, render.RATE


def _prepared(candidate: Candidate, audio: NDArray[np.float32], rate: int) -> Prepared | None:
    samples = prepare(audio, rate, polyphase)
    return None if samples is None else Prepared(candidate, samples, fingerprint.fingerprint(samples))


def label_unnamed(sounds: Sequence[Prepared]) -> list[Prepared]:
    """The same sounds, each with a family; guessed, from sounds we may ship, where the name says nothing."""
    named = [sound for sound in sounds if sound.candidate.family and sound.candidate.shippable]
    unnamed = [i for i, sound in enumerate(sounds) if not sound.candidate.family]
    families = [sound.candidate.family for sound in named]
    labelled = list(sounds)
    if not unnamed:
        return labelled
    strange, familiar = [sounds[i].map for i in unnamed], [sound.map for sound in named]
    guesses = labels.guess_families(strange, familiar, families)
    for i, family in zip(unnamed, guesses, strict=True):
        candidate = sounds[i].candidate
        candidate = replace(candidate, family=family, name=f"{family} {candidate.name}")
        labelled[i] = sounds[i]._replace(candidate=candidate)
    return labelled


def choose(sounds: Sequence[Prepared]) -> tuple[list[Row], list[Pcm]]:
    """Rows and samples of the data set, split."""
    foreign = {sound.candidate.group for sound in sounds if not sound.candidate.shippable}
    splits = split.assign(
        [sound.candidate.group for sound in sounds],
        [sound.candidate.unit for sound in sounds],
        [sound.map for sound in sounds],
        held_out_groups=HELD_OUT_GROUPS,
        foreign_groups=foreign,
    )
    members = [(sound, name) for sound, name in zip(sounds, splits, strict=True) if name is not None]
    names = distinct_names(sound.candidate.name for sound, _ in members)
    rows = [_row(sound, name, part) for (sound, part), name in zip(members, names, strict=True)]
    return rows, [sound.samples for sound, _ in members]


def distinct_names(names: Iterable[str]) -> list[str]:
    """The same names, the second and later of equal ones numbered: Clap, Clap (2), Clap (3)."""
    counts: Counter[str] = Counter()
    distinct = []
    for name in names:
        counts[name] += 1
        distinct.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return distinct


def sound_id(samples: Pcm) -> str:
    """The first 12 hex digits of the sha256 of the float32 samples (little-endian, full scale 1)."""
    return hashlib.sha256(to_float(samples).astype("<f4").tobytes()).hexdigest()[:12]


def _row(sound: Prepared, name: str, part: str) -> Row:
    c = sound.candidate
    identity = sound_id(sound.samples)
    return Row(
        id=identity,
        name=name,
        family=c.family,
        source=c.source,
        package=c.package,
        version=c.version,
        licence=c.licence,
        credit=c.credit,
        group=c.group,
        split=part,
        note=c.note,
        velocity=c.velocity,
        seconds=audible_seconds(sound.samples),
        pitch_hz=c.pitch_hz,
        shippable=c.shippable,
        file=f"audio/{identity}.flac",
    )


def write(out: Path, rows: Sequence[Row], samples: Sequence[Pcm]) -> None:
    """Write the folder, the table last; what an earlier build left there goes first."""
    audio = out / "audio"
    (out / table.TABLE).unlink(missing_ok=True)
    shutil.rmtree(audio, ignore_errors=True)
    audio.mkdir(parents=True)
    for row, pcm in zip(rows, samples, strict=True):
        soundfile.write(out / row.file, pcm, SAMPLE_RATE, subtype="PCM_16")
    table.write(out, rows)


def write_notices(out: Path, packages: Sequence[Package]) -> None:
    """Put the packages' own statements of copyright and licence beside the sounds: ``notices/``."""
    folder = out / "notices"
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        for path in package.notices():
            shutil.copyfile(path, folder / f"{package.name}-{path.stem}.txt")


def summary(rows: Sequence[Row]) -> str:
    """A table of counts: source and split against family."""
    counts = Counter((row.source, row.split, row.family) for row in rows)
    heads = sorted({(row.source, row.split) for row in rows}, key=lambda h: (split.SPLITS.index(h[1]), h[0]))
    lines = [f"{'source':34}{'split':17}" + "".join(f"{f[:9]:>11}" for f in labels.FAMILIES) + f"{'all':>7}"]

    def line(source: str, part: str, numbers: list[int]) -> str:
        return f"{source:34}{part:17}" + "".join(f"{n:11}" for n in numbers) + f"{sum(numbers):7}"

    for source, part in heads:
        lines.append(line(source, part, [counts[source, part, family] for family in labels.FAMILIES]))
    for part in split.SPLITS:
        of_part = Counter(row.family for row in rows if row.split == part)
        lines.append(line("all", part, [of_part[family] for family in labels.FAMILIES]))
    shippable = Counter(row.family for row in rows if row.shippable)
    lines.append(line("all shippable", "", [shippable[family] for family in labels.FAMILIES]))
    return "\n".join(lines)


def _parts(items: Sequence[Any], size: int) -> Iterator[tuple[Any, ...]]:
    for begin in range(0, len(items), size):
        yield tuple(items[begin : begin + size])
