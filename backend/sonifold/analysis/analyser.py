"""How sounds are: where a model has them, their family, and what can be measured on them.

Many at once, and quickly: a latent point is the encoder's mean, without the inversion that a sound gets which a morph
begins or ends at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from sonifold.analysis.facts import Floats, SoundFacts
from sonifold.analysis.families import FamilyGuess
from sonifold.audio.descriptors import erb_rate
from sonifold.audio.loudness import momentary
from sonifold.audio.pitch import pitch
from sonifold.audio.prepare import SAMPLE_RATE, one_shot, to_float
from sonifold.audio.read import Recording, read_beginning
from sonifold.errors import AudioError
from sonifold.model.core import LatentModel

#: Of a prepared sound, in which its note is looked for.
PITCH_SAMPLES = SAMPLE_RATE // 2
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
        model, audio = self._model, torch.from_numpy(sounds)
        features, _ = model.representation.analyse(audio)
        points = model.vae.encode(model.coefficients.analyse(features))[0]
        timbre = model.timbre_of(audio)
        positions, families = model.project(points).tolist(), self._families.of(timbre)
        described = {name: values.tolist() for name, values in model.describe_audio(audio).items()}
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
