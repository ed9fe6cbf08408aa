r"""Directions that have a name: brighter, softer attack, longer - from any sound, among sounds that exist.

A descriptor D(z) of what is heard at z rises fastest, for the distance travelled, along its natural gradient
G^-1 grad D (Amari 1998, "Natural gradient works efficiently in learning", eq. 4): the metric says what a far way is,
and its inverse is small where there are no data, so the way bends along them. A stride that changes the descriptors by
c, in library standard deviations, as cheaply as the metric allows is

    dz = G^-1 A' (A G^-1 A')^-1 c,        A the gradients, one row a descriptor.

With one row that is the natural gradient, scaled; with all of them, and c zero but for the one that is named (and for
what the others have drifted by), the others are held. A is exact where the traversal begins and is brought up to date
by what each stride was seen to do (Broyden 1965, "A class of methods for solving nonlinear simultaneous equations",
eq. 4.5), exactly again where that misleads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sonifold import linalg
from sonifold.atlas import smooth_course
from sonifold.audio.clip import Clip
from sonifold.audio.descriptors import DESCRIPTORS
from sonifold.errors import NotFinite
from sonifold.metric import Metric
from sonifold.model import provenance
from sonifold.model.core import LatentModel
from sonifold.model.distribution import Distribution
from sonifold.representation.spectral import suppress_hiss
from sonifold.sound import Sound, residuals
from sonifold.types import Curve, Points, Positions, Tensors, Vectors

REACH = 1.5  # library standard deviations to either side, unless asked otherwise
MAX_REACH = 4.0
STRIDES = 5  # to either side, when all goes well
MAX_ROUNDS = 10
RIDGE = 0.03  # of the mean diagonal of A G^-1 A': descriptors that move together cannot all be held
FOLLOWED = 0.4  # part of the change asked for that must come
SLIGHT = (
    0.1  # part of the change asked for, both ways together, under which a traversal hardly changes the sound
)
ARRIVED = 0.97  # part of the reach that counts as all of it
MIN_STEPS, MAX_STEPS = 3, 65


class End(StrEnum):
    """Reasons why a traversal ends."""

    REACHED = "as far as was asked"
    LEFT_THE_DATA = "any further leaves the known sounds"
    FLAT = "nothing near here changes it any further"


@dataclass(frozen=True)
class Traversal:
    """Sounds that differ from one of them, the origin, in what a word says, less of it first."""

    descriptor: str
    points: Points  #: (step, latent)
    positions: Positions  #: (step, 2) on the map
    values: Tensor  #: (step,) of the descriptor as heard, evenly spaced but for what is between the strides
    in_distribution: Tensor  #: (step,) bool: see :mod:`sonifold.model.distribution`
    distances: Tensor  #: (step,) to the nearest library sound, both as the model makes them, in its unit
    origin: int  #: which of the steps is the sound itself
    stopped: dict[str, str]  #: why it goes no further, at the end with "less" and the one with "more"
    slight: bool  #: from end to end the descriptor moves by less than a tenth of what was asked
    descriptors: dict[str, list[float]]  #: all of them, name -> a number a step
    curve: Curve = field(repr=False)  #: (node, latent) the strides of the flow, from less to more
    course: Positions = field(repr=False)  #: (node, 2) the same on the map
    sound: Sound = field(repr=False)  #: where it started; its residual goes along

    @property
    def steps(self) -> int:
        """Number of sounds."""
        return len(self.points)


class Traversals:
    """Named directions in a model's latent space."""

    def __init__(self, model: LatentModel, distribution: Distribution):
        self.model, self._distribution = model, distribution
        self._tangents = model.vae.tangents(exact=True)

    @cached_property
    def spread(self) -> dict[str, float]:
        """Standard deviation of each descriptor over the library, as the model makes its sounds."""
        with torch.no_grad():
            parts = [self.model.describe(part) for part in self.model.library.z.split(32)]
        return {name: float(torch.cat([part[name] for part in parts]).std()) for name in DESCRIPTORS}

    @property
    def scale(self) -> Tensor:
        """The same as (descriptor,)."""
        return torch.tensor([self.spread[name] for name in DESCRIPTORS])

    def away(self, points: Points) -> Tensor:
        """Distance of Phi to the nearest library sound, both as the model makes them, (batch,)."""
        return self._distribution.distances(points).amin(1)

    # -- what is heard, and its slopes ------------------------------------------------------------

    def describe(self, sounds: list[Sound]) -> dict[str, Tensor]:
        """Descriptors of sounds as they are heard, name -> (sound,): the measure of a traversal's own steps."""
        points = torch.stack([sound.z for sound in sounds])
        return self.heard(points, residuals(sounds, self.model.coefficients.mean[None]))

    def heard(self, points: Points, residual: Tensor) -> dict[str, Tensor]:
        """Descriptors at points (batch, latent) with a sound's residual (band, frame) added, brought to full level."""
        maps = self.model.renderer.features(points) + residual.to(self.model.device)
        words = self.model.readout(self.model.representation.normalise(maps))
        return {name: values.cpu() for name, values in words.items()}

    @torch.enable_grad()  # also for callers who have turned gradients off, as the service does
    def gradients(self, points: Points, residual: Tensor) -> tuple[dict[str, Tensor], Tensors]:
        """Descriptors of the decoded sounds, and their gradients with respect to z, (batch, descriptor, latent).

        The gain that restores the level is taken as constant.
        """
        model = self.model
        with torch.no_grad():
            coefficients, jacobian = self._tangents.with_jacobian(points)  # (batch, latent, K)
            decoded = model.coefficients.synthesise(coefficients)
        decoded.requires_grad_(True)
        maps = suppress_hiss(decoded) + residual.to(decoded)
        with torch.no_grad():
            gain = model.representation.normalise(maps) / maps.clamp(min=1e-9)
        values = model.readout(maps * gain)
        slopes = [
            torch.autograd.grad(value.sum(), decoded, retain_graph=True)[0] for value in values.values()
        ]
        rows = torch.stack(slopes, 1).flatten(2)
        to_coefficients = (rows.flatten(0, 1) @ model.coefficients.basis.flatten(1).T).view(
            *rows.shape[:2], -1
        )
        words = {name: value.detach().cpu() for name, value in values.items()}
        return words, (to_coefficients @ jacobian.mT).cpu()

    def flow(
        self,
        metric: Metric,
        origin: Tensor,
        residual: Tensor,
        descriptor: str,
        reach: float,
        hold: bool,
        limit: float,
    ) -> tuple[Curve, Tensor, dict[str, str]]:
        """Strides from ``origin`` (latent,) to less and to more, up to ``reach`` standard deviations either way.

        Returns:
            nodes (node, latent) from less to more, the descriptor at them (node,) in standard deviations, and why
            each side ended; none is further than ``limit`` (in Phi) from the library.
        """
        nodes, values, (less, more) = _Flow(self, metric, origin, residual, descriptor, hold, limit).run(
            reach
        )
        return nodes, values, {"less": str(less), "more": str(more)}

    # -- traversals -------------------------------------------------------------------------------

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
        """Sounds with less and more of a descriptor, along its natural gradient as far as there are data.

        Args:
            descriptor: one of :data:`sonifold.audio.descriptors.DESCRIPTORS`.
            steps: sounds, the sound itself among them, 3 to 65.
            reach: how far to either side, in library standard deviations of the descriptor; 1.5 when None.
            hold: keep the other descriptors where they are as far as that is cheap.

        Raises:
            ValueError: an unknown descriptor, too few or many steps, a reach that is not in (0, 4].
            NotFinite: the sound's own decoding overflows.
        """
        reach = REACH if reach is None else reach
        _check(descriptor, steps, reach)
        measured = self.model.metric(metric, weight)
        residual = residuals([sound], self.model.coefficients.mean[None])[0]
        start = float(self.away(sound.z[None]))
        # a sound may lie off the data itself: then it must only not get worse
        limit = max(self._distribution.reach, 1.001 * start)
        nodes, values, stopped = self.flow(measured, sound.z, residual, descriptor, reach, hold, limit)
        _check_finite(values, descriptor)
        points, origin = _even(nodes, values, sound.z, steps)
        descriptors = self.heard(points, residual)
        distances = self.away(points)
        return Traversal(
            descriptor,
            points,
            self.model.project(points),
            descriptors[descriptor],
            distances <= limit,
            distances * self.model.config.unit_per_phi,
            origin,
            stopped,
            self.slight(descriptors[descriptor], descriptor, reach),
            {name: value.tolist() for name, value in descriptors.items()},
            nodes,
            smooth_course(self.model.project(nodes)),
            sound,
        )

    def slight(self, values: Tensor, descriptor: str, reach: float) -> bool:
        """True if values (step,) of a descriptor span less than a tenth of ``reach`` to both sides."""
        span = 2 * reach * self.spread[descriptor]
        return float(values.max() - values.min()) < SLIGHT * span

    def render(self, traversal: Traversal) -> Clip:
        """The sounds of a traversal, Clip.audio (step, sample), each with the residual of the sound it began at."""
        nowhere = torch.zeros(traversal.steps)
        audio = self.model.renderer.steps(traversal.points, nowhere, traversal.sound, traversal.sound)
        return Clip(audio, self.model.sample_rate, provenance.of_traversal(self.model, traversal))


