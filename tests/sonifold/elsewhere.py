"""A stand-in for a GPU on machines without one: tensors that say they are elsewhere, and refuse those that are not.

The numbers stay on the CPU, inside. What a GPU would not do fails as there: an operation on tensors of both kinds, a
conversion to numpy. So a tensor left behind, made without its device, is found by running the code once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_map_only

aten = torch.ops.aten

#: No tensor of ours is on it otherwise, and torch knows it in every build.
DEVICE = torch.device("meta")
CPU = torch.device("cpu")
#: Operations that a GPU takes CPU tensors for: the indices.
INDEXED = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}
COPIES = {aten.copy_.default, aten._to_copy.default}
#: Operations that a device is there for, where their tensors are large.
HEAVY = {
    aten.mm.default,
    aten.addmm.default,
    aten.bmm.default,
    aten.baddbmm.default,
    aten._fft_r2c.default,
    aten._fft_c2r.default,
    aten.gelu.default,
    aten.native_layer_norm.default,
    aten.linalg_inv_ex.default,
}


class LeftBehind(BaseException):
    """An operation on a tensor elsewhere and one that was left on the CPU.

    No ``Exception``: code that goes on after whatever a decoder raises would take it for that.
    """


class Elsewhere(Tensor):
    """A tensor elsewhere, with its numbers."""

    inside: Tensor

    @staticmethod
    def __new__(cls, inside: Tensor) -> Elsewhere:
        made = Tensor._make_wrapper_subclass(
            cls,
            inside.size(),
            strides=inside.stride(),
            storage_offset=inside.storage_offset(),
            dtype=inside.dtype,
            device=DEVICE,
            requires_grad=False,
        )
        made.inside = inside
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    def tolist(self) -> object:
        """Which torch does not do for tensors of other types."""
        return self.inside.tolist()

    def __repr__(self) -> str:
        return f"Elsewhere({self.inside})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        return run(func, args, kwargs or {})


def resolved(tensor: Tensor) -> Tensor:
    """Without the marks "to be conjugated" and "to be negated", which a wrapper would lose."""
    return tensor.resolve_conj().resolve_neg()


def run(func: Callable, args: tuple, kwargs: dict) -> object:
    """An operation, its result elsewhere if its inputs are, or if it is asked to be made there."""
    wanted = kwargs.get("device")
    wanted = torch.device(wanted) if wanted is not None else None
    tensors = [part for part in tree_flatten((args, kwargs))[0] if isinstance(part, Tensor)]
    theirs = [part for part in tensors if isinstance(part, Elsewhere)]
    ours = [part for part in tensors if not isinstance(part, Elsewhere) and part.ndim]
    if any(part.device == DEVICE for part in tensors if not isinstance(part, Elsewhere)):
        raise NotImplementedError(
            f"{func}: a tensor without numbers, which the stand-in did not see being made"
        )
    if theirs and ours and func not in INDEXED | COPIES:
        raise LeftBehind(
            f"{func}: {[tuple(part.shape) for part in theirs]} elsewhere, {[tuple(part.shape) for part in ours]} not"
        )
    if theirs and func in INDEXED and not isinstance(args[0], Elsewhere):
        raise LeftBehind(f"{func}: a tensor on the CPU indexed by one elsewhere")
    if (theirs or wanted == DEVICE) and any(
        isinstance(part, torch.Generator) for part in (*args, *kwargs.values())
    ):
        raise LeftBehind(f"{func}: a generator on the CPU for numbers elsewhere")
    if wanted == DEVICE:
        kwargs = {**kwargs, "device": CPU}
    result = func(
        *tree_map_only(Elsewhere, lambda part: part.inside, args),
        **tree_map_only(Elsewhere, lambda part: part.inside, kwargs),
    )
    if torch.Tag.inplace_view in func.tags:  # what looks otherwise inside looks otherwise from outside
        with no_dispatch():
            func(*args, **kwargs)
    there = wanted == DEVICE if wanted is not None else bool(theirs)
    if func is aten.copy_.default:
        return args[0]
    if not there:
        return result
    changed = {id(part.inside): part for part in theirs}  # in-place operations give back what they were given

    def wrapped(part: object) -> object:
        if not isinstance(part, Tensor) or isinstance(part, Elsewhere):
            return part
        return changed[id(part)] if id(part) in changed else Elsewhere(resolved(part))

    return tree_map(wrapped, result)


class Watching(TorchDispatchMode):
    """Sends what is made for elsewhere there, and wants work on tensors of ``heavy`` numbers to be done there."""

    def __init__(self, heavy: int | None):
        super().__init__()
        self.heavy = heavy

    def __torch_dispatch__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        if self.heavy is not None and func in HEAVY:
            sizes = [
                part.numel() for part in args if isinstance(part, Tensor) and not isinstance(part, Elsewhere)
            ]
            if max(sizes, default=0) >= self.heavy:
                raise LeftBehind(f"{func}: heavy work on the CPU, on tensors of {sizes} numbers")
        return run(func, args, kwargs or {})


def _is_list(part: object) -> bool:
    return isinstance(part, list)


def _index(rows: list) -> Tensor:
    return torch.tensor(rows) if rows else torch.tensor(rows, dtype=torch.long)


class Making(TorchFunctionMode):
    """Numbers of Python's, which torch turns into a tensor without asking anybody."""

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        kwargs = dict(kwargs or {})
        if func in (
            Tensor.__getitem__,
            Tensor.__setitem__,
        ):  # the list in x[[0, -1]] would become a tensor without numbers
            args = (args[0], tree_map_only(list, _index, args[1], is_leaf=_is_list), *args[2:])
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        return func(*args, **kwargs)


@contextmanager
def watching(heavy: int | None = None) -> Iterator[torch.device]:
    """Code run inside finds a device that it may use, and fails where it leaves tensors behind.

    ``heavy``: it fails also where it does on the CPU what the device is there for, on tensors of as many numbers.
    """
    with Making(), Watching(heavy):
        yield DEVICE
