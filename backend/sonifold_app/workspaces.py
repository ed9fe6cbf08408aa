"""Each user's part of the data folder, and all that routes use over it.

A workspace is a data folder of its own, in ``users/<id>`` of the server's: database, recordings, models, jobs, caches.
Nothing in it is addressed by anything outside it, so that there is no question of whose a row, a file or an answer is,
and the same recording in two workspaces is two files. The server's own token opens the workspace in the data folder
itself, which is the only one where there are no users. What all share is the machine: one engine, and the lines before
what takes much of it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from sonifold_app.collection.analysis import MOST_WORKERS
from sonifold_app.collection.folders import AllowedFolders
from sonifold_app.collection.maps import CollectionMaps
from sonifold_app.collection.service import Collection
from sonifold_app.engine.protocol import Engine
from sonifold_app.http.holders import MAIN
from sonifold_app.http.metrics import Metrics
from sonifold_app.http.problems import Problem
from sonifold_app.jobs.background import logged
from sonifold_app.jobs.local import JobRunner
from sonifold_app.routes.services import Services, SharedLines
from sonifold_app.settings import Settings
from sonifold_app.store.cache import Recordings
from sonifold_app.store.data_folder import DataFolder, DataFolderUnusableError
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.failures import StorageError
from sonifold_app.store.marks import MarkStore
from sonifold_app.store.objects import BlobsUnusableError
from sonifold_app.store.quotas import Limits, Quota
from sonifold_app.store.storage import Storage
from sonifold_app.store.users import USER_ID, USERS, User, UserStore
from sonifold_app.user.adaptations import Adaptations
from sonifold_app.user.decoding import DecodingProcesses
from sonifold_app.user.listening import ListeningTests
from sonifold_app.user.models import UserModels
from sonifold_app.user.orphans import rehome_orphans
from sonifold_app.user.owned_engine import OwnedEngine
from sonifold_app.user.sounds import UserSounds

#: Rendered audio that is kept for a user, unless less is kept in all.
USER_KEEP_BYTES = 128 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Machine:
    """What all workspaces share."""

    settings: Settings
    engine: Engine
    lines: SharedLines = field(default_factory=SharedLines)
    #: Of fine-tunes, one at a time.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Whose each model is that did not come with the server.
    owners: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, engine: Engine) -> Machine:
        decoding = DecodingProcesses(settings.decoders) if settings.decoders else None
        return cls(settings, engine, SharedLines(decoding=decoding))

    async def close(self) -> None:
        """End the processes that all shared."""
        if self.lines.decoding is not None:
            await self.lines.decoding.close()

    def engine_of(self, user: str, quota: Quota | None = None) -> Engine:
        """The engine as a user sees it; where there can be no users it is the engine itself."""
        alone = self.settings.token is None
        return self.engine if alone else OwnedEngine(self.engine, self.owners, user, quota)


class Workspace:
    """One user's, open. ``start`` and ``stop`` belong to the event loop."""

    def __init__(self, machine: Machine, user: str = MAIN) -> None:
        """Raises DataFolderUnusableError, DatabaseUnusableError, BlobsUnusableError."""
        settings = machine.settings if user == MAIN else settings_of(machine.settings, user)
        data = DataFolder(settings.data)
        try:
            url = database_of(settings, user)
            quota = Quota(settings.data, Limits() if user == MAIN else limits_of(settings))
            self.storage = Storage(data, settings.keep_bytes, url, settings.blobs, quota)
        except BaseException:
            data.release()
            raise
        try:
            with self.storage.sounds.database.usable():
                self.services = services_of(settings, machine, self.storage, data, quota, user, url)
        except BaseException:
            self.storage.close()
            raise
        self._rehoming: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start what works behind the requests."""
        services, storage = self.services, self.storage
        services.jobs.start()
        await logged("going on with an ingest", run_in_threadpool(services.collection.go_on))
        self._rehoming = asyncio.create_task(
            rehome_orphans(storage.sounds, storage.jobs, services.user_models, services.engine)
        )

    async def stop(self) -> None:
        """End it, each part also where another fails."""
        if self._rehoming is not None:
            self._rehoming.cancel()
            with suppress(asyncio.CancelledError):
                await self._rehoming
        await logged("embedding user sounds", self.services.user_sounds.close())
        await logged("ending the rendering of listening tests", self.services.listening.close())
        await logged("ending the jobs", self.services.jobs.close())
        await logged("closing", run_in_threadpool(self.services.collection.close))


class Workspaces:
    """Those of users, each opened when it is first needed."""

    def __init__(self, machine: Machine, users: UserStore) -> None:
        self._machine, self._users = machine, users
        self._opening: dict[str, asyncio.Task[Workspace]] = {}
        self._all: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Open all, one after the other: jobs in them go on."""
        self._all = asyncio.create_task(self._open_all())

    async def of(self, user: str) -> Services:
        """What routes use for a user. Raises Problem where it cannot be opened."""
        task = self._opening.get(user)
        if task is None:
            task = self._opening[user] = asyncio.create_task(self._open(user))
        try:
            return (await asyncio.shield(task)).services
        except (DataFolderUnusableError, DatabaseUnusableError, BlobsUnusableError, StorageError) as error:
            self._opening.pop(user, None)  # the next to ask tries again
            log.error("the workspace of user %s cannot be opened: %s", user, error)
            raise Problem(
                503,
                "workspace_unusable",
                "Your workspace cannot be opened",
                "What you keep on this server cannot be opened at the moment; whoever runs it finds the reason in its "
                "log. Nothing was changed.",
                {"Retry-After": "5"},
            ) from error

    async def close(self) -> None:
        if self._all is not None:
            self._all.cancel()
        for task in list(self._opening.values()):
            with suppress(Exception):
                workspace = await task
                await workspace.stop()
                await logged("closing", run_in_threadpool(workspace.storage.close))

    async def _open_all(self) -> None:
        users: Sequence[User] = ()
        with suppress(StorageError):
            users = await run_in_threadpool(self._users.all)
        for user in users:
            if user.revoked is None and (self._machine.settings.data / USERS / user.id).is_dir():
                with suppress(Problem):  # it is logged
                    await self.of(user.id)

    async def _open(self, user: str) -> Workspace:
        workspace = await run_in_threadpool(Workspace, self._machine, user)
        await run_in_threadpool(workspace.storage.tidy)
        await workspace.start()
        return workspace


