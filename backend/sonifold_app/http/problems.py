"""What goes wrong, as HTTP: one table from the errors of the science to status and code, one shape for all.

Every error leaves as a problem document (RFC 9457), ``application/problem+json``, with a ``code`` that
stays the same between versions and a ``detail`` that says what came and what to do.
"""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import sqlalchemy.exc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from sonifold import errors
from sonifold_app import urls
from sonifold_app.collection.folders import FolderNotAllowed
from sonifold_app.collection.ingest import FolderInvalid, IngestRefused, IngestRunning
from sonifold_app.collection.query import QueryInvalid
from sonifold_app.collection.service import (
    CollectionSoundNotFound,
    FolderNotFound,
    IngestNotFound,
    NotAnalysed,
)
from sonifold_app.engine.batching import BusyError
from sonifold_app.engine.protocol import EngineUnavailableError
from sonifold_app.http.request_ids import HEADER, request_id
from sonifold_app.store.adaptations import TooManyAdaptationsError
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.failures import (
    StorageDamagedError,
    StorageError,
    StorageUnavailableError,
    StoreFullError,
    failure_of,
)
from sonifold_app.store.jobs import JobNotOverError, TooManyJobsError
from sonifold_app.store.listening import AnswerConflictError, ListeningFullError
from sonifold_app.store.marks import NamedCollectionInvalid, NamedCollectionNotFound
from sonifold_app.store.quotas import QuotaBusyError, QuotaFullError
from sonifold_app.store.uploads import UploadNotFoundError, UploadsFullError
from sonifold_app.store.users import TooManyUsersError, UserNameTakenError, UserNotFoundError
from sonifold_app.user.archive import PackedInvalidError
from sonifold_app.user.listening import SoundsMissingError
from sonifold_app.user.models import ModelExistsError, TooManyModelsError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "5"

log = logging.getLogger(__name__)

#: Errors of the science -> status, code, title. The first class that fits an error wins: children before
#: parents.
TABLE: tuple[tuple[type[errors.SonifoldError], int, str, str], ...] = (
    (errors.PackNotFound, 404, "model_not_found", "No such model"),
    (errors.PackError, 503, "model_unusable", "This model cannot be used"),
    (errors.DecoderInvalid, 503, "model_unusable", "This model cannot be used"),
    (errors.MetricUnavailable, 422, "metric_unavailable", "This model has no such metric"),
    (errors.DeviceUnavailable, 503, "device_unavailable", "No such device"),
    (errors.SoundNotFound, 404, "sound_not_found", "No such sound"),
    (errors.PointInvalid, 422, "point_invalid", "Not a latent point of this model"),
    (errors.PositionInvalid, 422, "position_invalid", "Not a position on the map"),
    (errors.NotFinite, 422, "not_computable", "This cannot be computed"),
    (errors.InstrumentInvalid, 422, "instrument_invalid", "This instrument cannot hold these sounds"),
    (errors.OutputError, 507, "export_folder_unusable", "The export folder cannot be written to"),
    (errors.UploadsInvalid, 422, "uploads_invalid", "These sounds cannot be learned from"),
    (UserNotFoundError, 404, "user_not_found", "No such user"),
    (UserNameTakenError, 422, "user_name_invalid", "No name for a user"),
    (TooManyUsersError, 409, "users_full", "No more users"),
    (errors.Cancelled, 409, "cancelled", "It was cancelled"),
    (errors.AudioTooLong, 422, "audio_too_long", "The sound is too long"),
    (errors.AudioTooShort, 422, "audio_too_short", "The sound is too short"),
    (errors.AudioSilent, 422, "audio_silent", "The sound is silent"),
    (errors.AudioError, 422, "audio_unreadable", "The sound cannot be read"),
)

#: Errors of the service -> status, code, title.
SERVICE: Mapping[type[Exception], tuple[int, str, str]] = {
    ModelExistsError: (409, "model_exists", "There is such a model"),
    PackedInvalidError: (422, "pack_invalid", "Not a model"),
    TooManyModelsError: (409, "models_full", "No more models"),
    TooManyAdaptationsError: (409, "adaptations_full", "No more adaptations"),
    TooManyJobsError: (409, "jobs_full", "No more jobs"),
    ListeningFullError: (409, "listening_tests_full", "No more listening tests"),
    AnswerConflictError: (409, "trial_not_next", "Not this trial's turn"),
    SoundsMissingError: (503, "storage_damaged", "The test cannot be played"),
    JobNotOverError: (409, "job_not_over", "Still going on"),
    UploadsFullError: (507, "uploads_full", "No more uploads"),
    CollectionSoundNotFound: (404, "sound_not_found", "No such sound"),
    NamedCollectionNotFound: (404, "named_collection_not_found", "No such collection"),
    NamedCollectionInvalid: (409, "named_collection_invalid", "That cannot be"),
    FolderNotFound: (404, "folder_not_found", "No such folder"),
    IngestNotFound: (404, "ingest_not_found", "No such ingest"),
    IngestRunning: (409, "ingest_running", "Another ingest is under way"),
    IngestRefused: (422, "folder_invalid", "Nothing to take in"),
    FolderInvalid: (422, "folder_invalid", "Not a folder"),
    FolderNotAllowed: (403, "folder_not_allowed", "Not a folder that may be taken in"),
    NotAnalysed: (409, "sound_not_analysed", "Not analysed"),
    QueryInvalid: (422, "search_invalid", "This search cannot be read"),
    DatabaseUnusableError: (503, "collection_unusable", "The collection cannot be used"),
    UploadNotFoundError: (404, "upload_not_found", "No such upload"),
}

