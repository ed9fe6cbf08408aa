"""Paths made audible: the sounds at their steps, timed again by what is heard, and glides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sonifold.audio.clip import Clip
from sonifold.model import provenance
from sonifold.model.core import LatentModel
from sonifold.model.paths import EVEN, PathFinder, distances_between, variation
from sonifold.morph.glide import glide
from sonifold.morph.path import Path
from sonifold.parallel import MapParallel, map_serially
from sonifold.types import AudioBatch, Timbre

#: Variation of the steps above which they are timed again, each time; a round costs more where a pitch travels.
TOLERATED = EVEN, 0.045, 0.06
TOLERATED_TRAVELLING = EVEN, 0.06
GLIDE_SECONDS = 0.5, 20.0  # shorter has no room for two attacks, longer is mostly held sound
PART = 8  # steps between moments at which to stop, at most; one by one they take a third longer
PINNED_FROM = 6  # steps of a path; of shorter ones the first is not rendered before the others
STRETCH = 1.08  # distances heard over those foretold: the median of 60 random pairs, quartiles 1.05 and 1.17
NEAR = 0.08  # the first step is rendered again where its distance from A is off by more
FIRST_ROUNDS = 2


class MorphPart(NamedTuple):
    """Some of a morph's sounds, as they stay."""

    path: Path  # as far as it is timed by then
    steps: list[int]  # none: nothing new, but a moment at which to stop
    clips: list[Clip]  # one for each
    whole: Clip | None = None  # with the last part: the sounds of all steps


class RenderedSteps(NamedTuple):
    """Sounds at steps, and their timbre."""

    audio: AudioBatch  # (step, sample)
    timbre: Timbre  # (step, 512)


