"""The only wiring: settings and an engine in, an ASGI app out. Nothing happens at import."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from sonifold_app.engine.protocol import Engine
from sonifold_app.http import access, frames, limits, logs, problems
from sonifold_app.http.holders import TokenHolders
from sonifold_app.http.metrics import Metrics
from sonifold_app.http.observe import Observed
from sonifold_app.http.openapi import complete
from sonifold_app.http.rates import RateLimit
from sonifold_app.http.request_ids import RequestIds
from sonifold_app.http.waiting import WaitHeader
from sonifold_app.jobs.background import logged
from sonifold_app.routes import (
    adaptations,
    atlas,
    audio,
    collection,
    collection_marks,
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
    users,
)
from sonifold_app.routes.users import UserAdministration
from sonifold_app.schemas.morphs import FRAMES
from sonifold_app.schemas.problems import ProblemDocument
from sonifold_app.schemas.sounds import AddRequest
from sonifold_app.settings import Settings
from sonifold_app.store.data_folder import DataFolderUnusableError
from sonifold_app.store.users import UserStore
from sonifold_app.urls import API, OPENAPI
from sonifold_app.workspaces import InWorkspace, Machine, Workspace, Workspaces

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
    machine = Machine.of(settings, engine)
    main = Workspace(machine)
    user_store = UserStore(main.storage.sounds.database)
    try:
        require_token_of_users(settings, user_store)
    except BaseException:
        main.storage.close()
        raise
    token = settings.token.get_secret_value() if settings.token else None
    holders = None if token is None else TokenHolders(token, user_store.all)
    workspaces = Workspaces(machine, user_store)
    services = main.services
    app = FastAPI(
        title="Sonifold",
        version=version("sonifold"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=OPENAPI,
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=partial(lifespan, machine, main, workspaces),
        middleware=middleware_of(settings, services.metrics, holders, workspaces),
    )
    app.state.services = services
    app.state.workspaces = workspaces
    app.state.users = None if holders is None else UserAdministration(user_store, holders)
    app.state.plotly = page.Plotly(main.storage.blobs, main.storage.cache)
    problems.install(app)
    include_routes(app)
    describe(app)
    return app


def require_token_of_users(settings: Settings, users: UserStore) -> None:
    """Raises DataFolderUnusableError where users were promised that nobody else reads what they keep."""
    if settings.token is None and (count := users.count()):
        raise DataFolderUnusableError(
            f"{count} users have tokens for the data folder {settings.data}, and without SONIFOLD_TOKEN everybody on "
            "this machine would be let in. Set it, or revoke the users first: `sonifold user list`."
        )


@asynccontextmanager
async def lifespan(
    machine: Machine, main: Workspace, workspaces: Workspaces, app: FastAPI
) -> AsyncIterator[None]:
    """Start what works behind the requests; at the end stop it, each part also where another fails."""
    await run_in_threadpool(main.storage.tidy)
    machine.engine.start()
    await main.start()
    workspaces.start()
    yield
    await workspaces.close()
    await main.stop()
    await logged("ending the processes that decode", machine.close())
    for close in (machine.engine.close, main.storage.close):
        await logged("closing", run_in_threadpool(close))


def middleware_of(
    settings: Settings, figures: Metrics | None, holders: TokenHolders | None, workspaces: Workspaces
) -> list[Middleware]:
    """What stands between a request and its route, the outermost first."""
    token = settings.token.get_secret_value() if settings.token else None
    return [
        Middleware(RequestIds),
        Middleware(access.SecurityHeaders),
        Middleware(access.HeadAsGet),
        *observing(settings, figures),
        Middleware(access.AccessControl, token=token, holders=holders),
        *([Middleware(RateLimit, limits=settings.rate_limits)] if settings.rate_limits else []),
        Middleware(InWorkspace, workspaces=workspaces),
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
    collection_marks.router,
    collection.uses,
    collection_positions.router,
    collection_positions.sounds,
    users.router,
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
