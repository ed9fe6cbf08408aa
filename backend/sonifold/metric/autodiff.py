"""Derivatives of any torch callable by torch itself: forwards a tangent at a time, or backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from sonifold.forward import PROCESS_WIDE, jvp
from sonifold.types import Points, Vectors

from .tangent import Pull, TangentDecoder

#: Points decoded at once.
CHUNK = 256
#: Step of the differences that stand in for a second derivative, over the size of the points.
DIFFERENCE = {torch.float32: 1e-2, torch.float64: 1e-4}


class _Elementary(TorchFunctionMode):
    """Normalisations written out, while it is on.

    torch takes the mean and deviation inside them for constants when it differentiates their tangents once more
    (2.13, forwards as well as backwards), and second derivatives come out wrong without a word.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
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


ELEMENTARY: dict[Callable[..., Any], Callable[..., Any]] = {
    nn.functional.layer_norm: _layer_norm,
    nn.functional.group_norm: _group_norm,
    nn.functional.instance_norm: _instance_norm,
}


@contextmanager
def composed() -> Iterator[None]:
    """Attention and recurrent layers made of parts that torch can differentiate in every way, instead of fused."""
    with PROCESS_WIDE, sdpa_kernel(SDPBackend.MATH):
        (enabled, *_) = torch.backends.mkldnn.set_flags(_enabled=False)
        try:
            yield
        finally:
            torch.backends.mkldnn.set_flags(_enabled=enabled)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