#: Failures of the storage -> status, code, title.
STORAGE: dict[type[StorageError], tuple[int, str, str]] = {
    StoreFullError: (507, "storage_full", "No room"),
    QuotaFullError: (507, "quota_full", "Your share of this server is full"),
    StorageUnavailableError: (503, "storage_unavailable", "The storage cannot be used at the moment"),
    StorageDamagedError: (503, "storage_damaged", "The database is damaged"),
}

#: What the web layer says by itself -> code, and a sentence where the status alone tells too little.
BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("request_invalid", "The request could not be read; send JSON as the documentation shows."),
    404: (
        "not_found",
        f"There is nothing at this address. The API lives under {urls.API}, its description at "
        f"{urls.OPENAPI}.",
    ),
    405: (
        "method_not_allowed",
        "This address does not take that method; the Allow header says which it takes.",
    ),
}


class Problem(HTTPException):
    """An error as the client will see it. Raise it from a route; the science raises its own errors."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=dict(headers or {}))
        self.code = code
        self.title = title
        self.more = more

    def document(self) -> dict[str, Any]:
        return {
            "type": f"urn:sonifold:problem:{self.code}",
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
            **({"request_id": request_id.get()} if request_id.get() else {}),
            **self.more,
        }

    def response(self) -> Response:
        named = {HEADER: request_id.get()} if request_id.get() else {}
        return Response(
            json.dumps(self.document()),  # ASCII: a lone surrogate in an echoed name must not fail here
            status_code=self.status_code,
            media_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **named, **(self.headers or {})},
        )


def not_ready() -> Problem:
    return Problem(
        503,
        "not_ready",
        "Still starting",
        "The models are being loaded. Try again in a second.",
        {"Retry-After": "1"},
    )


def impaired(parts: Mapping[str, str]) -> Problem:
    """Some parts of the service cannot do their work: a sentence for each."""
    return Problem(
        503,
        "not_ready",
        "Not everything works",
        " ".join(parts.values()),
        {"Retry-After": RETRY_SECONDS},
        parts=dict(parts),
    )


def server_busy(error: BusyError) -> Problem:
    return Problem(
        503,
        "server_busy",
        "Too much to do",
        str(error),
        {"Retry-After": str(math.ceil(error.retry_after))},
        expected_wait=round(error.wait, 1),
        place=error.ahead,
    )


def quota_busy(error: QuotaBusyError) -> Problem:
    return Problem(
        429,
        "quota_busy",
        "As much as you may have under way",
        str(error),
        {"Retry-After": str(error.retry_seconds)},
    )


def rate_limited(sent: str, seconds: int) -> Problem:
    """``sent``: how many requests came in which time."""
    return Problem(
        429,
        "rate_limited",
        "Too many requests",
        f"{sent} came from you, as many as this server answers each of its users. Go on in {seconds} s.",
        {"Retry-After": str(seconds)},
    )


def engine_unavailable(error: EngineUnavailableError) -> Problem:
    return Problem(
        503,
        "engine_unavailable",
        "Nobody computes at the moment",
        str(error),
        {"Retry-After": RETRY_SECONDS},
    )


def not_acceptable(accept: str, offers: Sequence[str]) -> Problem:
    return Problem(
        406,
        "not_acceptable",
        "Not available in that form",
        f"The request accepts {accept[:200]!r}; this is available as {', '.join(offers)}. "
        "Send one of these as Accept, or none.",
    )


def upload_too_large(limit_bytes: int, what: str = "The request's body") -> Problem:
    return Problem(
        413,
        "upload_too_large",
        "Too large",
        f"{what} is larger than {limit_bytes:,} bytes. Send less at once: one-shots are short, and "
        "several requests "
        "do as well as one.",
        limit_bytes=limit_bytes,
    )


def of_science(error: errors.SonifoldError) -> Problem:
    """The problem that an error of the science means; one that is in no row is our own mistake."""
    for kind, status, code, title in TABLE:
        if isinstance(error, kind):
            return Problem(status, code, title, str(error))
    return internal_error()


def of_http(error: HTTPException) -> Problem:
    if isinstance(error, Problem):
        return error
    status = error.status_code
    title = HTTPStatus(status).phrase
    code, detail = BY_STATUS.get(status, ("request_invalid" if status < 500 else "internal_error", title))
    return Problem(status, code, title, detail, error.headers)


def method_not_allowed(request: Request) -> Problem:
    """Its Allow header names what all routes of the address take; the first route alone would name its own."""
    methods = [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if takes(request.app, request.scope, "GET" if method == "HEAD" else method)
    ]
    code, detail = BY_STATUS[405]
    return Problem(405, code, "Method Not Allowed", detail, {"Allow": ", ".join(methods or ["GET", "HEAD"])})


def takes(app: FastAPI, scope: Scope, method: str) -> bool:
    """Whether any route of the app answers a method at a request's address."""
    return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)