class PathRenderer:
    """Renders a model's paths."""

    def __init__(self, model: LatentModel, finder: PathFinder):
        self._model, self._finder = model, finder

    def steps(self, paths: Sequence[Path]) -> list[Clip]:
        """See :meth:`sonifold.Model.render_steps`."""
        return [self._clip(self._audio(path, torch.arange(path.steps)), path) for path in paths]

    def morph(self, path: Path) -> tuple[Path, Clip]:
        """A path made audible, re-timed by what is heard: all of :meth:`parts`.

        Returns:
            The path as rendered, its speed measured on the rendered sounds where it was re-timed, and the sounds.
        """
        return whole_of(self.parts(path))

    def parts(self, path: Path, each: MapParallel = map_serially) -> Iterator[MorphPart]:
        """The same in parts: the ends, which are recordings, then the steps from A on, none of them changed later.

        Rendering moves the timbre a little off the features that the path was timed by; a step louder in its first
        milliseconds than predicted can double the steps around it. So the steps that are heard too far from where
        they should be are moved and rendered again: the first one by how far it is from A, before the others are
        there, the others by all of them. The bare line is left as it is, its speed that of its features.

        Args:
            path: as :class:`PathFinder` finds it.
            each: computes groups of steps at the same time.
        """
        last = path.steps - 1
        audio = torch.empty(path.steps, self._model.sound_samples)
        ends = torch.tensor([0, last])
        audio[ends] = self._audio(path, ends)
        yield self._part(path, ends, audio)
        rest = self._bare_parts if path.kind == "linear" else self._retimed_parts
        for part in rest(path, audio, each):
            path = part.path
            yield part
        yield MorphPart(path, [], [], self._clip(audio, path))

    def _bare_parts(self, path: Path, audio: AudioBatch, each: MapParallel) -> Iterator[MorphPart]:
        """What comes after the ends, of a path that stays as it is; written into ``audio`` (step, sample) too."""
        inner = torch.arange(1, path.steps - 1)
        for steps in (*parts_of(inner[:1]), *parts_of(inner[1:])):
            audio[steps] = torch.cat(list(each(partial(self._audio, path), halves_of(steps))))
            yield self._part(path, steps, audio)

    def _retimed_parts(self, path: Path, audio: AudioBatch, each: MapParallel) -> Iterator[MorphPart]:
        """The same of a path that is timed again."""
        timbre = self._timbre(path, audio[[0, -1]])[[0, *[1] * (path.steps - 1)]]
        pinned = 1 if path.steps >= PINNED_FROM else 0
        if pinned:
            path, first = self._first_step(path, RenderedSteps(audio[:1], timbre[:1]))
            audio[1], timbre[1] = first.audio[0], first.timbre[0]
            yield self._part(path, torch.tensor([1]), audio)
        inner = torch.arange(pinned + 1, path.steps - 1)
        for steps in parts_of(inner):
            audio[steps], timbre[steps] = self._rendered(path, steps, each)
            yield MorphPart(path, [], [])
        as_rendered = path, audio.clone()
        interval = self._model.renderer.crossing(path.start, path.end).interval
        for tolerated in TOLERATED_TRAVELLING if interval else TOLERATED:
            distances = distances_between(timbre)
            if variation(distances) <= tolerated:
                break
            timed = self._finder.retimed(path, distances, pinned)
            changed = (timed.times != path.times).nonzero()[:, 0]
            path = timed
            for steps in parts_of(changed):
                audio[steps], timbre[steps] = self._moved(path, steps, each, *as_rendered)
                yield MorphPart(path, [], [])
        path = replace(path, speed=distances_between(timbre) * self._model.config.unit_per_phi)
        yield self._part(path, inner, audio)

    def _part(self, path: Path, steps: Tensor, audio: AudioBatch) -> MorphPart:
        """Some of the sounds ``audio`` (step, sample) of a path."""
        about = provenance.of_path(self._model, path, "steps")
        numbers: list[int] = steps.tolist()
        clips = [Clip(audio[step], self._model.sample_rate, about.of_part(step)) for step in numbers]
        return MorphPart(path, numbers, clips)

    def _first_step(self, path: Path, start: RenderedSteps) -> tuple[Path, RenderedSteps]:
        """The step after A as far from A, which is ``start``, as all steps are expected to be apart."""
        expected = STRETCH * float(path.speed.mean()) / self._model.config.unit_per_phi
        step = torch.tensor([1])
        rendered = self._rendered(path, step, map_serially)
        for _ in range(FIRST_ROUNDS):
            distance = float((rendered.timbre[0] - start.timbre[0]).norm())
            if abs(distance - expected) <= NEAR * expected or distance == 0:
                break
            times = path.times.clone()
            times[1] = min(float(times[1]) * expected / distance, float(times[2] + times[1]) / 2)
            before, path = path, self._finder.timed_at(path, times)
            rendered = (
                self._moved(path, step, map_serially, before, torch.cat([start.audio, rendered.audio]))
                if distance > expected
                else self._rendered(path, step, map_serially)
            )
        return path, rendered

    def _rendered(self, path: Path, steps: Tensor, each: MapParallel) -> RenderedSteps:
        """Some of a path's steps, by number."""
        return self._measured(path, partial(self._audio, path), steps, each)

    def _moved(
        self, path: Path, steps: Tensor, each: MapParallel, before: Path, audio: AudioBatch
    ) -> RenderedSteps:
        """The same from the first sounds ``audio`` (some, sample) of the path as it was timed ``before``.

        Where a pitch travels they are rendered again: every place has phases of its own.
        """
        renderer = self._model.renderer
        if renderer.crossing(path.start, path.end).interval:
            return self._rendered(path, steps, each)
        times = before.times[: len(audio)]

        def move(group: Tensor) -> AudioBatch:
            progress = group / (path.steps - 1)
            return renderer.moved_on(audio, times, path.times[group], progress, path.start, path.end)

        return self._measured(path, move, steps, each)

    def _measured(
        self, path: Path, make: Callable[[Tensor], AudioBatch], steps: Tensor, each: MapParallel
    ) -> RenderedSteps:
        """What ``make`` makes of groups of a path's steps, by number, with its timbre."""

        def measure(group: Tensor) -> RenderedSteps:
            audio = make(group)
            return RenderedSteps(audio, self._timbre(path, audio))

        groups = each(measure, halves_of(steps))
        return RenderedSteps(
            torch.cat([audio for audio, _ in groups]), torch.cat([timbre for _, timbre in groups])
        )

    def _timbre(self, path: Path, audio: AudioBatch) -> Timbre:
        """Timbre (step, 512) that a path's steps are spaced by: coarse, to a hundredth, but where partials move."""
        crossing = self._model.renderer.crossing(path.start, path.end)
        return self._model.timbre_of(audio, coarse=crossing.interval == 0)

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


def whole_of(parts: Iterable[MorphPart]) -> tuple[Path, Clip]:
    """The path and the sounds that the last of a morph's parts has."""
    for part in parts:
        path, whole = part.path, part.whole
    assert whole is not None, "the last part has the whole"
    return path, whole


def parts_of(steps: Tensor) -> Sequence[Tensor]:
    """Steps, by number, in equal parts of ``PART`` at most; none of none."""
    return steps.tensor_split(-(-len(steps) // PART)) if len(steps) else ()


def halves_of(steps: Tensor) -> Sequence[Tensor]:
    """Steps, by number, in two groups as equal as can be, for two threads that end together; one of a single step."""
    return steps.tensor_split(min(2, len(steps)))
