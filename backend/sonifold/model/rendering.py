"""Paths made audible: the sounds at their steps, timed again by what is heard, and glides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sonifold.audio.clip import Clip
from sonifold.model import provenance
from sonifold.model.core import LatentModel
from sonifold.model.paths import EVEN, PathFinder, distances_between, variation
from sonifold.morph.glide import glide
from sonifold.morph.path import Path
from sonifold.types import AudioBatch

UNEVEN = 0.06  # variation of the steps above which they are timed a second time
GLIDE_SECONDS = 0.5, 20.0  # shorter has no room for two attacks, longer is mostly held sound


class PathRenderer:
    """Renders a model's paths."""

    def __init__(self, model: LatentModel, finder: PathFinder):
        self._model, self._finder = model, finder

    def steps(self, paths: Sequence[Path]) -> list[Clip]:
        """See :meth:`sonifold.Model.render_steps`."""
        return [self._clip(self._audio(path, torch.arange(path.steps)), path) for path in paths]

    def morph(self, path: Path) -> tuple[Path, Clip]:
        """A path made audible, re-timed by what is heard.

        Rendering moves the timbre a little off the features that the path was timed by; a step louder in its first
        milliseconds than predicted can double the steps around it. So the steps that are heard too far from where
        they should be are moved and rendered again. The bare line is left as it is, its speed
        that of its features.

        Returns:
            The path as rendered, its speed measured on the rendered sounds where it was re-timed, and the sounds.
        """
        if path.kind == "linear":
            return path, self.steps([path])[0]
        audio = self._audio(path, torch.arange(path.steps))
        timbre = self._model.timbre_of(audio)
        for tolerated in (EVEN, UNEVEN):
            distances = distances_between(timbre)
            if variation(distances) <= tolerated:
                break
            timed = self._finder.retimed(path, distances)
            changed = (timed.times != path.times).nonzero()[:, 0]
            path = timed
            if len(changed):
                audio[changed] = self._audio(path, changed)
                timbre[changed] = self._model.timbre_of(audio[changed])
        path = replace(path, speed=distances_between(timbre) * self._model.config.unit_per_phi)
        return path, self._clip(audio, path)

    def glide(self, path: Path, seconds: float) -> Clip:
        """See :meth:`sonifold.Model.render`."""
        if not GLIDE_SECONDS[0] <= seconds <= GLIDE_SECONDS[1]:
            raise ValueError(
                f"a glide is {GLIDE_SECONDS[0]} to {GLIDE_SECONDS[1]:.0f} seconds long, got {seconds}."
            )
        audio = glide(self.steps([path])[0].audio, seconds, self._model.representation)
        about = provenance.of_path(self._model, path, "glide", seconds=seconds)
        return Clip(audio, self._model.sample_rate, about)

    def _clip(self, audio: AudioBatch, path: Path) -> Clip:
        return Clip(audio, self._model.sample_rate, provenance.of_path(self._model, path, "steps"))

    def _audio(self, path: Path, steps: Tensor) -> AudioBatch:
        """The sounds (step, sample) at some of a path's steps, by number."""
        times = path.times[steps]
        return self._model.renderer.steps(
            path.nodes[steps],
            times,
            path.start,
            path.end,
            progress=steps / (path.steps - 1),
            features=path.features_at(times),
        )
