"""Sounds for instruments: of files, whole and in all their channels; of a library; of the steps of a morph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sonifold.audio.archive import LONGEST_NAME, numbered
from sonifold.audio.clip import NORMAL_PEAK, Clip, audible_span, fade_out
from sonifold.audio.decode import opened
from sonifold.audio.limits import MAX_SAMPLES
from sonifold.audio.notes import note_hz
from sonifold.audio.pitch import pitch
from sonifold.audio.provenance import Source, of_recording
from sonifold.audio.read import existing
from sonifold.audio.view import View
from sonifold.errors import AudioTooLong, AudioTooShort
from sonifold.instruments.instrument import KeySound
from sonifold.instruments.sampler_chunk import sampler_chunk
from sonifold.model import Model
from sonifold.model.provenance import source_labelled, version_of
from sonifold.version import __version__


def of_file(path: Path) -> KeySound:
    """A recording as it is: its own rate, all its channels, the loop that a WAV may hold; its pitch is measured.

    Raises:
        AudioUnreadable: no such file, or no sound in it that can be read.
        AudioTooShort, AudioTooLong: nothing in it, or more than ten million samples.
    """
    with existing(path).open("rb") as file:
        decoder = opened(View(file), path.name)
        try:
            most = MAX_SAMPLES // decoder.channels
            blocks = list(decoder.blocks(most + 1))
        finally:
            decoder.close()
        chunk = sampler_chunk(View(file))
    samples = np.concatenate(blocks) if blocks else np.zeros((0, decoder.channels), np.float32)
    if not len(samples):
        raise AudioTooShort(f"{path.name} has no sound in it; leave it out.")
    if len(samples) > most:
        seconds = most / decoder.rate
        raise AudioTooLong(
            f"{path.name} is longer than {seconds:.0f} s, too long for an instrument; cut it first."
        )
    about = of_recording("", __version__, Source(path.stem, file=path))
    hertz = pitch(samples.mean(axis=1), decoder.rate) or (note_hz(chunk.key) if chunk else None)
    return KeySound(path.stem, samples, decoder.rate, hertz, loop=chunk and chunk.loop, provenance=about)


def of_library(model: Model, sound_id: str) -> KeySound:
    """A library sound; its pitch is measured where the library does not know it.

    Raises:
        SoundNotFound: no sound has that id.
    """
    label = model.library.labels[model.library.index(sound_id)]
    about = of_recording(model.name, version_of(model), source_labelled(label))
    clip = Clip(model.library.audio(sound_id), model.sample_rate, about)
    return of_clip(clip, label.name, label.family, label.pitch_hz)


def of_steps(clip: Clip) -> list[KeySound]:
    """The steps of a morph, named after its ends and numbered."""
    title = (clip.provenance.title if clip.provenance else "step")[: LONGEST_NAME - 5].rstrip()
    steps = clip.each()
    return [of_clip(step, numbered(title, index, len(steps))) for index, step in enumerate(steps)]


def of_clip(clip: Clip, name: str, family: str = "", pitch_hz: float | None = None) -> KeySound:
    """One sound; its pitch is measured where none is given."""
    hertz = pitch_hz or pitch(clip.samples, clip.sample_rate)
    return KeySound(name, clip.samples[:, None], clip.sample_rate, hertz, family, provenance=clip.provenance)


def shaped(sounds: Sequence[KeySound], *, trim: bool, normalise: bool) -> list[KeySound]:
    """The sounds as an export wants them: without the silence at their ends, at one level, or as they are."""
    ends = [trimmed(sound) for sound in sounds] if trim else list(sounds)
    return [normalised(sound) for sound in ends] if normalise else ends


def trimmed(sound: KeySound) -> KeySound:
    """A sound without the silence at its ends. One with a loop stays as it is, or the loop would be elsewhere."""
    start, end = audible_span(np.abs(sound.samples).max(axis=1), sound.sample_rate)
    if sound.loop or start == end:
        return sound
    fade = fade_out(end - start, sound.sample_rate)
    return replace(sound, samples=sound.samples[start:end] * fade[:, None])


def normalised(sound: KeySound) -> KeySound:
    """A sound with its loudest sample at -1 dB of full scale; silence stays as it is."""
    peak = float(np.abs(sound.samples).max(initial=0.0))
    return replace(sound, samples=sound.samples * np.float32(NORMAL_PEAK / peak)) if peak > 0 else sound