class _Flow:
    """Strides from one point in both senses at once; row 0 goes to less, row 1 to more."""

    def __init__(
        self,
        directions: Traversals,
        metric: Metric,
        origin: Tensor,
        residual: Tensor,
        name: str,
        hold: bool,
        limit: float,
    ):
        self.traversals, self.metric, self.residual, self.limit = directions, metric, residual, limit
        self.row = list(DESCRIPTORS).index(name)
        self.rows = slice(None) if hold else slice(self.row, self.row + 1)
        self.edge = max(float(directions.model.library.z.norm(dim=1).max()), 1.001 * float(origin.norm()))
        self.origin, self.at = origin, origin.expand(2, -1).clone()
        values, slopes = self._exact(origin[None])
        self.first = values[0]
        self.here, self.slopes = values.expand(2, -1).clone(), slopes.expand(2, -1, -1).clone()
        self.fresh = [True, True]  # whether the slopes of a side are exact

    def _exact(self, points: Points) -> tuple[Tensor, Tensors]:
        """Descriptors (batch, descriptor) and their slopes, in library standard deviations."""
        values, slopes = self.traversals.gradients(points, self.residual)
        spread = self.traversals.scale
        return torch.stack(list(values.values()), 1) / spread, slopes / spread[:, None]

    def _heard(self, points: Points) -> Tensor:
        values = self.traversals.heard(points, self.residual)
        return torch.stack(list(values.values()), 1) / self.traversals.scale

    def run(self, reach: float) -> tuple[Curve, Tensor, list[End]]:
        """Nodes (node, latent) from less to more, the descriptor (node,) in standard deviations, and both ends."""
        sense = torch.tensor([-1.0, 1.0])
        ends: list[End | None] = [None, None]
        tracks: list[list[tuple[Tensor, float]]] = [[], []]
        stride = torch.full((2,), reach / STRIDES)
        rounds = 0
        while None in ends and rounds < MAX_ROUNDS:
            rounds += 1
            open_ = [side for side in (0, 1) if ends[side] is None]
            gained = sense * (self.here - self.first)[:, self.row]
            target = torch.minimum(stride, reach - gained).clamp(min=1e-3)
            trial = self.at[open_] + self._moves(open_, (sense * target)[open_])
            values_there, inside = self._heard(trial), self._inside(trial)
            for k, side in enumerate(open_):
                gain = float(sense[side] * (values_there[k] - self.here[side])[self.row])
                follows = gain > FOLLOWED * float(target[side])
                self._learn(side, trial[k], values_there[k])
                if follows and inside[k]:
                    self.at[side], self.here[side], self.fresh[side] = trial[k], values_there[k], False
                    tracks[side].append((trial[k], float(values_there[k, self.row])))
                    if float(gained[side]) + gain >= ARRIVED * reach:
                        ends[side] = End.REACHED
                    continue
                if float(stride[side]) <= reach / STRIDES / 4:
                    ends[side] = End.LEFT_THE_DATA if follows else End.FLAT
                stride[side] = target[side] / 2
                if not self.fresh[side]:
                    self.slopes[side] = self._exact(self.at[side][None])[1][0]
                    self.fresh[side] = True
        less, more = tracks
        nodes = [z for z, _ in reversed(less)] + [self.origin] + [z for z, _ in more]
        values = [v for _, v in reversed(less)] + [float(self.first[self.row])] + [v for _, v in more]
        # a side that ran out of rounds was halving its strides: it found no way on
        return torch.stack(nodes), torch.tensor(values), [end or End.FLAT for end in ends]

    def _moves(self, sides: list[int], change: Tensor) -> Vectors:
        """The cheapest moves from where the sides are that change the named descriptor by ``change`` (side,)."""
        rows = self.slopes[sides][:, self.rows]
        change_of_rows = (self.first - self.here[sides])[:, self.rows].clone()  # what has drifted comes back
        named = self.row if len(change_of_rows[0]) > 1 else 0
        change_of_rows[:, named] = change
        raised = linalg.solve(self.metric.tensor(self.at[sides]).cpu(), rows.mT)  # G^-1 A'
        gram = rows @ raised
        soft = torch.full((gram.shape[1],), RIDGE)
        soft[named] = 1e-6
        gram = gram + torch.diagonal(gram, dim1=1, dim2=2).mean(1)[:, None, None] * torch.diag(soft)
        return (raised @ linalg.solve(gram, change_of_rows[..., None]))[..., 0]

    def _learn(self, side: int, trial: Tensor, values: Tensor) -> None:
        """Broyden's update: the slopes that would have foretold what the stride did, and else as they were."""
        move = trial - self.at[side]
        surprise = values - self.here[side] - self.slopes[side] @ move
        self.slopes[side] += torch.outer(surprise, move) / move.square().sum().clamp(min=1e-12)

    def _inside(self, points: Points) -> Tensor:
        near = self.traversals.away(points) <= self.limit
        inside: Tensor = near & (points.norm(dim=1) <= self.edge)
        return inside


