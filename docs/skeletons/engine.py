"""A new engine: it passes everything on to another one, as an engine on another machine would by its own means.

Copy this file to ``backend/sonifold_app/engine``, name the class in ``build.py`` there, and add it to ``ENGINES`` in
``tests/sonifold_app/engine_contract.py``: the contract then runs on it, as it does on this one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.protocol import Engine, Operation, Part, ProgressiveOperation, Question, Result
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.engine.workload import Workload


class ForwardingEngine:
    """An engine in front of another one.

    Questions and answers are plain data, and an operation has a name: ``operation.name``, the model's name and the
    questions cross to another machine, and answers come back, or an error of ``sonifold.errors``.
    """

    def __init__(self, inner: Engine) -> None:
        self._inner = inner

    def start(self) -> None:
        self._inner.start()

    def close(self) -> None:
        self._inner.close()

    async def catalogue(self, timeout: float) -> Catalogue | None:
        return await self._inner.catalogue(timeout)

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        return await self._inner.open(folder, kind)

    async def retitle(self, model: str, title: str) -> None:
        await self._inner.retitle(model, title)

    async def shut(self, model: str) -> None:
        await self._inner.shut(model)

    async def adapt(self, model: str, name: str, sounds: Sequence[UserSoundData], seed: int) -> Adapted:
        return await self._inner.adapt(model, name, sounds, seed)

    def workload(self) -> Workload:
        return self._inner.workload()

    async def run(
        self,
        operation: Operation[Question, Result],
        model: str | None,
        questions: Sequence[Question],
        *,
        behind: bool = False,
    ) -> list[Result]:
        return await self._inner.run(operation, model, questions, behind=behind)

    def stream(
        self, operation: ProgressiveOperation[Question, Part], model: str, question: Question
    ) -> AsyncIterator[Part]:
        return self._inner.stream(operation, model, question)