class ByTorch(TangentDecoder):
    """A torch callable (batch, latent) -> (batch, ...) whose rows do not influence each other.

    ``chunk`` points at a time to bound memory, ``graph`` of them where what the backward pass needs is kept. Complex
    outputs count as their real and imaginary parts. ``fused``: torch may use its fused layers.
    """

    def __init__(
        self,
        decode: Callable[[Tensor], Tensor],
        chunk: int = CHUNK,
        graph: int | None = None,
        fused: bool = True,
    ):
        self.decode, self.chunk, self.graph = decode, chunk, graph or chunk
        self._layers = _as_it_is if fused else composed
        #: Second derivatives are taken as differences of first ones.
        self.bends_by_differences = False
        self.outputs: int | None = None  #: how many a point, where that is known
        self.precision: torch.dtype | None = None  #: that it was found to compute in
        tensors = [*decode.parameters(), *decode.buffers()] if isinstance(decode, nn.Module) else []
        self.dtype = next((p.dtype for p in tensors if p.is_floating_point()), None)
        self.device = next((p.device for p in tensors), None)

    def rows(self, z: Points) -> Tensor:
        """The callable's output as vectors of real numbers (batch, output)."""
        value = self.decode(z)
        return (torch.view_as_real(value) if value.is_complex() else value).flatten(1)

    def __call__(self, z: Points) -> Tensor:
        return torch.cat([self.rows(part) for part in z.split(self.chunk)])

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        """In chunks, more than one are decoded a second time on the way back."""
        parts = z.detach().split(self.graph)
        if len(parts) == 1:
            return self._with_pull(z)
        with torch.no_grad():
            value = torch.cat([self.rows(part) for part in parts])

        def pull(cotangent: Tensor) -> Tensor:
            pairs = zip(parts, cotangent.split(self.graph), strict=True)
            return torch.cat([self._with_pull(part)[1](cotangents) for part, cotangents in pairs])

        return value, pull

    def _with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        with self._layers(), torch.enable_grad():
            y = z.detach().requires_grad_(True)
            value = self.rows(y)

        def pull(cotangent: Tensor) -> Tensor:
            if not value.requires_grad:  # a constant, to torch
                return torch.zeros_like(y)
            with self._layers():
                (gradient,) = torch.autograd.grad(value, y, cotangent, retain_graph=True, allow_unused=True)
            return torch.zeros_like(y) if gradient is None else gradient

        return value.detach(), pull

    def second_derivative(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        if not self.bends_by_differences:
            return super().second_derivative(z, u, v)
        sizes = u.norm(dim=1, keepdim=True).clamp_min(torch.finfo(u.dtype).tiny)
        step = DIFFERENCE.get(z.dtype, 1e-2) * z.square().mean().sqrt().clamp_min(1e-6) * z.shape[1] ** 0.5
        ahead, behind = (self.push(z + side * step * u / sizes, v[:, None])[1][:, 0] for side in (1, -1))
        derivative: Tensor = (ahead - behind) * (sizes / (2 * step))
        return derivative


class ForwardMode(ByTorch):
    """Forward-mode differentiation. Layers that mix the batch break it: batch norm needs ``.eval()`` first."""

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        chunks = zip(z.split(self.chunk), tangents.split(self.chunk), strict=True)
        with self._layers(), _Elementary():
            parts = [self._push(*chunk) for chunk in chunks]
        values, images = zip(*parts, strict=True)
        return torch.cat(values), torch.cat(images)

    def _push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        def along(tangent: Tensor) -> tuple[Tensor, Tensor]:
            value, image = jvp(self.rows, (z,), (tangent,))
            return value, image

        values, images = torch.func.vmap(along, in_dims=1)(tangents)
        return values[0], images.movedim(0, 1)


class BackwardMode(ByTorch):
    """Reverse-mode differentiation, for operations that have no forward derivative or a wrong one.

    J v is the slope in a of J'a, which is linear in a: two passes a tangent, whatever the number of outputs.
    ``by_rows``: where torch cannot differentiate the backward pass, the Jacobian is taken an output at a time.
    """

    def __init__(
        self,
        decode: Callable[[Tensor], Tensor],
        chunk: int = CHUNK,
        graph: int | None = None,
        by_rows: bool = False,
    ):
        super().__init__(decode, chunk, graph, fused=False)
        self.by_rows, self.bends_by_differences = by_rows, True

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        chunks = zip(z.split(self.graph), tangents.split(self.graph), strict=True)
        with self._layers():
            parts = [self._push(*chunk) for chunk in chunks]
        values, images = zip(*parts, strict=True)
        return torch.cat(values), torch.cat(images)

    def _push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        keeps = torch.is_grad_enabled() and z.requires_grad
        with torch.enable_grad():
            y = z if keeps else z.detach().requires_grad_(True)
            value = self.rows(y)
            images = (
                self._rows(value, y, tangents, keeps)
                if self.by_rows
                else self._twice(value, y, tangents, keeps)
            )
        return (value, images) if keeps else (value.detach(), images.detach())

    @staticmethod
    def _twice(value: Tensor, y: Tensor, tangents: Tensor, keeps: bool) -> Tensor:
        if not value.requires_grad:
            return value.new_zeros(len(value), tangents.shape[1], value.shape[1])
        a = torch.zeros_like(value, requires_grad=True)
        (pulled,) = torch.autograd.grad(
            value, y, a, create_graph=True, allow_unused=True, materialize_grads=True
        )
        images = [
            torch.autograd.grad(
                pulled,
                a,
                tangent,
                retain_graph=True,
                create_graph=keeps,
                allow_unused=True,
                materialize_grads=True,
            )[0]
            for tangent in tangents.unbind(1)
        ]
        return torch.stack(images, 1)

    @staticmethod
    def _rows(value: Tensor, y: Tensor, tangents: Tensor, keeps: bool) -> Tensor:
        if not value.requires_grad:
            return value.new_zeros(len(value), tangents.shape[1], value.shape[1])
        rows = [
            torch.autograd.grad(
                output.sum(),
                y,
                retain_graph=True,
                create_graph=keeps,
                allow_unused=True,
                materialize_grads=True,
            )[0]
            for output in value.unbind(1)
        ]
        return tangents @ torch.stack(rows, 2)
