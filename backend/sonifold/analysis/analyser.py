"""How sounds are: where a model has them, their family, and what can be measured on them.

Many at once, and quickly: a latent point is the encoder's mean, without the inversion that a sound gets which a morph
begins or ends at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonifold.analysis.facts import Floats, SoundFacts
from sonifold.analysis.families import FamilyGuess
from sonifold.audio.descriptors import erb_rate, sounding_lengths
from sonifold.audio.loudness import momentary
from sonifold.audio.pitch import pitch
from sonifold.audio.prepare import SAMPLE_RATE, one_shot, to_float
from sonifold.audio.read import Recording, read_beginning
from sonifold.errors import AudioError
from sonifold.model.core import LatentModel
from sonifold.types import AudioBatch, Timbre

#: Of a prepared sound, in which its note is looked for: in three eighths of a second it is as well heard as in the
#: whole (of 170 library notes 161 right and 1 wrong, of the whole sounds 162 and 5).
PITCH_SAMPLES = 3 * SAMPLE_RATE // 8
#: Sounds whose spectra are in memory at once, of about the same length; lengths are whole parts of so many samples.
GROUP, PART = 8, 2048
#: The top of the scale of brightness: its 1.
BRIGHTEST = float(erb_rate(16_000.0))


class Analyser:
    """Analyses files by a model."""

    def __init__(self, model: LatentModel) -> None:
        self._model, self._families = model, FamilyGuess(model.library)

    def analyse(self, paths: Sequence[Path]) -> list[SoundFacts | AudioError]:
        """Facts of each file, or why it cannot be used."""
        results: list[SoundFacts | AudioError | None] = []
        recordings: list[tuple[Recording, float | None]] = []
        sounds: list[Floats] = []
        for path in paths:
            try:
                recording, seconds = read_beginning(path)
                sounds.append(to_float(one_shot(recording)))
            except AudioError as error:
                results.append(error)
            else:
                recordings.append((recording, seconds))
                results.append(None)
        facts = iter(self._facts(recordings, np.stack(sounds)) if sounds else [])
        return [next(facts) if result is None else result for result in results]

    @torch.no_grad()
    def _facts(self, recordings: list[tuple[Recording, float | None]], sounds: Floats) -> list[SoundFacts]:
        model = self._model
        coefficients, timbre = self._spectra(torch.from_numpy(sounds))
        points = model.vae.encode(coefficients)[0]
        positions, families = model.project(points).tolist(), self._families.of(timbre)
        described = {
            name: values.tolist() for name, values in model.describe_audio(torch.from_numpy(sounds)).items()
        }
        return [
            SoundFacts(
                seconds=seconds,
                sample_rate=recording.sample_rate,
                channels=recording.channels,
                z=points[row].numpy(),
                timbre=timbre[row].numpy(),
                x=positions[row][0],
                y=positions[row][1],
                family=families[row][0],
                confidence=families[row][1],
                pitch_hz=pitch(sounds[row, :PITCH_SAMPLES], SAMPLE_RATE),
                loudness=float(momentary(recording.samples[None], recording.sample_rate)[0]),
                brightness=min(max(described["brightness"][row] / BRIGHTEST, 0.0), 1.0),
                attack=10 ** described["attack"][row],
                decay=10 ** described["decay"][row],
                noisiness=described["noisiness"][row],
                inharmonicity=described["inharmonicity"][row],
                roughness=described["roughness"][row],
            )
            for row, (recording, seconds) in enumerate(recordings)
        ]

    def _spectra(self, audio: AudioBatch) -> tuple[Tensor, Timbre]:
        """What the encoder takes, and Phi (sound, 512). Of each sound no more is looked at than its own length."""
        lengths = sounding_lengths(audio)
        order = lengths.argsort()
        coefficients, timbre = [], []
        for rows in order.split(GROUP):
            part = audio[rows, : (int(lengths[rows[-1]]) // PART + 2) * PART]
            features, _ = self._model.representation.analyse(part)
            coefficients.append(self._model.coefficients.analyse(features))
            timbre.append(self._model.timbre_of(part))
        back = order.argsort()
        return torch.cat(coefficients)[back], torch.cat(timbre)[back]
