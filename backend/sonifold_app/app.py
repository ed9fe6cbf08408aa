"""The only wiring: settings and an engine in, an ASGI app out. Nothing happens at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from sonifold_app.engine.protocol import Engine
from sonifold_app.http import access, limits, problems
from sonifold_app.http.openapi import complete
from sonifold_app.http.waiting import WaitHeader
from sonifold_app.jobs.background import logged
from sonifold_app.jobs.local import JobRunner
from sonifold_app.routes import (
    adaptations,
    atlas,
    audio,
    decodings,
    descriptors,
    embeddings,
    exports,
    health,
    jobs,
    models,
    morphs,
    page,
    paths,
    points,
    samples,
    sounds,
    uploads,
)
from sonifold_app.routes.services import Services
from sonifold_app.schemas.problems import ProblemDocument
from sonifold_app.schemas.sounds import AddRequest
from sonifold_app.settings import Settings
from sonifold_app.store.cache import Recordings
from sonifold_app.store.data_folder import DataFolder
from sonifold_app.store.storage import Storage
from sonifold_app.urls import API
from sonifold_app.user.adaptations import Adaptations
from sonifold_app.user.models import UserModels
from sonifold_app.user.orphans import rehome_orphans
from sonifold_app.user.sounds import UserSounds

DESCRIPTION = """
Geodesic morphs between one-shots, on a map you can hear.

Errors are problem documents (RFC 9457) with a stable `code`. Sound comes as WAV, FLAC or Ogg, by `Accept` or
`?format=`, with `ETag` and `Range`. Numbers that are lengths or distances are in the model's `unit`.
"""


def create_app(settings: Settings, engine: Engine) -> FastAPI:
    """The service over an engine. The engine starts and ends with the app's lifespan.

    Raises DataFolderUnusableError where the data folder cannot be used or another server has it, DatabaseUnusableError
    where the user's database in it cannot be used.
    """
    data = DataFolder(settings.data)
    try:
        storage = Storage(data, settings.keep_bytes)
    except BaseException:
        data.release()
        raise
    own = UserSounds(storage.sounds, engine)
    user_models = UserModels(settings.data, engine, data.room)
    runner = JobRunner(
        storage.jobs, engine, user_models, settings.data, settings.models, device=settings.device
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(storage.tidy)
        engine.start()
        runner.start()
        settling = asyncio.create_task(rehome_orphans(storage.sounds, storage.jobs, user_models, engine))
        yield
        settling.cancel()
        with suppress(asyncio.CancelledError):
            await settling
        await logged("placing own sounds", own.close())
        await logged("ending the jobs", runner.close())
        for close in (engine.close, storage.close):
            await logged("closing", run_in_threadpool(close))

    app = FastAPI(
        title="Sonifold",
        version=version("sonifold"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(access.SecurityHeaders),
            Middleware(access.HeadAsGet),
            Middleware(
                access.AccessControl, token=settings.token.get_secret_value() if settings.token else None
            ),
            Middleware(limits.BodyLimit, limit_of=limits.limits(API, settings.upload_bytes)),
            Middleware(limits.ScreenedJson),
            Middleware(WaitHeader),
            Middleware(access.WeakTags),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=4),
        ],
    )
    app.state.services = Services(
        settings,
        engine,
        Recordings(storage.blobs, storage.cache, engine),
        storage.cache,
        own,
        Adaptations(storage.sounds.adaptations, own, engine),
        user_models,
        runner,
    )
    app.state.services.readiness.add("storage", storage.problem)
    app.state.services.readiness.add("jobs", lambda: runner.trouble)
    app.state.plotly = page.Plotly(storage.blobs, storage.cache)
    problems.install(app)
    app.include_router(health.router)
    api = APIRouter(prefix=API)
    for resource in (
        models,
        sounds,
        embeddings,
        atlas,
        paths,
        morphs,
        points,
        samples,
        descriptors,
        decodings,
        audio,
        exports,
    ):
        api.include_router(resource.router)
    api.include_router(atlas.indicatrices)
    for router in (uploads.router, adaptations.router, jobs.finetunes, jobs.router):
        api.include_router(router)
    app.include_router(api)
    app.include_router(page.router)
    app.router.default = page.Page(page.page_folder())
    describe(app)
    return app


def describe(app: FastAPI) -> None:
    """Complete the API's description: the shape of every error, and how a token is brought."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document["components"]["schemas"]
            for unnamed in (ProblemDocument, AddRequest):
                own = unnamed.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(own.pop("$defs", {}))
                schemas[unnamed.__name__] = own
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            complete(document["paths"], access.OPEN_PATHS)
            document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{}, {"token": []}]
        return app.openapi_schema or document

    app.openapi = openapi  # type: ignore[method-assign]