class InWorkspace:
    """Puts the services of the user who asks into the request's state. Here alone it is decided whose things a request
    is about; ``routes.services`` hands them on.
    """

    def __init__(self, app: ASGIApp, workspaces: Workspaces) -> None:
        self._app, self._workspaces = app, workspaces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (user := scope.get("state", {}).get("user")) is not None:
            try:
                scope["state"]["services"] = await self._workspaces.of(user)
            except Problem as problem:
                return await problem.response()(scope, receive, send)
        await self._app(scope, receive, send)


def settings_of(settings: Settings, user: str) -> Settings:
    """The server's settings as they are for one user: without what reaches folders of the server's machine."""
    assert USER_ID.fullmatch(user), "an id of the table of users"
    return settings.model_copy(
        update={
            "data": settings.data / USERS / user,
            "keep_bytes": min(settings.keep_bytes, USER_KEEP_BYTES),
            "exports": None,
            "collection_folders": settings.collection_folders or "",
            "metrics": False,
            "blobs": settings.blobs and f"{settings.blobs.rstrip('/')}/{USERS}/{user}",
        }
    )


def limits_of(settings: Settings) -> Limits:
    """What one user may take of the server."""
    return Limits(settings.user_bytes, settings.user_sounds, settings.user_jobs, settings.user_renders)


def database_of(settings: Settings, user: str) -> str | None:
    """The URL of a workspace's database, made where it is not there; None: a file in the workspace."""
    url = settings.database_url
    if url is None or user == MAIN:
        return url
    from sonifold_app.store.postgres_schema import create_schema, url_in_schema

    schema = f"user_{user}"
    create_schema(url, schema)
    return url_in_schema(url, schema)


def services_of(
    settings: Settings,
    machine: Machine,
    storage: Storage,
    data: DataFolder,
    quota: Quota,
    user: str,
    url: str | None,
) -> Services:
    """Everything that routes use, over one storage. ``url``: of its database, unless that is the embedded one."""
    engine = machine.engine_of(user, quota)
    user_sounds = UserSounds(storage.sounds, engine)
    user_models = UserModels(settings.data, engine, data.room, owner=user, quota=quota)
    runner = JobRunner(
        storage.jobs,
        engine,
        user_models,
        settings.data,
        settings.models,
        data.room,
        device=settings.device,
        nice=settings.finetune_nice,
        retry_seconds=settings.retry_seconds,
        database=url,
        blobs=settings.blobs,
        turn=machine.turn,
        warm=user == MAIN,
    )
    collection = Collection(
        settings.data,
        AllowedFolders(settings.allowed_folders),
        settings.models,
        min(settings.threads, MOST_WORKERS),
        MarkStore(storage.sounds.database),
        data.room,
    )
    adapted_models = Adaptations(storage.sounds.adaptations, user_sounds, engine)
    services = Services(
        settings,
        engine,
        Recordings(storage.blobs, storage.cache, engine),
        storage.cache,
        user_sounds,
        adapted_models,
        user_models,
        runner,
        # what is rendered for a test is no request that somebody waits for
        ListeningTests(storage.listening, user_sounds, adapted_models, machine.engine_of(user)),
        collection,
        CollectionMaps(settings.data, collection),
        Metrics(engine.workload, storage.cache.lookups, storage.jobs.count_by_state)
        if settings.metrics
        else None,
        **{line.name: getattr(machine.lines, line.name) for line in dataclasses.fields(machine.lines)},
    )
    services.readiness.add("storage", storage.problem)
    services.readiness.add("jobs", lambda: runner.trouble, needed=False)
    return services
