"""How the routes describe their errors and their bytes in the API's description."""

from __future__ import annotations

from typing import Any

from sonifold_app.negotiation import AUDIO_TYPES
from sonifold_app.problems import MEDIA_TYPE

DESCRIPTIONS = {
    304: "The client has it",
    403: "Not yours to change",
    404: "No such thing",
    406: "Not available in that form",
    409: "It does not fit what is there",
    413: "Too large",
    415: "Not a form with files",
    416: "No such part",
    422: "The request is not valid, or what it names cannot be used",
    507: "The disk is full",
    503: "Still loading, or this model's pack is damaged, or the storage cannot be used at the moment",
}

BINARY = {"schema": {"type": "string", "format": "binary"}}


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a route may answer with, for ``responses=``."""
    return {
        status: {
            "description": DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in sorted(statuses)
    }


def audio_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Sound in every format, whole or in part, or a problem."""
    content = {types[0]: BINARY for types in AUDIO_TYPES.values()}
    return {
        200: {"description": "The sound", "content": content},
        206: {"description": "The part that was asked for", "content": content},
        304: {"description": DESCRIPTIONS[304]},
        **problems_of(406, 416, *statuses),
    }