def _even(nodes: Curve, values: Tensor, origin: Tensor, steps: int) -> tuple[Points, int]:
    """Points at evenly spaced values, one of them the origin, and which one.

    The spacing is the largest that keeps the origin a step and stays inside the nodes.
    """
    origin_node = int((nodes - origin).norm(dim=1).argmin())
    below, above = float(values[origin_node] - values[0]), float(values[-1] - values[origin_node])
    if below + above <= 0:
        return origin.expand(steps, -1).clone(), 0
    before = round((steps - 1) * below / (below + above))
    before = min(max(before, 1 if below > 0 else 0), steps - 2 if above > 0 else steps - 1)
    after = steps - 1 - before
    spacing = min(below / before if before else np.inf, above / after if after else np.inf)
    targets = float(values[origin_node]) + spacing * np.arange(-before, after + 1)
    reached = np.maximum.accumulate(values.double().numpy())
    points = np.stack([np.interp(targets, reached, column) for column in nodes.double().numpy().T], 1)
    placed = torch.from_numpy(points).to(nodes)
    placed[before] = origin
    return placed, before


def _check_finite(values: Tensor, descriptor: str) -> None:
    if not torch.isfinite(values).all():
        raise NotFinite(
            f"{descriptor} of the sound cannot be measured: its decoding is beyond what numbers hold."
        )


def _check(descriptor: str, steps: int, reach: float) -> None:
    if descriptor not in DESCRIPTORS:
        raise ValueError(f"no descriptor {descriptor!r}; choose one of {', '.join(DESCRIPTORS)}.")
    if not MIN_STEPS <= steps <= MAX_STEPS:
        raise ValueError(f"steps must be from {MIN_STEPS} to {MAX_STEPS}, got {steps}.")
    if not 0 < reach <= MAX_REACH:
        raise ValueError(
            f"reach must be greater than 0 and at most {MAX_REACH:g} (standard deviations), got {reach}."
        )
