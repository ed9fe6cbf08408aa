"""A decoder looked over before geometry relies on it: what it takes and returns, and whether it stands still.

Every refusal is a ``DecoderInvalid`` that says what came and what to do.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm, dropout, instancenorm
from torch.nn.modules import module as torch_module
from torch.overrides import TorchFunctionMode

from sonifold.errors import DecoderInvalid
from sonifold.types import Points

Decode = TypeVar("Decode", bound=Callable[[Tensor], Any])

HALF = (torch.float16, torch.bfloat16)
#: Two answers to one question, or one in other company, may differ by this part through rounding.
REPEATS = 1e-6
ALONE = 1e-3


def refuse_training(decode: object) -> None:
    """Raise for a module in training mode with layers that then draw numbers, or learn from every call."""
    for module in decode.modules() if isinstance(decode, nn.Module) else ():
        unsettled(module)


def unsettled(module: nn.Module) -> None:
    """Raise for a single such layer."""
    if not module.training:
        return
    learns = (
        isinstance(module, batchnorm._BatchNorm | instancenorm._InstanceNorm) and module.track_running_stats
    )
    draws = (
        (isinstance(module, dropout._DropoutNd) and module.p > 0)
        or (isinstance(module, nn.MultiheadAttention | nn.RNNBase) and module.dropout > 0)
        or isinstance(module, nn.RReLU)
    )
    if learns or draws:
        raise DecoderInvalid(
            f"the decoder is in training mode, and has a {type(module).__name__} in it that "
            f"{'learns from every call' if learns else 'draws new numbers at every call'}; call .eval() on it first."
        )


def full_precision(decode: Decode) -> Decode:
    """The decoder, or a copy in float32 of a module that computes in half precision."""
    if isinstance(decode, nn.Module) and any(p.dtype in HALF for p in decode.parameters()):
        return copy.deepcopy(decode).float()
    return decode


def modules_of(decode: object) -> list[nn.Module]:
    """The modules that a callable is, is a method of, or holds on to."""
    if isinstance(decode, nn.Module):
        return [decode]
    if isinstance(decode, functools.partial):
        parts: list[object] = [decode.func, *decode.args, *decode.keywords.values()]
        return [module for part in parts for module in modules_of(part)]
    holds: list[object] = [getattr(decode, "__self__", None), *getattr(decode, "__dict__", {}).values()]
    for cell in getattr(decode, "__closure__", None) or ():
        try:
            holds.append(cell.cell_contents)
        except ValueError:  # a name that has no value yet
            continue
    code, names = getattr(decode, "__code__", None), getattr(decode, "__globals__", {})
    holds += [names.get(name) for name in code.co_names] if code is not None else []
    return [part for part in holds if isinstance(part, nn.Module)]


@dataclass(frozen=True)
class Look:
    """Properties of a decoder seen at its first call."""

    dtype: torch.dtype  #: the precision it computes in
    outputs: int  #: real numbers a point
    largest: int  #: numbers a point in the largest tensor on the way
    everything: int  #: numbers a point in all of them, which a backward pass may keep


def look(decode: Callable[[Tensor], Any], rows: Points, dtype: torch.dtype | None) -> Look:
    """Call a decoder on two points (2, latent), and raise ``DecoderInvalid`` for what geometry cannot be made of."""
    buffers = {name: buffer for module in modules_of(decode) for name, buffer in module.named_buffers()}
    before = {name: buffer.clone() for name, buffer in buffers.items()}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        with _Watch() as watch, _layers_called(unsettled):
            value, dtype = _first_value(decode, rows, [dtype, rows.dtype, torch.float32, torch.float64])
        rows = rows.to(dtype)
        _check_kind(value, rows)
        changed = [name for name, buffer in buffers.items() if not _equal(buffer, before[name])]
        for name in changed:
            buffers[name].copy_(before[name])
        if changed:
            raise DecoderInvalid(
                f"calling the decoder changes it ({', '.join(changed[:3])}); call .eval() on it first, or pass a "
                "function that leaves it as it is."
            )
        _check_still(decode, value, rows)
    outputs = value[0].numel() * (2 if value.is_complex() else 1)
    return Look(dtype, outputs, -(-watch.largest // len(rows)), -(-watch.everything // len(rows)))


def _first_value(
    decode: Callable[[Tensor], Any], rows: Points, dtypes: list[torch.dtype | None]
) -> tuple[Any, torch.dtype]:
    """What the decoder returns, in the first precision that it takes."""
    problem: Exception | None = None
    for dtype in dict.fromkeys(dtype for dtype in dtypes if dtype is not None):
        try:
            return decode(rows.to(dtype)), dtype
        except DecoderInvalid:
            raise
        except Exception as error:  # whatever a foreign decoder raises
            problem = problem or error
    raise DecoderInvalid(_why_not(decode, rows, problem)) from problem


def _why_not(decode: Callable[[Tensor], Any], rows: Points, problem: Exception | None) -> str:
    latent = rows.shape[1]
    batch = f"a batch of latent points, shape {tuple(rows.shape)} on {rows.device}"
    if _takes(decode, rows[0]):
        return (
            f"the decoder takes one latent point of {latent} numbers, and geometry asks for {batch}; "
            "pass torch.func.vmap(decoder), or a function that takes a whole batch."
        )
    for words, shaped in (("[..., None]", rows[..., None]), ("[..., None, None]", rows[..., None, None])):
        if _takes(decode, shaped, len(rows)):
            return (
                f"the decoder takes points of shape {tuple(shaped.shape)}, and geometry gives it {batch}; "
                f"pass lambda z: decoder(z{words})."
            )
    words = f"{type(problem).__name__}: {problem}".splitlines()[0]
    return (
        f"the decoder does not take {batch}. It must map latent points (batch, latent) to a tensor (batch, ...), on "
        f"the device of the points. It said: {words}"
    )


def _takes(decode: Callable[[Tensor], Any], points: Tensor, count: int | None = None) -> bool:
    for dtype in (points.dtype, torch.float32, torch.float64):
        try:
            value = decode(points.to(dtype))
        except Exception:  # noqa: S112 - whatever a foreign decoder raises; False says so
            continue
        return count is None or (isinstance(value, Tensor) and value.ndim > 1 and len(value) == count)
    return False


def _check_kind(value: object, rows: Points) -> None:
    if not isinstance(value, Tensor):
        raise DecoderInvalid(
            f"the decoder returns {_named(value)}, where a tensor (batch, ...) is needed; pass {_taken_from(value)}."
        )
    if value.dtype in HALF:
        raise DecoderInvalid(
            f"the decoder computes in {str(value.dtype).removeprefix('torch.')}, in which near points cannot be told "
            "apart; pass it in float32 (decoder.float(), without autocast)."
        )
    if not value.is_floating_point() and not value.is_complex():
        raise DecoderInvalid(
            f"the decoder returns {value.dtype}, which has no derivative; pass what it computes before it is rounded, "
            "compared or looked up."
        )
    if value.ndim == 0 or len(value) != len(rows):
        raise DecoderInvalid(
            f"the decoder made shape {tuple(value.shape)} of a batch of {len(rows)} latent points, shape "
            f"{tuple(rows.shape)}; its first dimension must be the batch. One that takes a single vector becomes one "
            "for a batch by torch.func.vmap(decoder)."
        )


def _named(value: object) -> str:
    kind = type(value).__name__
    if isinstance(value, Mapping):
        return f"a {kind} with {', '.join(map(repr, list(value)[:5]))}"
    return f"a {kind} of {len(value)}" if isinstance(value, tuple | list) else f"a {kind}"


def _taken_from(value: object) -> str:
    """Code that would make a tensor of it."""
    if isinstance(value, torch.distributions.Distribution):
        return "lambda z: decoder(z).mean"
    if isinstance(value, Mapping):
        names = [name for name, part in value.items() if isinstance(part, Tensor)] or list(value)
        return f"lambda z: decoder(z)[{names[0]!r}]" if names else "a function that returns a tensor"
    if isinstance(value, tuple | list):
        return "lambda z: decoder(z)[0]"
    return "a function that returns a torch tensor, made of torch operations"


def _check_still(decode: Callable[[Tensor], Any], value: Tensor, rows: Points) -> None:
    size = value.abs().nan_to_num(0, 0, 0).amax()
    if _apart(decode(rows), value) > REPEATS * size:
        raise DecoderInvalid(
            "the decoder draws random numbers: two calls with the same points gave different outputs. Pass the mean, "
            "hold its noise fixed, or call .eval() on it."
        )
    try:
        alone = decode(rows[:1])
    except Exception as error:  # whatever a foreign decoder raises
        raise DecoderInvalid(
            f"the decoder takes two latent points but not a batch of one: {error}"
        ) from error
    if alone.shape[1:] != value.shape[1:] or len(alone) != 1 or _apart(alone, value[:1]) > ALONE * size:
        raise DecoderInvalid(
            "the decoder mixes the points of a batch: the first of two is decoded otherwise than alone. Every row must "
            "be decoded for itself: batch norm needs .eval(), attention batch_first=True, a softmax another dimension."
        )


def _apart(value: Tensor, other: Tensor) -> float:
    """Largest difference, of what is finite in both."""
    return float((value - other).abs().nan_to_num(0, 0, 0).amax()) if value.numel() else 0.0


def _equal(value: Tensor, other: Tensor) -> bool:
    return value.shape == other.shape and bool(
        ((value == other) | ((value != value) & (other != other))).all()
    )


class _Watch(TorchFunctionMode):
    """Refuses functions that draw or learn, and counts the numbers on the way."""

    largest = everything = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if func is nn.functional.batch_norm and len(args) > 5 and args[5] and args[1] is not None:
            raise DecoderInvalid(
                "the decoder learns from every call (batch norm in training); call .eval() on it first."
            )
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            self.largest = max(self.largest, result.numel())
            self.everything += result.numel()
        return result


@contextmanager
def _layers_called(check: Callable[[nn.Module], None]) -> Iterator[None]:
    """Hold every module against ``check`` just before this thread calls it."""
    thread = threading.get_ident()

    def before(module: nn.Module, _: object) -> None:
        if threading.get_ident() == thread:
            check(module)

    handle = torch_module.register_module_forward_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()
