"""The layers of a decoder by hand: each carries tangents forwards, cotangents backwards, and second derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from sonifold.forward import jvp

from .tangent import Pull


class Jet(NamedTuple):
    """A value with its derivatives along u, along v, and along both; each (batch, width)."""

    value: Tensor
    u: Tensor
    v: Tensor
    uv: Tensor


class Layer(Protocol):
    """One step of a decoder, forwards with tangents (batch, k, width), or None if not wanted, and backwards."""

    def __call__(self, h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]: ...

    def with_pull(self, h: Tensor) -> tuple[Tensor, Pull]: ...

    def second_derivative(self, jet: Jet) -> Jet: ...


class Affine(NamedTuple):
    """h -> h A + b."""

    matrix: Tensor  #: (in, out)
    bias: Tensor | None

    def __call__(self, h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
        value = h @ self.matrix if self.bias is None else torch.addmm(self.bias, h, self.matrix)
        return value, None if tangents is None else tangents @ self.matrix

    def with_pull(self, h: Tensor) -> tuple[Tensor, Pull]:
        return self(h, None)[0], lambda a: a @ self.matrix.T

    def second_derivative(self, jet: Jet) -> Jet:
        value, *derivatives = (torch.stack(jet) @ self.matrix).unbind()
        return Jet(value if self.bias is None else value + self.bias, *derivatives)


class Normalise(NamedTuple):
    """x = (h - mean h) / sqrt(var h + eps) over the width, the layer norm without its scale and shift.

    dx = (dh - mean dh - x mean(x dh)) / sqrt(var h + eps), a symmetric map: it serves backwards too.
    """

    eps: float

    def __call__(self, h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
        x = nn.functional.layer_norm(h, h.shape[-1:], eps=self.eps)
        if tangents is None:
            return x, None
        inverse = (h.var(-1, keepdim=True, unbiased=False) + self.eps).rsqrt()
        width = h.shape[-1]
        # one small product gives both means: of dh, and of x dh
        means = tangents @ torch.stack([torch.full_like(x, 1 / width), x / width], -1)
        centred = tangents - means @ torch.stack([torch.ones_like(x), x], 1)
        return x, centred * inverse[:, None]

    def with_pull(self, h: Tensor) -> tuple[Tensor, Pull]:
        x, mean, inverse = torch.native_layer_norm(h, h.shape[-1:], None, None, self.eps)

        def pull(a: Tensor) -> Tensor:
            only_input = [True, False, False]
            cotangent: Tensor = torch.ops.aten.native_layer_norm_backward(
                a, h, h.shape[-1:], mean, inverse, None, None, only_input
            )[0]
            return cotangent

        return x, pull

    def second_derivative(self, jet: Jet) -> Jet:
        """With c = h - mean h and r = 1 / sqrt(mean c^2 + eps): x = c r, and r_u = -r^3 mean(c c_u)."""
        c, c_u, c_v, c_uv = (part - part.mean(-1, keepdim=True) for part in jet)
        r = (c.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        a_u, a_v = (c * c_u).mean(-1, keepdim=True), (c * c_v).mean(-1, keepdim=True)
        r_u, r_v = -(r**3) * a_u, -(r**3) * a_v
        r_uv = 3 * r**5 * a_u * a_v - r**3 * (c_v * c_u + c * c_uv).mean(-1, keepdim=True)
        return Jet(c * r, c_u * r + c * r_u, c_v * r + c * r_v, c_uv * r + c_u * r_v + c_v * r_u + c * r_uv)


class Pointwise(NamedTuple):
    """h -> phi(h), element by element."""

    value_and_slope: Callable[[Tensor], tuple[Tensor, Tensor]]
    value: Callable[[Tensor], Tensor]
    #: (cotangent, h) -> cotangent times the slope at h in one fused step, where torch has one
    fused_pull: Callable[[Tensor, Tensor], Tensor] | None = None
    #: the second derivative, where it has a short form
    turn: Callable[[Tensor], Tensor] | None = None

    def __call__(self, h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if tangents is None:
            return self.value(h), None
        value, slope = self.value_and_slope(h)
        return value, tangents * slope[:, None]

    def with_pull(self, h: Tensor) -> tuple[Tensor, Pull]:
        if self.fused_pull is not None:
            fused = self.fused_pull
            return self.value(h), lambda a: fused(a, h)
        value, slope = self.value_and_slope(h)
        return value, lambda a: a * slope

    def second_derivative(self, jet: Jet) -> Jet:
        value, u, v, uv = jet
        new, slope = self.value_and_slope(value)
        if self.turn is not None:
            turn = self.turn(value)
        else:
            direction = torch.ones_like(value)
            turn = jvp(lambda a: self.value_and_slope(a)[1], (value,), (direction,))[1]
        return Jet(new, slope * u, slope * v, slope * uv + turn * u * v)


class Residual(NamedTuple):
    """h -> h + branch(h)."""

    branch: tuple[Layer, ...]

    def __call__(self, h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
        change, change_tangents = run(self.branch, h, tangents)
        return h + change, None if tangents is None or change_tangents is None else tangents + change_tangents

    def with_pull(self, h: Tensor) -> tuple[Tensor, Pull]:
        change, pull = run_with_pull(self.branch, h)
        return h + change, lambda a: a + pull(a)

    def second_derivative(self, jet: Jet) -> Jet:
        return Jet(*(part + change for part, change in zip(jet, run_jet(self.branch, jet), strict=True)))


def run(layers: Iterable[Layer], h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Values and tangents through the layers, one after the other."""
    for layer in layers:
        h, tangents = layer(h, tangents)
    return h, tangents


