"""Paths between sounds, and their sound: what a model offers on top of its points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from sonifold.audio.clip import Clip
from sonifold.model.core import LatentModel
from sonifold.model.paths import PathFinder
from sonifold.model.rendering import MorphPart, PathRenderer
from sonifold.morph.path import Path
from sonifold.parallel import MapParallel, map_serially
from sonifold.sound import Sound


class MorphModel(LatentModel):
    """A pack in memory, with paths between sounds and the morphs along them. One serves many threads."""

    @cached_property
    def finder(self) -> PathFinder:
        """Solves, times and measures paths."""
        return PathFinder(self)

    @cached_property
    def path_renderer(self) -> PathRenderer:
        """Makes paths audible."""
        return PathRenderer(self, self.finder)

    def geodesic(
        self,
        start: Sound,
        end: Sound,
        metric: str = "blend",
        weight: float | None = None,
        steps: int = 17,
    ) -> Path:
        """The shortest path under a metric, at constant perceptual speed."""
        return self.paths([(start, end)], "geodesic", metric, weight, steps)[0]

    def linear(self, start: Sound, end: Sound, retimed: bool = False, steps: int = 17) -> Path:
        """The straight line in latent space, or the same line at constant perceptual speed."""
        return self.paths([(start, end)], "retimed" if retimed else "linear", steps=steps)[0]

    def paths(
        self,
        pairs: list[tuple[Sound, Sound]],
        kind: str = "geodesic",
        metric: str = "blend",
        weight: float | None = None,
        steps: int = 17,
    ) -> list[Path]:
        """Paths for a batch of pairs.

        Args:
            kind: ``geodesic`` and ``graph`` (through real neighbours) are re-timed, as is ``retimed``, the line at
                constant perceptual speed; ``linear`` is the bare line.
            metric: of the geodesic, and of the energies reported.
            weight: of the blend's data term, 0 (shortest) to about 10; infinity is the graph path. The pack's
                default when None.
            steps: sounds along the path, ends included, 2 to 129.

        Raises:
            ValueError: an unknown kind or metric, a negative weight, or too few or many steps.
        """
        return self.finder.paths(pairs, kind, metric, weight, steps)

    # -- sound ------------------------------------------------------------------------------------

    def render_steps(self, paths: list[Path]) -> list[Clip]:
        """The sounds at each path's steps, Clip.audio (step, sample); the ends are the recordings themselves."""
        return self.path_renderer.steps(paths)

    def morph(self, path: Path) -> tuple[Path, Clip]:
        """The path re-timed by its rendered sounds, and the sounds at its steps."""
        return self.path_renderer.morph(path)

    def morph_parts(self, path: Path, each: MapParallel = map_serially) -> Iterator[MorphPart]:
        """The same in parts, each final when it comes: the ends, then the steps from A on.

        Args:
            each: computes steps at the same time, as ``ThreadPoolExecutor.map`` does; one after another by default.
        """
        return self.path_renderer.parts(path, each)

    def render(self, path: Path, seconds: float = 4.0) -> Clip:
        """One sound that changes from A to B while it sounds (a glide), Clip.audio (sample,).

        Raises:
            ValueError: ``seconds`` is not from 0.5 to 20.
        """
        return self.path_renderer.glide(path, seconds)

    render_glide = render
