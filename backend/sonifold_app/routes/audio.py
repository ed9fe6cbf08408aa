"""Rendered sound, under the sha256 of its WAV file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from sonifold_app.engine.examples import SHA256
from sonifold_app.http.negotiation import audio_format
from sonifold_app.http.openapi import audio_of
from sonifold_app.http.problems import Problem
from sonifold_app.http.replies import IMMUTABLE, audio_reply
from sonifold_app.routes.params import Accept, DownloadQuery, FormatQuery
from sonifold_app.routes.services import ServicesDep, unless_abandoned

router = APIRouter(prefix="/audio", tags=["audio"])


@router.get("/{sha256}", operation_id="get_audio", response_class=Response, responses=audio_of(404, 422))
async def get_audio(
    sha256: Annotated[
        str, Path(max_length=64, description="As morphs and decodings name it.", examples=[SHA256])
    ],
    request: Request,
    services: ServicesDep,
    format: FormatQuery = None,
    download: DownloadQuery = None,
    accept: Accept = None,
) -> Response:
    """A morph or a decoded sound."""
    audio_type = audio_format(accept, format)
    data = await unless_abandoned(request, services.recordings.get(sha256, audio_type))
    if data is None:
        raise Problem(
            404,
            "audio_not_found",
            "No such audio",
            f"No audio {sha256[:12]!r} is kept here (any more). Post the morph or decoding again: it is "
            "rendered anew "
            "and comes back at the same address.",
        )
    return audio_reply(request, data, audio_type, cache=IMMUTABLE, download=download)