def run_jet(layers: Iterable[Layer], jet: Jet) -> Jet:
    """Value and derivatives through the layers, one after the other."""
    for layer in layers:
        jet = layer.second_derivative(jet)
    return jet


def run_with_pull(layers: Iterable[Layer], h: Tensor) -> tuple[Tensor, Pull]:
    """Value through the layers, and the way back through them in reverse."""
    pulls: list[Pull] = []
    for layer in layers:
        h, pull = layer.with_pull(h)
        pulls.append(pull)

    def back(cotangent: Tensor) -> Tensor:
        for pull in reversed(pulls):
            cotangent = pull(cotangent)
        return cotangent

    return h, back


def _gelu(a: Tensor) -> tuple[Tensor, Tensor]:
    cdf = 0.5 * (1 + torch.erf(a * math.sqrt(0.5)))
    return a * cdf, cdf + a * torch.exp(-0.5 * a * a) / math.sqrt(2 * math.pi)


def _gelu_turn(a: Tensor) -> Tensor:
    return (2 - a * a) * torch.exp(-0.5 * a * a) / math.sqrt(2 * math.pi)


def _silu(a: Tensor) -> tuple[Tensor, Tensor]:
    gate = torch.sigmoid(a)
    value = a * gate
    return value, gate + value * (1 - gate)


def _tanh(a: Tensor) -> tuple[Tensor, Tensor]:
    value = torch.tanh(a)
    return value, 1 - value * value


def _sigmoid(a: Tensor) -> tuple[Tensor, Tensor]:
    value = torch.sigmoid(a)
    return value, value * (1 - value)


def _softplus(a: Tensor) -> tuple[Tensor, Tensor]:
    return nn.functional.softplus(a), torch.sigmoid(a)


def _relu(a: Tensor) -> tuple[Tensor, Tensor]:
    return a.clamp_min(0), (a > 0).to(a.dtype)


def _by_torch(module: nn.Module) -> Pointwise:
    """An activation whose slope torch works out: the derivative of its sum."""

    def value_and_slope(a: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = jvp(module, (a,), (torch.ones_like(a),))
        return value, slope

    return Pointwise(value_and_slope, module)


def _is_plain(beta: object, threshold: object) -> bool:
    """Whether a softplus has torch's usual numbers."""
    return (beta, threshold) == (1, 20)


ACTIVATIONS: dict[type[nn.Module], Callable[[nn.Module], Pointwise]] = {
    nn.GELU: lambda m: (
        Pointwise(_gelu, nn.functional.gelu, torch.ops.aten.gelu_backward, _gelu_turn)
        if m.approximate == "none"
        else _by_torch(m)
    ),
    nn.SiLU: lambda _: Pointwise(_silu, nn.functional.silu),
    nn.Tanh: lambda _: Pointwise(_tanh, torch.tanh),
    nn.Sigmoid: lambda _: Pointwise(_sigmoid, torch.sigmoid),
    nn.Softplus: lambda m: (
        Pointwise(_softplus, nn.functional.softplus) if _is_plain(m.beta, m.threshold) else _by_torch(m)
    ),
    nn.ReLU: lambda _: Pointwise(_relu, torch.relu),
    nn.ELU: lambda m: _by_torch(m),
}