def of_validation(error: RequestValidationError) -> Problem:
    """What is wrong with a request, place by place; never its values, which may not even be JSON."""
    invalid = error.errors()
    problems = [{"where": where(e["loc"]), "message": e["msg"]} for e in invalid[:20]]
    malformed = any(e["type"] == "json_invalid" for e in invalid)
    more = f" (and {len(invalid) - 1} more)" if len(invalid) > 1 else ""
    return Problem(
        400 if malformed else 422,
        code_of(invalid),
        "The request is not valid",
        f"{problems[0]['where']}: {problems[0]['message']}{more}. The description at {urls.OPENAPI} shows "
        "what fits.",
        errors=problems,
    )


def code_of(invalid: Sequence[Any]) -> str:
    """A number that is not finite makes an invalid point or position; anything else an invalid request."""
    if all(e["type"] == "finite_number" for e in invalid):
        for field, code in (("point", "point_invalid"), ("position", "position_invalid")):
            if all(any(str(part) in (field, field + "s") for part in e["loc"]) for e in invalid):
                return code
    return "request_invalid"


def where(location: Sequence[str | int]) -> str:
    """``("body", "anchors", 0, "sound", "sound")``, a kind and its field, -> ``body.anchors[0].sound``."""
    pairs = zip(location, (None, *location), strict=False)
    parts = [part for part, before in pairs if isinstance(part, int) or part != before]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in parts)
    return path.removeprefix(".")


def internal_error() -> Problem:
    return Problem(
        500,
        "internal_error",
        "Our mistake",
        "Something went wrong in the server; its log says what. Please report it with the request that "
        "led here.",
    )


def of_storage(error: StorageError) -> Problem:
    status, code, title = STORAGE[type(error)]
    headers = {"Retry-After": RETRY_SECONDS} if isinstance(error, StorageUnavailableError) else None
    return Problem(status, code, title, str(error), headers)


def of_disk_or_database(request: Request, error: Exception) -> Problem:
    """What an error of the disk or the database means. One that is neither is raised on, as our own mistake."""
    if isinstance(error, QuotaFullError):
        return of_storage(error)
    failure = failure_of(error)
    if failure is None:
        raise error
    missing = isinstance(error, FileNotFoundError)  # perhaps our own mistake after all: say where
    log.warning(
        "%s %s failed: %s: %s",
        request.method,
        request.url.path,
        type(error).__name__,
        error,
        exc_info=error if missing else None,
    )
    return of_storage(failure)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document."""

    async def answer(request: Request, error: Exception) -> Response:
        return problem_of(request, error).response()

    async def answer_storage(request: Request, error: Exception) -> Response:
        return of_disk_or_database(request, error).response()

    answered = (
        RequestValidationError,
        HTTPException,
        errors.SonifoldError,
        BusyError,
        QuotaBusyError,
        EngineUnavailableError,
    )
    for kind in (*answered, *SERVICE, Exception):
        app.add_exception_handler(kind, answer)
    for kind in (StorageError, OSError, sqlite3.Error, sqlalchemy.exc.SQLAlchemyError):
        app.add_exception_handler(kind, answer_storage)


def of_late(request: Request, error: Exception) -> Problem:
    """What an error is to a client whose reply has begun; our own mistakes are logged."""
    try:
        if isinstance(error, StorageError | OSError | sqlite3.Error | sqlalchemy.exc.SQLAlchemyError):
            return of_disk_or_database(request, error)
        problem = problem_of(request, error)
    except Exception:
        problem = internal_error()
    if problem.code == "internal_error":
        log.error("%s %s failed on the way", request.method, request.url.path, exc_info=error)
    return problem


def problem_of(request: Request, error: Exception) -> Problem:
    """What an error is to the client."""
    if type(error) in SERVICE:
        status, code, title = SERVICE[type(error)]
        return Problem(status, code, title, str(error))
    match error:
        case RequestValidationError():
            return of_validation(error)
        case HTTPException(status_code=405):
            return method_not_allowed(request)
        case HTTPException():
            return of_http(error)
        case errors.SonifoldError():
            return of_science(error)
        case BusyError():
            return server_busy(error)
        case QuotaBusyError():
            return quota_busy(error)
        case EngineUnavailableError():
            return engine_unavailable(error)
    return internal_error()
