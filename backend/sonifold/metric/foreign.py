"""Any torch callable as a decoder: looked over when it first meets points, and differentiated in a way that is right.

torch's own derivatives are wrong, missing or silently zero for some operations, and a decoder may cut them off itself.
So both directions are held against finite differences once, and the first way that agrees is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

from sonifold.errors import DecoderInvalid, PointInvalid
from sonifold.types import Points, Vectors

from .autodiff import CHUNK, BackwardMode, ByTorch, ForwardMode
from .tangent import Pull, TangentDecoder
from .trial import full_precision, look, modules_of, refuse_training

#: Steps of the finite differences, over the size of the point. Which is best depends on the decoder: a wave needs small
#: ones, single precision large ones.
STEPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
#: A derivative may differ by this part from the best differences, or by so many times their own doubt.
AGREES, DOUBTS = 5e-3, 3.0
#: Differences that doubt themselves by more say nothing.
UNSURE = 0.2
#: Of the outputs that change over the largest step, the share that stays the same to the bit over the smallest, above
#: which a decoder goes in jumps.
JUMPS = 1 / 3
#: A slope over the size of the output may differ by so many times the precision of its numbers.
ROUNDING = 1e3
#: Numbers held in memory at once.
NUMBERS = 2**24


class AnyDecoder(TangentDecoder):
    """Any torch callable (batch, latent) -> (batch, ...), checked at the first points it is given.

    Points are taken to its precision and device, and results back. A module in half precision is copied to float32.
    Raises ``DecoderInvalid``, at once for a module in training mode, with the first points for what comes of a call: no
    tensor, half precision, random numbers, rows that influence each other, derivatives that are cut off or wrong in
    torch.
    """

    def __init__(self, decode: Callable[[Tensor], Tensor]):
        refuse_training(decode)
        self.decode = full_precision(decode)
        tensors = [p for module in modules_of(self.decode) for p in (*module.parameters(), *module.buffers())]
        self._precision = next((p.dtype for p in tensors if p.is_floating_point()), None)
        self.device = next((p.device for p in tensors), None)
        self.dtype = ForwardMode(self.decode).dtype
        self._way: ByTorch | None = None

    def meet(self, z: Points) -> ByTorch:
        """The way to differentiate it, chosen at the first points (batch, latent)."""
        if self._way is None:
            z = _plain_points(z)
            with temporarily_clear_interpreter_stack():
                self._way = _way(self.decode, z.to(self.device or z.device), self._precision)
            self.latent_dim, self._precision = z.shape[1], self._way.precision
        if z.shape[1] != self.latent_dim:
            raise PointInvalid(
                f"the decoder takes latent points of {self.latent_dim} numbers, got {z.shape[1]}."
            )
        return self._way

    def _there(self, *parts: Tensor) -> list[Tensor]:
        return [part.to(self.device or part.device, self._precision) for part in parts]

    def __call__(self, z: Points) -> Tensor:
        way = self.meet(z)
        return way(*self._there(z)).to(z)

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        value, images = self.meet(z).push(*self._there(z, tangents))
        return value.to(z), images.to(z)

    def second_derivative(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return self.meet(z).second_derivative(*self._there(z, u, v)).to(z)

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        value, pull = self.meet(z).with_pull(*self._there(z))
        return value.to(z), lambda cotangent: pull(*self._there(cotangent)).to(z)


def _plain_points(z: Points) -> Points:
    """Points (batch, latent) without the wrappings of a derivative that is being taken."""
    while torch._C._functorch.is_functorch_wrapped_tensor(z):
        z = torch._C._functorch.get_unwrapped(z)
    return z.detach().reshape(-1, z.shape[-1])


def _way(decode: Callable[[Tensor], Tensor], z: Points, dtype: torch.dtype | None) -> ByTorch:
    rows = _two(z)
    facts = look(decode, rows, dtype)
    rows = rows.to(facts.dtype)
    d = rows.shape[1]
    chunk = max(1, min(CHUNK, NUMBERS // (facts.largest * (d + 1))))
    graph = max(1, min(CHUNK, NUMBERS // facts.everything))
    ways = (
        lambda: ForwardMode(decode, chunk, graph),
        lambda: ForwardMode(decode, chunk, graph, fused=False),
        lambda: BackwardMode(decode, chunk, graph),
        lambda: BackwardMode(decode, chunk, graph, by_rows=True),
    )
    way = _first_right(ways, rows)
    way.precision, way.outputs = facts.dtype, facts.outputs
    return way


def _two(z: Points) -> Points:
    """Two different points (2, latent), of those given if they are."""
    finite = z[torch.isfinite(z).all(1)]
    first = finite[0] if len(finite) else torch.zeros_like(z[0])
    other = finite[-1] if len(finite) else first
    return torch.stack(
        [first, other if not torch.equal(first, other) else first + 1e-2 * _size(first[None])[0]]
    )


def _size(points: Points) -> Tensor:
    """Root mean square of the coordinates of each point, 1 for the origin; (batch, 1)."""
    size = points.square().mean(1, keepdim=True).sqrt()
    return torch.where(size > 0, size, 1.0)


class Differences(NamedTuple):
    """Derivatives of two points' outputs along a direction, by finite differences."""

    slope: Tensor  #: (2, output)
    doubt: Tensor  #: (2,), how far two steps disagree, over the slope
    noise: Tensor  #: (2,), what of a slope may be rounding
    jumps: bool  #: outputs stay the same to the bit over a small step, and change over a large one


