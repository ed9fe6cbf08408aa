"""The representations that a pack may name in ``pack.json``.

A representation is one file in this folder: a class that does what :class:`~sonifold.representation.spectral.Spectral`
does, or derives from it, under ``@register("its name")``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sonifold.errors import PackInvalid
from sonifold.registry import Registry

if TYPE_CHECKING:
    from sonifold.representation.spectral import Spectral

REPRESENTATIONS: Registry[Callable[[], Spectral]] = Registry("sonifold.representation")

#: A decorator that lets packs name a representation.
register = REPRESENTATIONS.register


def representation_named(name: str) -> Spectral:
    """A new representation of that name.

    Raises:
        PackInvalid: there is none; the sentence lists those there are.
    """
    factory = REPRESENTATIONS.get(name)
    if factory is None:
        names = ", ".join(REPRESENTATIONS.names())
        raise PackInvalid(
            f"no representation {name!r}; this version has {names}. Update Sonifold, or take another pack."
        )
    return factory()
