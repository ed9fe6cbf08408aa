"""Descriptions of errors and audio replies in OpenAPI."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sonifold_app.http.negotiation import AUDIO_TYPES
from sonifold_app.http.problems import MEDIA_TYPE

DESCRIPTIONS = {
    304: "The client has it",
    400: "The JSON cannot be read",
    401: "The token is missing",
    403: "Not yours to change",
    404: "No such thing",
    406: "Not available in that form",
    409: "It does not fit what is there",
    413: "Too large",
    415: "Not a form with files",
    416: "No such part",
    421: "Not this server's name",
    422: "The request is not valid, or what it names cannot be used",
    429: "Too many requests or wrong tokens, or as much under way as a user may have",
    503: "Still loading, too much to do, this model's pack is damaged, or the storage cannot be used at the moment",
    507: "The disk is full, or the share of it that a user may have",
}

#: What stands before every route answers (``access``), and what any route of the API may.
EVERYWHERE = (401, 403, 421, 429, 503)
#: GETs that keep what they made.
KEEPING = frozenset({"get_sound_decoded", "get_upload", "get_upload_audio"})

BINARY = {"schema": {"type": "string", "format": "binary"}}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": DESCRIPTIONS[304]}}


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a route may answer with, for ``responses=``."""
    return {
        status: {
            "description": DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in sorted(statuses)
    }


def file_replies(description: str, *types: str) -> dict[int | str, dict[str, Any]]:
    """A file of one of some media types, whole or in part."""
    content = {media_type: BINARY for media_type in types}
    return {
        200: {"description": description, "content": content},
        206: {"description": "The part that was asked for", "content": content},
    }


def audio_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Sound in every format, whole or in part, or a problem."""
    return {
        **file_replies("The sound", *(types[0] for types in AUDIO_TYPES.values())),
        **NOT_MODIFIED,
        **problems_of(406, 416, *statuses),
    }


def complete(paths: Mapping[str, Any], open_paths: Collection[str]) -> None:
    """Add to the description of every operation the problems that it shares with others."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            if path not in open_paths:
                shared = problems_of(*shared_by(method, operation))
                missing = {str(status): problem for status, problem in shared.items()}
                operation["responses"] = dict(sorted({**missing, **operation["responses"]}.items()))


def shared_by(method: str, operation: Mapping[str, Any]) -> list[int]:
    """Statuses that come before or behind a route, and that none declares by itself."""
    body = operation.get("requestBody", {}).get("content", {})
    keeps = method in ("post", "put", "patch", "delete") or operation["operationId"] in KEEPING
    return [
        *EVERYWHERE,
        *([400] if "application/json" in body else []),
        *([413] if body else []),
        *([507] if keeps else []),
    ]
