"""What the files of one folder offer by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Entries by name, each of which a module of the package ``package`` registers when it is imported."""

    def __init__(self, package: str):
        self._package = package
        self._entries: dict[str, Entry] = {}

    def register(self, name: str) -> Callable[[Entry], Entry]:
        """A decorator that offers what it decorates under ``name``."""

        def registered(entry: Entry) -> Entry:
            self._entries[name] = entry
            return entry

        return registered

    def remove(self, name: str) -> None:
        """Offers ``name`` no longer."""
        self._entries.pop(name, None)

    def get(self, name: str) -> Entry | None:
        """The entry of a name; None where there is none."""
        if name not in self._entries:
            self._import_all()
        return self._entries.get(name)

    def names(self) -> list[str]:
        """The names there are, sorted."""
        self._import_all()
        return sorted(self._entries)

    def _import_all(self) -> None:
        folder = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
            importlib.import_module(module.name)
