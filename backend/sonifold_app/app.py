"""The only wiring: settings and an engine in, an ASGI app out. Nothing happens at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from sonifold_app.collection.analysis import MOST_WORKERS
from sonifold_app.collection.folders import AllowedFolders
from sonifold_app.collection.maps import CollectionMaps
from sonifold_app.collection.service import Collection
from sonifold_app.engine.protocol import Engine
from sonifold_app.http import access, frames, limits, logs, problems
from sonifold_app.http.metrics import Metrics
from sonifold_app.http.observe import Observed
from sonifold_app.http.openapi import complete
from sonifold_app.http.request_ids import RequestIds
from sonifold_app.http.waiting import WaitHeader
from sonifold_app.jobs.background import logged
from sonifold_app.jobs.local import JobRunner
from sonifold_app.routes import (
    adaptations,
    atlas,
    audio,
    collection,
    collection_positions,
    decodings,
    descriptors,
    embeddings,
    exports,
    health,
    jobs,
    listening_tests,
    metrics,
    models,
    morphs,
    page,
    paths,
    points,
    reveal,
    samples,
    sounds,
    uploads,
)
from sonifold_app.routes.services import Services
from sonifold_app.schemas.morphs import FRAMES
from sonifold_app.schemas.problems import ProblemDocument
from sonifold_app.schemas.sounds import AddRequest
from sonifold_app.settings import Settings
from sonifold_app.store.cache import Recordings
from sonifold_app.store.data_folder import DataFolder
from sonifold_app.store.room import Room
from sonifold_app.store.storage import Storage
from sonifold_app.urls import API, OPENAPI
from sonifold_app.user.adaptations import Adaptations
from sonifold_app.user.listening import ListeningTests
from sonifold_app.user.models import UserModels
from sonifold_app.user.orphans import rehome_orphans
from sonifold_app.user.sounds import UserSounds

DESCRIPTION = """
Geodesic morphs between one-shots, on a map you can hear.

