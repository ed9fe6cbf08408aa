"""The models that an engine has open, and the catalogue that tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from sonifold_app.engine.facts import Catalogue, ModelFacts, find_model

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold_app.engine.packs import LazyModel

    Models = Mapping[str, Model | LazyModel]

#: A model, or what stands for one that is in memory elsewhere.
Opened = TypeVar("Opened")


class OpenModels(Generic[Opened]):
    """Models by name. Filled by one thread; after that changed on the event loop, and read from any thread."""

    def __init__(self) -> None:
        self.by_name: Mapping[str, Opened] = {}
        self._unusable: Mapping[str, str] = {}
        self._catalogue: Future[Catalogue] = Future()

    def fill(
        self,
        models: Mapping[str, Opened],
        unusable: Mapping[str, str],
        facts: Mapping[str, ModelFacts],
        device: str,
    ) -> None:
        """What there is at the start: models, sentences about those that cannot be used, what is told of each."""
        self.by_name, self._unusable = models, unusable
        self._catalogue.set_result(Catalogue(facts, dict(unusable), device))

    def fail(self, error: Exception) -> None:
        """There will be none: whoever waits for the catalogue has the error."""
        self._catalogue.set_exception(error)

    async def catalogue(self, timeout: float) -> Catalogue | None:
        """What there is, once that is known; None where it takes longer than so many seconds."""
        if self._catalogue.done():
            return self._catalogue.result()
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(asyncio.wrap_future(self._catalogue))
        except TimeoutError:
            return None

    def find(self, name: str) -> Opened:
        """The model of a name. Raises PackInvalid, PackNotFound."""
        advice = "Pick one of these, or put its folder among the packs and restart."
        return find_model(name, self.by_name, self._unusable, advice)

    def add(self, name: str, model: Opened, facts: ModelFacts | None = None) -> None:
        """A model more; without ``facts`` it is not in the catalogue."""
        self.by_name = {**self.by_name, name: model}
        if facts is not None:
            self._announce({**self._listed, name: facts})

    def add_unusable(self, name: str, problem: str) -> None:
        """A pack more that cannot be used, with a sentence about why."""
        self._unusable = {**self._unusable, name: problem}
        self._announce(self._listed)

    def retitle(self, name: str, title: str) -> None:
        """Another title for a model, if it is in the catalogue."""
        if name in self._listed:
            self._announce({**self._listed, name: replace(self._listed[name], title=title)})

    def remove(self, name: str) -> bool:
        """Have a model no more; whether it was in the catalogue."""
        self.by_name = {other: model for other, model in self.by_name.items() if other != name}
        listed = name in self._listed.keys() | self._unusable.keys()
        if listed:
            self._unusable = {other: why for other, why in self._unusable.items() if other != name}
            self._announce({other: facts for other, facts in self._listed.items() if other != name})
        return listed

    @property
    def _listed(self) -> Mapping[str, ModelFacts]:
        return self._catalogue.result().models

    def _announce(self, facts: Mapping[str, ModelFacts]) -> None:
        catalogue: Future[Catalogue] = Future()
        catalogue.set_result(Catalogue(facts, dict(self._unusable), self._catalogue.result().device))
        self._catalogue = catalogue
