"""The representations that a pack may name in ``pack.json``.

A representation is one file in this folder: a class that does what :class:`~sonifold.representation.spectral.Spectral`
does, or derives from it, under ``@register("its name")``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sonifold.errors import PackInvalid

if TYPE_CHECKING:
    from sonifold.representation.spectral import Spectral

Factory = TypeVar("Factory", bound="Callable[[], Spectral]")
_factories: dict[str, Callable[[], Spectral]] = {}


def register(name: str) -> Callable[[Factory], Factory]:
    """A decorator that lets packs name a representation."""

    def registered(factory: Factory) -> Factory:
        _factories[name] = factory
        return factory

    return registered


def names() -> list[str]:
    """The names there are."""
    _import_all()
    return sorted(_factories)


def representation_named(name: str) -> Spectral:
    """A new representation of that name.

    Raises:
        PackInvalid: there is none; the sentence lists those there are.
    """
    if name not in names():
        raise PackInvalid(
            f"no representation {name!r}; this version has {', '.join(names())}. Update Sonifold, or take another pack."
        )
    return _factories[name]()


@cache
def _import_all() -> None:
    folder = importlib.import_module("sonifold.representation")
    for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
        importlib.import_module(module.name)