def _first_right(ways: tuple[Callable[[], ByTorch], ...], rows: Points) -> ByTorch:
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(rows.shape, generator=generator).to(rows)
    direction = direction / direction.norm(dim=1, keepdim=True) * _size(rows)
    truth = _differences(ways[0](), rows, direction)
    runs: list[ByTorch] = []
    problem: Exception | None = None
    for make in ways:
        way = make()
        try:
            right = _agrees(way, rows, direction, truth)
        except Exception as error:  # whatever a foreign decoder raises, or torch for it
            problem = problem or error
            continue
        if right:
            way.bends_by_differences = way.bends_by_differences or not _bends_right(way, rows, direction)
            return way
        runs.append(way)
    if runs and truth.jumps:
        return runs[0]
    raise DecoderInvalid(_why_underivable(runs, truth, problem)) from problem


def _differences(way: ByTorch, rows: Points, direction: Points) -> Differences:
    steps = torch.tensor(STEPS).to(rows)[:, None, None]
    ahead, behind = (
        torch.stack([_value(way, rows + side * step * direction) for step in steps]) for side in (1, -1)
    )
    quotients = (ahead - behind) / (2 * steps)
    sizes = quotients.norm(dim=2)
    tiny = torch.finfo(rows.dtype).tiny
    apart = quotients.diff(dim=0).norm(dim=2) / torch.maximum(sizes[1:], sizes[:-1]).clamp_min(tiny)
    doubt, best = torch.where(torch.isfinite(apart), apart, torch.inf).min(0)
    changed = ahead[0] != behind[0]
    same = changed & (ahead[-1] == behind[-1])
    slope = quotients[best, torch.arange(len(rows), device=rows.device)]
    noise = ROUNDING * torch.finfo(rows.dtype).eps * _value(way, rows).norm(dim=1)
    return Differences(slope, doubt, noise, bool(same.sum() > JUMPS * changed.sum()))


def _value(way: ByTorch, points: Points) -> Tensor:
    """f of the points, NaN where the decoder refuses them: it may have a domain."""
    with torch.no_grad():
        try:
            return way(points)
        except Exception:  # whatever a foreign decoder raises
            return torch.full_like(points[:, :1], torch.nan)


def _agrees(way: ByTorch, rows: Points, direction: Points, truth: Differences) -> bool:
    """Whether both directions of differentiation give the differences; where these are unsure, each other."""
    image = way.push(rows, direction[:, None])[1][:, 0].detach()
    sure = truth.doubt <= UNSURE
    slope = torch.where(sure[:, None], truth.slope, image)
    size = slope.norm(dim=1).clamp_min(torch.finfo(rows.dtype).tiny)
    back = (way.with_pull(rows)[1](slope / size[:, None]) * direction).sum(1)
    largest = torch.maximum(size, image.norm(dim=1))
    allowed = torch.where(sure, DOUBTS * truth.doubt, 0.0).clamp_min(AGREES) * largest + truth.noise
    forward = (image - slope).norm(dim=1) <= allowed
    backward = (back - slope.norm(dim=1)).abs() <= allowed
    return bool(((forward & backward) | ~torch.isfinite(allowed)).all())


def _bends_right(way: ByTorch, rows: Points, direction: Points) -> bool:
    """Whether torch's second derivatives are those of differences, as far as these can be trusted."""
    try:
        bent = way.second_derivative(rows, direction, direction).detach()
    except Exception:  # torch cannot differentiate everything twice
        return False
    steps = (1e-2, 1e-3)
    first, second = (
        (
            way.push(rows + h * direction, direction[:, None])[1]
            - way.push(rows - h * direction, direction[:, None])[1]
        )[:, 0].detach()
        / (2 * h)
        for h in steps
    )
    size = torch.maximum(first.norm(), bent.norm())
    doubt = (first - second).norm() / size.clamp_min(torch.finfo(rows.dtype).tiny)
    return bool(doubt > UNSURE) or bool((bent - first).norm() <= torch.clamp(DOUBTS * doubt, min=0.05) * size)


def _why_underivable(runs: list[ByTorch], truth: Differences, problem: Exception | None) -> str:
    if not runs:
        return f"torch cannot differentiate the decoder: {type(problem).__name__}: {problem}"
    size = float(truth.slope.norm(dim=1).max())
    return (
        "the decoder's derivative, as torch takes it, is not what its output does: moved a little, the output changes "
        f"at a rate of {size:.3g} that the derivative does not give, forwards or backwards. A part of it is cut off "
        "(no_grad, detach, .data, numpy, rounding), or uses an operation whose derivative torch does not know "
        "(torch.special's Bessel functions, for one). Write that part in differentiable operations."
    )
