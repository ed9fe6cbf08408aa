"""The engine as one user sees it: the models that came with the server, and their own.

All users share one engine, its queue and the models in its memory. What one of them opened in it, another cannot name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sonifold import errors
from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.protocol import Engine, Lane, Operation, Part, ProgressiveOperation, Question, Result
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.engine.workload import Workload
from sonifold_app.store.quotas import Quota

Value = TypeVar("Value")


class OwnedEngine:
    """An engine that somebody else starts and closes, and what one user may name in it."""

    def __init__(
        self, engine: Engine, owners: dict[str, str], owner: str, quota: Quota | None = None
    ) -> None:
        """``owners``: for all users, whose each model is that did not come with the server. ``owner``: this user.
        ``quota``: how much of it the user may use at the same time; None: as much as they like."""
        self._engine, self._owners, self._owner, self._quota = engine, owners, owner, quota

    def start(self) -> None:
        """Whoever made the engine starts it."""

    def close(self) -> None:
        """Whoever made the engine closes it."""

    async def catalogue(self, timeout: float) -> Catalogue | None:
        catalogue = await self._engine.catalogue(timeout)
        if catalogue is None:
            return None
        return dataclasses.replace(
            catalogue, models=self._visible(catalogue.models), unusable=self._visible(catalogue.unusable)
        )

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        catalogue = await self._engine.catalogue(0)
        present = catalogue.models.keys() | catalogue.unusable.keys() if catalogue else frozenset()
        is_librarys = self._owners.get(folder.name) != self._owner and folder.name in present
        if is_librarys or not self._may_name(folder.name):
            return f"{folder.name}: a model of that name cannot be taken in on this server. Give it another name."
        self._owners[folder.name] = self._owner
        return await self._engine.open(folder, kind)

    async def retitle(self, model: str, title: str) -> None:
        self._require(model)
        await self._engine.retitle(model, title)

    async def shut(self, model: str) -> None:
        self._require(model)
        await self._engine.shut(model)
        self._owners.pop(model, None)

    async def adapt(self, model: str, name: str, sounds: Sequence[UserSoundData], seed: int) -> Adapted:
        self._require(model)
        self._require(name)
        self._owners[name] = self._owner
        return await self._engine.adapt(model, name, sounds, seed)

    def workload(self) -> Workload:
        return self._engine.workload()

    async def run(
        self,
        operation: Operation[Question, Result],
        model: str | None,
        questions: Sequence[Question],
        *,
        behind: bool = False,
    ) -> list[Result]:
        self._require(model)
        with self._rendering(counts=operation.lane is Lane.BATCH and not behind):
            return await self._engine.run(operation, model, questions, behind=behind)

    async def stream(
        self, operation: ProgressiveOperation[Question, Part], model: str, question: Question
    ) -> AsyncIterator[Part]:
        self._require(model)
        with self._rendering():
            async for part in self._engine.stream(operation, model, question):
                yield part

    @contextmanager
    def _rendering(self, *, counts: bool = True) -> Iterator[None]:
        """Raises QuotaBusyError."""
        if self._quota is None or not counts:
            yield
            return
        self._quota.begin_render()
        try:
            yield
        finally:
            self._quota.end_render()

    def _visible(self, named: Mapping[str, Value]) -> dict[str, Value]:
        return {name: value for name, value in named.items() if self._may_name(name)}

    def _may_name(self, model: str) -> bool:
        return self._owners.get(model, self._owner) == self._owner

    def _require(self, model: str | None) -> None:
        """Raises PackNotFound, as for a model that never was."""
        if model is not None and not self._may_name(model):
            raise errors.PackNotFound(f"no model named {model!r} is here.")
