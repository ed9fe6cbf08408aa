"""What routes need, found on the app that ``create_app`` wired, and handed to them by FastAPI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Path, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from sonifold_app.collection.maps import CollectionMaps
from sonifold_app.collection.service import Collection
from sonifold_app.engine.facts import Catalogue, ModelFacts
from sonifold_app.engine.protocol import Engine, Operation, Question, run_one
from sonifold_app.http import problems
from sonifold_app.http.metrics import Metrics
from sonifold_app.http.readiness import Readiness
from sonifold_app.http.waiting import Line
from sonifold_app.jobs.backend import JobBackend
from sonifold_app.settings import Settings
from sonifold_app.store.cache import Recordings, ReplyCache
from sonifold_app.store.recent import RecentFiles
from sonifold_app.user.adaptations import Adaptations
from sonifold_app.user.decoding import DecodingProcesses
from sonifold_app.user.listening import ListeningTests
from sonifold_app.user.models import UserModels
from sonifold_app.user.sounds import UserSounds

#: A request that comes while the models are being loaded is kept for so long before it is told to come again.
PATIENCE_SECONDS = 10.0

Answer = TypeVar("Answer")


class SingleFlight(Generic[Answer]):
    """Equal questions at the same time are asked once; a question that nobody waits for any more is
    dropped.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Answer]] = {}
        self._waiting: dict[str, int] = {}

    async def ask(self, question: str, answer: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        task = self._tasks.get(question)
        if task is None:
            task = self._tasks[question] = asyncio.create_task(answer())
            task.add_done_callback(lambda _: self._land(question))
        self._waiting[question] = self._waiting.get(question, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            waiting = self._waiting.get(question, 0) - 1
            if self._tasks.get(question) is task:
                self._waiting[question] = waiting
                if waiting == 0:
                    task.cancel()
                    self._land(question)

    def _land(self, question: str) -> None:
        self._tasks.pop(question, None)
        self._waiting.pop(question, None)


@dataclass(frozen=True, kw_only=True)
class SharedLines:
    """Before what takes much of the machine, however many users there are."""

    #: Uploads whose files are in memory at the same time, and those that wait on the disk for their turn.
    uploads: Line = field(default_factory=lambda: Line(at_once=2, waiting=16))
    #: Models that are being adapted, and taken in from files.
    adapting: Line = field(default_factory=lambda: Line(at_once=1, waiting=16))
    imports: Line = field(default_factory=lambda: Line(at_once=1, waiting=2, seconds=10.0))
    #: Models that are being sent.
    exports: Line = field(default_factory=lambda: Line(at_once=4, waiting=8))
    #: What decodes uploads before the engine does; None: nothing.
    decoding: DecodingProcesses | None = None


@dataclass(frozen=True)
class Services(SharedLines):
    """Everything a route may use: one user's, and nothing of another's."""

    settings: Settings
    engine: Engine
    recordings: Recordings
    cache: ReplyCache
    user_sounds: UserSounds
    adaptations: Adaptations
    user_models: UserModels
    jobs: JobBackend
    listening: ListeningTests
    collection: Collection
    collection_maps: CollectionMaps
    #: None where the settings want none.
    metrics: Metrics | None = None
    #: Parts that cannot do their work say so here.
    readiness: Readiness = field(default_factory=Readiness)
    single_flight: SingleFlight[Any] = field(default_factory=SingleFlight)
    #: Sounds of libraries, as they were sent.
    library_files: RecentFiles = field(default_factory=RecentFiles)
    documents: dict[tuple[str, str], tuple[Hashable, bytes]] = field(default_factory=dict)

    async def document(
        self, model: ModelFacts, kind: str, build: Callable[[], BaseModel], state: Hashable = None
    ) -> bytes:
        """A reply that never changes while a model and ``state`` stay the same, as JSON; made in a thread when it is
        first asked for.
        """
        built_from, body = self.documents.get((kind, model.name), (None, b""))
        if built_from != (model.version, state):
            body = await run_in_threadpool(lambda: build().model_dump_json().encode())
            self.documents[kind, model.name] = ((model.version, state), body)
        return body

    def forget(self, model: str) -> None:
        """Drop the documents of a model that is no more."""
        for key in [key for key in self.documents if key[1] == model]:
            del self.documents[key]


# Each of these takes the request alone, not what another provides: FastAPI goes through all that stands behind a
# dependency wherever it is named, also where it has its value already, and calls what is no coroutine in a thread.


def services_of(request: Request) -> Services:
    """Of whoever asks: a user's, which ``workspaces.InWorkspace`` has put there, or those of the main token."""
    is_main = getattr(request.state, "user", None) is None
    provided: Services = request.app.state.services if is_main else request.state.services
    return provided


async def services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(services)]


async def require_main_token(request: Request) -> None:
    """Raises main_token_required for users."""
    if getattr(request.state, "user", None) is not None:
        raise problems.Problem(
            403,
            "main_token_required",
            "Only with the server's own token",
            "This is for whoever runs the server, who knows SONIFOLD_TOKEN. Your token opens what is yours.",
        )


#: Of routes that are for whoever runs the server.
MainTokenDep = Depends(require_main_token)


async def catalogue(request: Request) -> Catalogue:
    """All models: packs, and what they are adapted to at the moment."""
    provided = services_of(request)
    packs = await provided.engine.catalogue(PATIENCE_SECONDS)
    if packs is None:
        raise problems.not_ready()
    return provided.adaptations.joined(packs)


CatalogueDep = Annotated[Catalogue, Depends(catalogue)]


ModelId = Annotated[str, Path(max_length=64, description="The model's id.", examples=["oneshots"])]


async def existing_model(model: ModelId, request: Request) -> ModelFacts:
    """The model that an address names. Raises PackNotFound, PackInvalid."""
    return (await catalogue(request)).find(model)


#: A model to talk about.
ExistingModelDep = Annotated[ModelFacts, Depends(existing_model)]


async def model_facts(model: ModelId, request: Request) -> AsyncIterator[ModelFacts]:
    models = await catalogue(request)
    facts = models.find(model)
    async with services_of(request).adaptations.using(facts, models):
        yield facts


#: A model to compute with. Raises PackInvalid where an adapted one cannot be made again.
ModelDep = Annotated[ModelFacts, Depends(model_facts)]


async def computed(
    request: Request,
    services: Services,
    operation: Operation[Question, Answer],
    model: ModelFacts,
    query: Question,
) -> Answer:
    """The engine's answer to a query, with the user sounds that it names put in; see ``unless_abandoned``."""

    async def answer() -> Answer:
        resolved = await services.user_sounds.resolve_user_sounds(model, query)
        return await run_one(services.engine, operation, model.name, resolved)

    return await unless_abandoned(request, answer())


async def unless_abandoned(request: Request, work: Awaitable[Answer]) -> Answer:
    """Wait for work, but give it up when the client hangs up: while a finger drags, only the last answer
    counts.

    The request's body must have been read. Raises CancelledError where the client is gone.
    """
    task = asyncio.ensure_future(work)
    disconnected = asyncio.ensure_future(hung_up(request))
    try:
        await asyncio.wait((task, disconnected), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise problems.Problem(
                499, "abandoned", "Client closed the request", "The client closed the connection."
            )
        return task.result()
    finally:
        disconnected.cancel()
        task.cancel()


@contextlib.asynccontextmanager
async def in_line(line: Line, request: Request) -> AsyncIterator[None]:
    """A place in a line, for which one waits no longer than the client does; see ``unless_abandoned``.

    Raises BusyError.
    """
    began = await unless_abandoned(request, line.enter())
    try:
        yield
    finally:
        line.leave(began)


async def hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
