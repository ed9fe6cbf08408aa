"""The fast way: a decoder of known layers, its tangents propagated by hand.

A layer is known by its exact type, and only where calling it runs the forward of that type and nothing else: a
subclass, a hook, a parametrisation or a patched method may do anything. What was recognised is compared with the
decoder itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.utils import parametrize

from sonifold.types import Points, Vectors

from .layers import (
    ACTIVATIONS,
    Affine,
    Jet,
    Layer,
    Normalise,
    Residual,
    run,
    run_jet,
    run_with_pull,
)
from .tangent import Pull, TangentDecoder, triangular
from .trial import full_precision, refuse_training

#: Classes of modules h -> h + down(gelu(up(norm(h)))), with children of these names and perhaps ``dropout``.
RESIDUAL_BLOCKS: set[type[nn.Module]] = set()
#: What a residual block consists of.
PARTS = {"norm": nn.LayerNorm, "up": nn.Linear, "down": nn.Linear, "dropout": nn.Dropout}
#: Relative difference between the tangents by hand and those of the decoder that rounding explains.
ROUNDING = {torch.float32: 1e-3, torch.float64: 1e-8}


class SequentialTangents(TangentDecoder):
    """A decoder made of known layers, its tangents propagated by hand.

    decoder
        ``nn.Sequential`` of ``nn.Linear``, ``nn.LayerNorm``, ``nn.Flatten``, GELU, SiLU, Tanh, Sigmoid,
        Softplus, ReLU, ELU, nested ``nn.Sequential``, and the residual blocks of ``sonifold.vae``. It must begin
        and end with ``nn.Linear``.
    head
        Linear map (output, features) applied to the decoder's output, such as the one to perceptual
        coordinates. It is multiplied into the last layer and folded by QR (see the module's text).
    offset
        Constant (output,) added after the head. Used only where the fold leaves the outputs as they are.
    exact
        Keep the outputs themselves: no QR, which turns them.

    Weights are copied when it is made, half precision as float32; make a new one after training on. Raises
    ``TypeError`` for a layer it does not know, or one that does more than its type says (``AnyDecoder`` takes any
    callable), ``ValueError`` when the ends are not linear or the head does not fit, and ``DecoderInvalid`` in training
    mode.
    """

    def __init__(
        self,
        decoder: nn.Module,
        head: Tensor | None = None,
        offset: Tensor | None = None,
        exact: bool = False,
    ):
        refuse_training(decoder)
        decoder = full_precision(decoder)
        modules = list(_flatten(decoder))
        if not modules or not isinstance(modules[0], nn.Linear) or not isinstance(modules[-1], nn.Linear):
            raise ValueError(
                "the decoder must begin and end with nn.Linear; AnyDecoder takes any other callable"
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
        self.latent_dim, self.dtype, self.device = first.in_features, first.weight.dtype, first.weight.device
        if len(modules) == 1:
            self._layers: tuple[Layer, ...] = (Affine(weight.T.contiguous(), bias),)
        else:
            ending = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype, device=weight.device)
            ending.weight, ending.bias = (nn.Parameter(part, requires_grad=False) for part in (weight, bias))
            self._layers = tuple(_compile([*modules[:-1], ending]))
        self._compare(decoder, head)

    def _compare(self, decoder: nn.Module, head: Tensor | None) -> None:
        """Hold a squared distance and its slopes against the decoder's own: what is turned keeps them."""
        assert self.dtype is not None
        assert self.latent_dim is not None
        generator = torch.Generator().manual_seed(0)
        z, v = torch.randn(2, 2, self.latent_dim, generator=generator).to(self.device, self.dtype)
        with torch.enable_grad():
            y = z.clone().requires_grad_(True)
            values = decoder(y) if head is None else decoder(y) @ head.T
            expected = (values[0] - values[1]).square().sum()
            (slope,) = torch.autograd.grad(expected, y)
        decoded, images = self.push(z, v[:, None])
        difference = 2 * (decoded[0] - decoded[1])
        apart = torch.stack([difference, -difference])
        changes = (images[:, 0] * apart).sum(1)
        pairs = (
            ((decoded[0] - decoded[1]).square().sum(), expected.detach()),
            (self.with_pull(z)[1](apart), slope),
            (changes, (slope * v).sum(1)),
        )
        noise = torch.finfo(self.dtype).eps * values.detach().square().sum()
        rounding = ROUNDING.get(self.dtype, 1e-3)
        if any((actual - other).norm() > rounding * other.norm() + noise for actual, other in pairs):
            raise TypeError(
                "the decoder does something else than its layers say one after the other; AnyDecoder takes any callable"
            )

    def __call__(self, z: Points) -> Tensor:
        return run(self._layers, z.to(self.device, self.dtype), None)[0]

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        value, images = run(self._layers, z.to(self.device, self.dtype), tangents.to(self.device, self.dtype))
        assert images is not None  # tangents went in
        return value, images

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        return run_with_pull(self._layers, z.detach().to(self.device, self.dtype))

    def second_derivative(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        start = Jet(*(part.to(self.device, self.dtype) for part in (z, u, v, torch.zeros_like(z))))
        return run_jet(self._layers, start).uv


#: The decoders of ``sonifold.vae``: Linear, residual blocks, LayerNorm, Linear, followed by a linear head.
ResidualMLPTangents = SequentialTangents


def _flatten(module: nn.Module) -> Iterable[nn.Module]:
    if type(module) is nn.Sequential and _plain(module):
        for child in module:
            yield from _flatten(child)
    elif type(module) not in (nn.Identity, nn.Dropout, nn.Flatten) or not _plain(module):
        yield module  # and those do nothing when evaluated


def _plain(module: nn.Module) -> bool:
    """Whether calling a module runs the forward of its class and nothing else."""
    hooks = (
        module._forward_hooks,
        module._forward_pre_hooks,
        module._backward_hooks,
        module._backward_pre_hooks,
    )
    return not (
        any(hooks)
        or "forward" in vars(module)
        or parametrize.is_parametrized(module)
        or torch_module._has_any_global_hook()
        or any(not isinstance(parameter, nn.Parameter) for parameter in module.parameters(recurse=False))
    )


def _compile(modules: Iterable[nn.Module]) -> list[Layer]:
    """Layers for the modules; the scale and shift of a layer norm go into the linear map after it."""
    layers: list[Layer] = []
    norm: nn.LayerNorm | None = None
    for module in modules:
        kind = type(module)
        if not _plain(module):
            raise TypeError(
                f"a {kind.__name__} here has hooks, parametrisations or a forward of its own, which only a call runs; "
                "AnyDecoder takes any callable"
            )
        if isinstance(module, nn.Linear) and kind is nn.Linear:
            layers.append(_affine(module, norm))
            norm = None
            continue
        if norm is not None:
            layers.extend(_scale_and_shift(norm))
            norm = None
        if isinstance(module, nn.LayerNorm) and kind is nn.LayerNorm:
            layers.append(Normalise(module.eps))
            norm = module
        elif kind in ACTIVATIONS:
            layers.append(ACTIVATIONS[kind](module))
        elif kind in RESIDUAL_BLOCKS:
            layers.append(Residual(tuple(_compile(_branch(module)))))
        else:
            raise TypeError(f"no tangent rule for {kind.__name__}; AnyDecoder takes any callable")
    return layers


def _branch(block: nn.Module) -> list[nn.Module]:
    """The layers of a residual block. ``TypeError`` where one was exchanged."""
    parts = dict(block.named_children())
    for name, part in parts.items():
        if type(part) is not PARTS.get(name) or not _plain(part):
            raise TypeError(
                f"no tangent rule for a {type(block).__name__} whose {name} is {type(part).__name__}; AnyDecoder takes "
                "any callable"
            )
    return [parts["norm"], parts["up"], nn.GELU(), parts["down"]]


def _affine(linear: nn.Linear, norm: nn.LayerNorm | None) -> Affine:
    weight, bias = linear.weight.detach(), _bias(linear)
    if norm is not None and norm.elementwise_affine:
        if norm.bias is not None:
            bias = bias + weight @ norm.bias.detach()
        weight = weight * norm.weight.detach()
    return Affine(weight.T.contiguous(), bias)


def _scale_and_shift(norm: nn.LayerNorm) -> list[Layer]:
    if not norm.elementwise_affine:
        return []
    shift = torch.zeros_like(norm.weight) if norm.bias is None else norm.bias
    return [Affine(torch.diag(norm.weight.detach()), shift.detach())]


def _bias(linear: nn.Linear) -> Tensor:
    return torch.zeros_like(linear.weight[:, 0]) if linear.bias is None else linear.bias.detach()