Errors are problem documents (RFC 9457) with a stable `code`. Sound comes in several formats, by `Accept` or
`?format=`, with `ETag` and `Range`. Numbers that are lengths or distances are in the model's `unit`.
"""


#: Compression would hold back a frame until the next one comes.
NEVER_COMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, frames.MEDIA_TYPE)


def create_app(settings: Settings, engine: Engine) -> FastAPI:
    """The service over an engine. The engine starts and ends with the app's lifespan.

    Raises DataFolderUnusableError where the data folder cannot be used or another server has it, DatabaseUnusableError
    where the user's database in it cannot be used, BlobsUnusableError where the object store's URL cannot be.
    """
    data = DataFolder(settings.data)
    try:
        storage = Storage(data, settings.keep_bytes, settings.database_url, settings.blobs)
    except BaseException:
        data.release()
        raise
    try:
        with storage.sounds.database.usable():
            services = services_of(settings, engine, storage, data)
    except BaseException:
        storage.close()
        raise
    app = FastAPI(
        title="Sonifold",
        version=version("sonifold"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=OPENAPI,
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=partial(lifespan, services, storage),
        middleware=middleware_of(settings, services.metrics),
    )
    app.state.services = services
    app.state.plotly = page.Plotly(storage.blobs, storage.cache)
    problems.install(app)
    include_routes(app)
    describe(app)
    return app


def services_of(settings: Settings, engine: Engine, storage: Storage, data: DataFolder) -> Services:
    """Everything that routes use, over one storage."""
    user_sounds = UserSounds(storage.sounds, engine)
    user_models = UserModels(settings.data, engine, data.room)
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
        database=settings.database_url,
        blobs=settings.blobs,
    )
    collection = collection_of(settings, data.room)
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
        ListeningTests(storage.listening, user_sounds, adapted_models, engine),
        collection,
        CollectionMaps(settings.data, collection),
        Metrics(engine.workload, storage.cache.lookups, storage.jobs.count_by_state)
        if settings.metrics
        else None,
    )
    services.readiness.add("storage", storage.problem)
    services.readiness.add("jobs", lambda: runner.trouble, needed=False)
    return services


def collection_of(settings: Settings, room: Room) -> Collection:
    """The collection of the data folder."""
    allowed = AllowedFolders(settings.allowed_folders)
    workers = min(settings.threads, MOST_WORKERS)
    return Collection(settings.data, allowed, settings.models, workers, room)


@asynccontextmanager
async def lifespan(services: Services, storage: Storage, app: FastAPI) -> AsyncIterator[None]:
    """Start what works behind the requests; at the end stop it, each part also where another fails."""
    engine = services.engine
    await run_in_threadpool(storage.tidy)
    engine.start()
    services.jobs.start()
    await logged("going on with an ingest", run_in_threadpool(services.collection.go_on))
    rehoming = asyncio.create_task(rehome_orphans(storage.sounds, storage.jobs, services.user_models, engine))
    yield
    rehoming.cancel()
    with suppress(asyncio.CancelledError):
        await rehoming
    await logged("embedding user sounds", services.user_sounds.close())
    await logged("ending the rendering of listening tests", services.listening.close())
    await logged("ending the jobs", services.jobs.close())
    for close in (services.collection.close, engine.close, storage.close):
        await logged("closing", run_in_threadpool(close))


def middleware_of(settings: Settings, figures: Metrics | None) -> list[Middleware]:
    """What stands between a request and its route, the outermost first."""
    token = settings.token.get_secret_value() if settings.token else None
    return [
        Middleware(RequestIds),
        Middleware(access.SecurityHeaders),
        Middleware(access.HeadAsGet),
        *observing(settings, figures),
        Middleware(access.AccessControl, token=token),
        Middleware(limits.BodyLimit, limit_of=limits.limits(API, settings.upload_bytes)),
        Middleware(limits.ScreenedJson),
        Middleware(WaitHeader),
        Middleware(access.WeakTags),
        Middleware(
            GZipMiddleware, minimum_size=1024, compresslevel=4, exclude_content_types=NEVER_COMPRESSED
        ),
    ]


def observing(settings: Settings, figures: Metrics | None) -> list[Middleware]:
    """What measures requests, where something is to be measured."""
    observers = [figures.observe] if figures else []
    if settings.log == "json":
        observers.append(logs.log_exchange)
    enter = {"enter": figures.enter} if figures else {}
    return [Middleware(Observed, observers=observers, **enter)] if observers else []


#: In the order in which the API's description lists them.
ROUTERS = (
    models.router,
    sounds.router,
    embeddings.router,
    atlas.router,
    paths.router,
    morphs.router,
    morphs.streams,
    points.router,
    samples.router,
    descriptors.router,
    decodings.router,
    audio.router,
    exports.router,
    reveal.router,
    atlas.indicatrices,
    atlas.magnification,
    uploads.router,
    adaptations.router,
    listening_tests.router,
    jobs.finetunes,
    jobs.router,
    collection.router,
    collection.uses,
    collection_positions.router,
    collection_positions.sounds,
)


def include_routes(app: FastAPI) -> None:
    """The API, the health checks, and the page for every other address."""
    app.include_router(health.router)
    app.include_router(metrics.router)
    for router in ROUTERS:  # into the app itself: a router in a router is searched once more for each request
        app.include_router(router, prefix=API)
    app.include_router(page.router)
    app.router.default = page.Page(page.page_folder())


def describe(app: FastAPI) -> None:
    """Complete the API's description: the shape of every error, and how a token is brought."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document["components"]["schemas"]
            for unnamed in (ProblemDocument, AddRequest, *FRAMES):
                schema = unnamed.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[unnamed.__name__] = schema
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            complete(document["paths"], access.OPEN_PATHS)
            document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{}, {"token": []}]
        return app.openapi_schema or document

    app.openapi = openapi  # type: ignore[method-assign]
