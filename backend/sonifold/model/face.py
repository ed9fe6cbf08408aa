"""A trained pack, ready to use: sounds to points, paths between them, and back to sound."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from sonifold import notebook
from sonifold.audio.clip import Clip
from sonifold.choices import DistanceName
from sonifold.model.distribution import Distribution
from sonifold.model.morphing import MorphModel
from sonifold.model.neighbours import Neighbours
from sonifold.model.orbits import Registration, SoundOrbits, check_group
from sonifold.model.points import AnalogyPoint, ExtrapolationPoint, MeanPoint, PointOperations
from sonifold.model.samples import Draw, PointSampler
from sonifold.model.traversal import Traversal, Traversals
from sonifold.sound import Sound


class Model(MorphModel):
    """A pack in memory, with paths, morphs, neighbours and new points. One serves many threads.

    Lengths and distances are in ``unit``: Phi scaled so that the median distance between two library sounds equals
    their median RMS log-mel distance in dB.
    """

    @cached_property
    def nearby(self) -> Neighbours:
        """Distances and nearest sounds, also among sounds beside the library."""
        return Neighbours(self)

    @cached_property
    def orbits(self) -> SoundOrbits:
        """Transpositions of sounds, and distances modulo these."""
        return SoundOrbits(self)

    @cached_property
    def distribution(self) -> Distribution:
        """Tests whether points are in distribution."""
        return Distribution(self)

    @cached_property
    def points(self) -> PointOperations:
        """New points from old."""
        return PointOperations(self, self.distribution)

    @cached_property
    def sampler(self) -> PointSampler:
        """New points at random."""
        return PointSampler(self, self.distribution)

    @cached_property
    def traversals(self) -> Traversals:
        """Directions of descriptors."""
        return Traversals(self, self.distribution)

    def _repr_html_(self) -> str:
        """Its title and size beside its map, one colour a family, in a notebook."""
        return _html(self)

    # -- distances --------------------------------------------------------------------------------

    def distance(
        self, a: Sound, b: Sound, distance: str = DistanceName.PERCEPTUAL, modulo: str | None = None
    ) -> float:
        """Distance between two sounds, by default the perceptual one, in ``unit``; see :meth:`distances`.

        A :class:`Path` has a length of its own, which is longer: what is heard along that one path.
        """
        return float(self.distances([a, b], distance, modulo)[0, 1])

    def distances(
        self, sounds: list[Sound], distance: str = DistanceName.PERCEPTUAL, modulo: str | None = None
    ) -> Tensor:
        """Distances between all pairs, (sound, sound).

        ``perceptual``: |Phi_a - Phi_b| of the recordings, in ``unit``; of points without a recording, of what is
        decoded there. ``geodesic``: length of the shortest path under the pull-back of Phi, in ``unit``: the least
        that the model's own sounds have to change. ``euclidean``: of the latent points, in latent units.

        Args:
            modulo: ``transposition`` takes the least over one octave up and down of either sound; see
                :mod:`sonifold.quotient`. Geodesics start from the copy that is registered by what is decoded.

        Raises:
            ValueError: another distance, or another group.
        """
        if check_group(modulo):
            return self.orbits.distances(sounds, distance)
        return self.nearby.distances(sounds, distance)

    def register(self, sound: Sound, other: Sound) -> Registration:
        """A copy of ``sound`` in the key in which it is nearest to ``other``.

        From the copy the shortest path is a geodesic modulo transposition.
        """
        return self.orbits.register(sound, other)

    def neighbours(
        self,
        sound: Sound,
        count: int = 8,
        distance: str | None = None,
        metric: str | None = None,
        weight: float | None = None,
        modulo: str | None = None,
    ) -> list[tuple[str, float]]:
        """The nearest library sounds, nearest first, without the sound itself: (id, distance).

        Args:
            distance: see :meth:`distances`; ``perceptual`` where neither it nor a metric is named. Geodesic distances
                rank anew the fifty (or three times the count) that are nearest in latent space.
            metric: of geodesic distances, by default the pull-back, under which they are in ``unit``; under another
                they are in its own.
            weight: the blend's.
            modulo: ``transposition``, of perceptual distances.

        Raises:
            ValueError: another name, or another distance than the perceptual one modulo a group.
        """
        if check_group(modulo):
            name = DistanceName.asked_for(distance, metric, weight)
            if name is not DistanceName.PERCEPTUAL:
                raise ValueError(
                    f"neighbours modulo {modulo} go by perceptual distance, not by the {name} one."
                )
            return self.nearby.nearest_modulo(sound, count, self.orbits)
        return self.nearby.nearest(sound, count, distance, metric, weight, exclude=sound.id)

    # -- new points: see sonifold.model.points and samples ------------------------------------------------------

    def mean(
        self,
        sounds: list[Sound],
        weights: list[float] | None = None,
        metric: str = "blend",
        weight: float | None = None,
        modulo: str | None = None,
    ) -> MeanPoint:
        """The weighted Frechet mean of sounds; modulo ``transposition``, in the keys that bring them together."""
        sounds = self.orbits.align(sounds) if check_group(modulo) else sounds
        return self.points.mean(sounds, weights, metric, weight)

    def analogy(
        self, a: Sound, b: Sound, c: Sound, metric: str = "blend", weight: float | None = None
    ) -> AnalogyPoint:
        """The point that relates to C as B relates to A."""
        return self.points.analogy(a, b, c, metric, weight)

    def extrapolate(
        self, a: Sound, b: Sound, to: float = 1.5, metric: str = "blend", weight: float | None = None
    ) -> ExtrapolationPoint:
        """A point beyond B on the geodesic from A, ``to`` times the distance between them from A."""
        return self.points.extrapolate(a, b, to, metric, weight)

    def sample(
        self,
        sampler: str = "hmc",
        count: int = 16,
        seed: int = 0,
        temperature: float = 1.0,
        start: Sound | None = None,
        metric: str = "kernel",
    ) -> Draw:
        """New points by one of :class:`sonifold.choices.SamplerName`, by the volume of a metric."""
        return self.sampler.sample(sampler, count, seed, temperature, start, metric)

    # -- descriptors: see sonifold.audio.descriptors ----------------------------------------------

    def traversal(
        self,
        sound: Sound,
        descriptor: str,
        steps: int = 9,
        reach: float | None = None,
        metric: str = "blend",
        weight: float | None = None,
        hold: bool = True,
    ) -> Traversal:
        """Sounds with less and more of a descriptor; see :meth:`sonifold.model.traversal.Traversals.traversal`."""
        return self.traversals.traversal(sound, descriptor, steps, reach, metric, weight, hold)

    def render_traversal(self, traversal: Traversal) -> Clip:
        """The sounds of a traversal, Clip.audio (step, sample)."""
        return self.traversals.render(traversal)


def _html(model: Model) -> str:
    library = model.library
    rows = {
        "model": f"{model.title} ({model.name})",
        "sounds": f"{len(library)} in {len(library.family_names)} families",
        "latent space": f"{model.latent_dim} dimensions",
        "unit of distances": model.unit,
    }
    positions = library.positions.detach().cpu().numpy()
    dots = notebook.dots(positions, library.families, library.family_names)
    return f"<div>{notebook.table(rows)}{notebook.drawing(dots, 'The map of its sounds')}</div>"
