"""What the service needs of an engine: ten methods. All that is computed is an ``Operation``, and goes through
``run``, or a ``ProgressiveOperation``, and goes through ``stream``; so another engine (more processes, another machine)
implements these methods, and no operation anew.

Questions and answers are plain data, so that no route can tell where an engine lives. An engine raises the errors of
``sonifold.errors``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.parallel import MapParallel
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.engine.workload import Workload

Question = TypeVar("Question")
Result = TypeVar("Result")
Part = TypeVar("Part")


class Lane(Enum):
    """Which work an operation may make wait."""

    BATCH = auto()  # requests that arrive together are computed together, by rank
    LIGHT = auto()  # over at once
    FILES = auto()  # seconds, and some hundred megabytes: never before something to be heard


@dataclass(frozen=True, kw_only=True)
class Bounds(Generic[Question]):
    """How an operation's questions wait in line.

    Args:
        most: largest batch; small ones keep the first of a crowd from waiting for the last.
        rank: lower goes first.
        seconds: what a question of size 1 takes, until that has been measured.
        size: what a question takes, compared with others.
    """

    most: int = 4
    rank: int = 0
    seconds: float = 0.3
    size: Callable[[Question], float] = lambda _: 1.0


@dataclass(frozen=True)
class Operation(Bounds[Question], Generic[Question, Result]):
    """Something that is computed with a model: its name, its question, its answer, and the bounds of its batches.

    Args:
        name: by which an engine elsewhere finds it in ``operations.OPERATIONS``.
        question, answer: types of one question and its answer.
        compute: ``(model, questions, map_parallel)`` -> for each question its answer, or the exception that it has
            instead. ``model`` is None for operations on files alone.
        lane: which work it may make wait.
    """

    name: str
    question: Any
    answer: Any
    compute: Callable[[Any, Sequence[Question], MapParallel], Sequence[Result | Exception]]
    lane: Lane = Lane.BATCH


@dataclass(frozen=True)
class ProgressiveOperation(Bounds[Question], Generic[Question, Part]):
    """Something whose answer comes in parts, each of use before the next is there; it waits in line as an ``Operation``
    of the lane BATCH does.

    Args:
        name: by which an engine elsewhere finds it in ``operations.PROGRESSIVE``.
        question, part: types of the question and of the parts of its answer.
        compute: ``(model, question, map_parallel)`` -> what is new each time, perhaps nothing: between any two it can
            be stopped.
    """

    name: str
    question: Any
    part: Any
    compute: Callable[[Any, Question, MapParallel], Iterator[Sequence[Part]]]


class EngineUnavailableError(Exception):
    """Whoever computes is not there at the moment; the message is a sentence for the user."""

    def __init__(self, cause: str) -> None:
        """``cause``: what is missing, as a clause."""
        super().__init__(f"this cannot be computed at the moment: {cause}. Send it again in a few seconds.")


class Engine(Protocol):
    """Loads packs and computes with them. Every method but ``start``, ``close`` and ``workload`` is called on the
    event loop."""

    def start(self) -> None:
        """Begin to load; return at once."""

    def close(self) -> None:
        """Finish what is being computed and let go of everything."""

    async def catalogue(self, timeout: float) -> Catalogue | None:
        """The packs, once they are loaded; None if that takes longer than ``timeout`` seconds."""

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        """Load one more pack; if it cannot be used the catalogue says why, and so does this."""

    async def retitle(self, model: str, title: str) -> None:
        """Change the title of a pack in the catalogue."""

    async def shut(self, model: str) -> None:
        """Let go of a pack."""

    async def adapt(self, model: str, name: str, sounds: Sequence[UserSoundData], seed: int) -> Adapted:
        """Adapt a model to a user's sounds, in closed form. The result answers to ``name`` until it is ``shut``; it is
        not in the catalogue. A sound whose ``z`` is empty is embedded anew. Raises UploadsInvalid.
        """

    def workload(self) -> Workload:
        """What waits, and what its batches were; from any thread."""

    async def run(
        self,
        operation: Operation[Question, Result],
        model: str | None,
        questions: Sequence[Question],
        *,
        behind: bool = False,
    ) -> list[Result]:
        """The answer to each question, or the first of their errors; see also ``run_one``.

        ``model``: None for operations on files alone. ``behind``: compute while there is nothing else to do.
        Raises BusyError where too much is ahead of them, unless ``behind``; NotFinite for answers that are no numbers;
        EngineUnavailableError where whoever computes is away.
        """

    def stream(
        self, operation: ProgressiveOperation[Question, Part], model: str, question: Question
    ) -> AsyncIterator[Part]:
        """The parts of an answer, each as soon as it is computed, however slowly they are taken; the errors of ``run``.

        An async generator. Once it is closed, or whoever takes from it is cancelled, nothing more is computed.
        """


async def run_one(
    engine: Engine,
    operation: Operation[Question, Result],
    model: str | None,
    question: Question,
    *,
    behind: bool = False,
) -> Result:
    """The answer to one question."""
    (answer,) = await engine.run(operation, model, [question], behind=behind)
    return answer
