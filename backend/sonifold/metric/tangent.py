r"""Decoders that carry tangent vectors along: f(z) together with its Jacobian.

TangentDecoder
├─ ForwardMode          any torch callable, through torch.func
├─ Headed               any of these followed by a linear map, folded to a small triangular one
└─ SequentialTangents   nn.Sequential of linear layers, pointwise activations, layer norms and residual
blocks,
                        by hand: several times faster

A linear head W (outputs, width) with more rows than columns is replaced by R of its QR decomposition W = QR.
Q has orthonormal columns, so |W dh| = |R dh| exactly: every length, energy and metric tensor is that of the
full output at a cost independent of the number of outputs. What comes out are coordinates turned by Q', of
which only differences mean anything.

Jacobians are handed around transposed, (batch, latent, output): row i is the image of the i-th latent
direction.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sonifold.types import Points, Vectors

#: Takes cotangents at the output of a map back to its input.
Pull = Callable[[Tensor], Tensor]


class TangentDecoder(ABC):
    """A map f from latent points to vectors, with its derivative."""

    latent_dim: int | None = None  #: None: any
    dtype: torch.dtype | None = None  #: None: that of the points

    @abstractmethod
    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        """(f(z) (batch, output), images J(z) v (batch, k, output) of the tangents v (batch, k, latent))."""

    @abstractmethod
    def __call__(self, z: Points) -> Tensor:
        """f(z); (batch, output)."""

    def bend(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        """The second derivative f''(u, v) at z; (batch, output)."""
        return torch.func.jvp(lambda y: self.push(y, v[:, None])[1][:, 0], (z,), (u,))[1]

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        """(f(z) (batch, output), the map that takes cotangents a (batch, output) to J(z)' a (batch, latent))."""
        with torch.enable_grad():
            y = z.detach().requires_grad_(True)
            value = self(y)

        def pull(cotangent: Tensor) -> Tensor:
            if not value.requires_grad:  # f does not depend on the point
                return torch.zeros_like(y)
            (gradient,) = torch.autograd.grad(value, y, cotangent, allow_unused=True)
            return torch.zeros_like(y) if gradient is None else gradient

        return value.detach(), pull

    def with_jacobian(self, z: Points) -> tuple[Tensor, Tensor]:
        """(f(z) (batch, output), J(z)' (batch, latent, output))."""
        d = z.shape[1]
        return self.push(z, torch.eye(d, dtype=z.dtype, device=z.device).expand(len(z), d, d))


class _Elementary(TorchFunctionMode):
    """Normalisations written out, while it is on.

    torch takes the mean and deviation inside them for constants when it differentiates their tangents once more
    (2.13, forwards as well as backwards), and second derivatives come out wrong without a word.
    """

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        return ELEMENTARY.get(func, func)(*args, **(kwargs or {}))


def _layer_norm(
    h: Tensor, shape: list[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    x = _standard(h, list(range(-len(shape), 0)), eps)
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _group_norm(
    h: Tensor, groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    x = _standard(h.unflatten(1, (groups, -1)).flatten(2), [-1], eps).view(h.shape)
    channels = (-1, *(1 for _ in h.shape[2:]))
    x = x if weight is None else x * weight.view(channels)
    return x if bias is None else x + bias.view(channels)


def _instance_norm(
    h: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not use_input_stats:  # constants, which torch gets right
        return nn.functional.instance_norm(h, running_mean, running_var, weight, bias, False, momentum, eps)
    return _group_norm(h, h.shape[1], weight, bias, eps)


def _standard(h: Tensor, over: list[int], eps: float) -> Tensor:
    centred = h - h.mean(over, keepdim=True)
    return centred * (centred.square().mean(over, keepdim=True) + eps).rsqrt()


ELEMENTARY: dict[Callable, Callable] = {
    nn.functional.layer_norm: _layer_norm,
    nn.functional.group_norm: _group_norm,
    nn.functional.instance_norm: _instance_norm,
}


class ForwardMode(TangentDecoder):
    """Any torch callable (batch, latent) -> (batch, ...) whose rows do not influence each other.

    Forward-mode differentiation, ``chunk`` points at a time to bound memory. Layers that mix the batch (batch
    norm in training mode) break the assumption: call ``.eval()`` first.
    """

    def __init__(self, decode: Callable[[Tensor], Tensor], chunk: int = 256):
        self.decode, self.chunk = decode, chunk
        parameters = decode.parameters() if isinstance(decode, nn.Module) else iter(())
        self.dtype = next((p.dtype for p in parameters), None)

    def __call__(self, z: Points) -> Tensor:
        return torch.cat([self.decode(part).flatten(1) for part in z.split(self.chunk)])

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        chunks = zip(z.split(self.chunk), tangents.split(self.chunk), strict=True)
        with _Elementary():
            parts = [self._push(*chunk) for chunk in chunks]
        values, images = zip(*parts, strict=True)
        return torch.cat(values), torch.cat(images)

    def _push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        def along(tangent: Tensor) -> tuple[Tensor, Tensor]:
            value, image = torch.func.jvp(lambda y: self.decode(y).flatten(1), (z,), (tangent,))[:2]
            return value, image

        values, images = torch.func.vmap(along, in_dims=1)(tangents)
        return values[0], images.movedim(0, 1)


class Headed(TangentDecoder):
    """A trunk followed by the linear map h -> head h: the head folded by QR.

    head: (output, width). An offset would change no difference, so there is none.
    """

    def __init__(self, trunk: TangentDecoder, head: Tensor):
        self.trunk, self.latent_dim, self.dtype = trunk, trunk.latent_dim, trunk.dtype
        self._fold = triangular(head).T.contiguous()

    def __call__(self, z: Points) -> Tensor:
        return self.trunk(z) @ self._fold

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        values, images = self.trunk.push(z, tangents)
        return values @ self._fold, images @ self._fold


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

    def bend(self, jet: Jet) -> Jet: ...


class Affine(NamedTuple):
    """h -> h A + b."""

    matrix: Tensor  #: (in, out)
    bias: Tensor | None

    def __call__(self, h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
        value = h @ self.matrix if self.bias is None else torch.addmm(self.bias, h, self.matrix)
        return value, None if tangents is None else tangents @ self.matrix

    def with_pull(self, h: Tensor) -> tuple[Tensor, Pull]:
        return self(h, None)[0], lambda a: a @ self.matrix.T

    def bend(self, jet: Jet) -> Jet:
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
            return torch.ops.aten.native_layer_norm_backward(
                a, h, h.shape[-1:], mean, inverse, None, None, only_input
            )[0]

        return x, pull

    def bend(self, jet: Jet) -> Jet:
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

    def bend(self, jet: Jet) -> Jet:
        value, u, v, uv = jet
        new, slope = self.value_and_slope(value)
        if self.turn is not None:
            turn = self.turn(value)
        else:
            ones = torch.ones_like(value)
            turn = torch.func.jvp(lambda a: self.value_and_slope(a)[1], (value,), (ones,))[1]
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

    def bend(self, jet: Jet) -> Jet:
        return Jet(*(part + change for part, change in zip(jet, bend_through(self.branch, jet), strict=True)))


def run(layers: Iterable[Layer], h: Tensor, tangents: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Values and tangents through the layers, one after the other."""
    for layer in layers:
        h, tangents = layer(h, tangents)
    return h, tangents


def bend_through(layers: Iterable[Layer], jet: Jet) -> Jet:
    """Value and derivatives through the layers, one after the other."""
    for layer in layers:
        jet = layer.bend(jet)
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


class SequentialTangents(TangentDecoder):
    """A decoder made of known layers, its tangents propagated by hand.

    decoder
        ``nn.Sequential`` of ``nn.Linear``, ``nn.LayerNorm``, ``nn.Flatten``, GELU, SiLU, Tanh, Sigmoid,
        Softplus, ReLU, ELU, nested ``nn.Sequential``, and residual blocks h + down(gelu(up(norm(h))))
        (modules with the attributes ``norm``, ``up`` and ``down``). It must begin and end with ``nn.Linear``.
    head
        Linear map (output, features) applied to the decoder's output, such as the one to perceptual
        coordinates. It is multiplied into the last layer and folded by QR (see the module's text).
    offset
        Constant (output,) added after the head. Used only where the fold leaves the outputs as they are.
    exact
        Keep the outputs themselves: no QR, which turns them.

    Weights are copied when it is made; make a new one after training on. Raises ``TypeError`` for a layer it
    does not know (``ForwardMode`` takes any callable) and ``ValueError`` when the ends are not linear or the
    head does not fit.
    """

    def __init__(
        self,
        decoder: nn.Module,
        head: Tensor | None = None,
        offset: Tensor | None = None,
        exact: bool = False,
    ):
        modules = list(_flatten(decoder))
        if not modules or not isinstance(modules[0], nn.Linear) or not isinstance(modules[-1], nn.Linear):
            raise ValueError(
                "the decoder must begin and end with nn.Linear; use ForwardMode for any other callable"
            )
        first, last = modules[0], modules[-1]
        weight, bias = last.weight.detach(), _bias(last)
        if head is not None:
            if head.ndim != 2 or head.shape[1] != weight.shape[0]:
                raise ValueError(
                    f"the decoder gives {weight.shape[0]} numbers, so head must be (any, {weight.shape[0]}), "
                    f"got {tuple(head.shape)}"
                )
            head = head.detach().to(weight)
            weight, bias = head @ weight, head @ bias
        if offset is not None:
            bias = bias + offset.detach().to(weight)
        if not exact and weight.shape[0] > weight.shape[1]:
            weight, bias = triangular(weight), torch.zeros_like(weight[0])
        self.latent_dim, self.dtype = first.in_features, first.weight.dtype
        if len(modules) == 1:
            self._layers: tuple[Layer, ...] = (Affine(weight.T.contiguous(), bias),)
        else:
            ending = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype, device=weight.device)
            ending.weight.data, ending.bias.data = weight, bias
            self._layers = tuple(_compile([*modules[:-1], ending]))

    def __call__(self, z: Points) -> Tensor:
        return run(self._layers, z.to(self.dtype), None)[0]

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        value, images = run(self._layers, z.to(self.dtype), tangents.to(self.dtype))
        assert images is not None  # tangents went in
        return value, images

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        return run_with_pull(self._layers, z.detach().to(self.dtype))

    def bend(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        start = Jet(*(part.to(self.dtype) for part in (z, u, v, torch.zeros_like(z))))
        return bend_through(self._layers, start).uv


#: The decoders of ``sonifold.vae``: Linear, residual blocks, LayerNorm, Linear, followed by a linear head.
ResidualMLPTangents = SequentialTangents


def triangular(head: Tensor) -> Tensor:
    """R (min(output, width), width) of head = Q R, for which |head dh| = |R dh|; head itself when it is not
    tall.
    """
    head = head.detach()
    return torch.linalg.qr(head, mode="r")[1] if head.shape[0] > head.shape[1] else head


def _flatten(module: nn.Module) -> Iterable[nn.Module]:
    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _flatten(child)
    elif not isinstance(
        module, nn.Identity | nn.Dropout | nn.Flatten
    ):  # none of these does anything when evaluated
        yield module


def _compile(modules: Iterable[nn.Module]) -> list[Layer]:
    """Layers for the modules; the scale and shift of a layer norm go into the linear map after it."""
    layers: list[Layer] = []
    norm: nn.LayerNorm | None = None
    for module in modules:
        if isinstance(module, nn.Linear):
            layers.append(_affine(module, norm))
            norm = None
            continue
        if norm is not None:
            layers.append(_scale_and_shift(norm))
            norm = None
        if isinstance(module, nn.LayerNorm):
            layers.append(Normalise(module.eps))
            norm = module
        elif type(module) in ACTIVATIONS:
            layers.append(ACTIVATIONS[type(module)](module))
        elif {"norm", "up", "down"} <= (parts := dict(module.named_children())).keys():
            branch = [parts["norm"], parts["up"], nn.GELU(), parts["down"]]
            layers.append(Residual(tuple(_compile(branch))))
        else:
            raise TypeError(
                f"no tangent rule for {type(module).__name__}; use ForwardMode, which takes any callable"
            )
    return layers


def _affine(linear: nn.Linear, norm: nn.LayerNorm | None) -> Affine:
    weight, bias = linear.weight.detach(), _bias(linear)
    if norm is not None and norm.elementwise_affine:
        if norm.bias is not None:
            bias = bias + weight @ norm.bias.detach()
        weight = weight * norm.weight.detach()
    return Affine(weight.T.contiguous(), bias)


def _scale_and_shift(norm: nn.LayerNorm) -> Affine:
    width = norm.normalized_shape[0]
    scale = norm.weight.detach() if norm.elementwise_affine else torch.ones(width)
    shift = (
        norm.bias.detach() if norm.elementwise_affine and norm.bias is not None else torch.zeros_like(scale)
    )
    return Affine(torch.diag(scale), shift)


def _bias(linear: nn.Linear) -> Tensor:
    return torch.zeros_like(linear.weight[:, 0]) if linear.bias is None else linear.bias.detach()


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
        value, slope = torch.func.jvp(module, (a,), (torch.ones_like(a),))[:2]
        return value, slope

    return Pointwise(value_and_slope, module)


ACTIVATIONS: dict[type[nn.Module], Callable[[nn.Module], Pointwise]] = {
    nn.GELU: lambda m: (
        Pointwise(_gelu, nn.functional.gelu, torch.ops.aten.gelu_backward, _gelu_turn)
        if m.approximate == "none"
        else _by_torch(m)
    ),
    nn.SiLU: lambda _: Pointwise(_silu, nn.functional.silu),
    nn.Tanh: lambda _: Pointwise(_tanh, torch.tanh),
    nn.Sigmoid: lambda _: Pointwise(_sigmoid, torch.sigmoid),
    nn.Softplus: lambda m: Pointwise(_softplus, nn.functional.softplus) if m.beta == 1 else _by_torch(m),
    nn.ReLU: lambda _: Pointwise(_relu, torch.relu),
    nn.ELU: lambda m: _by_torch(m),
}
