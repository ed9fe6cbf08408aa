"""Sounds as files to take along: one as it is, several as a ZIP with a table of what they were made from."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from sonifold.audio.archive import SoundFile, zipped
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import EXPORT
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import ExportQuery
from sonifold_app.http.negotiation import AUDIO_TYPES
from sonifold_app.http.openapi import BINARY, audio_of, problems_of
from sonifold_app.http.replies import content_disposition
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, unless_abandoned
from sonifold_app.schemas.exports import ExportRequest

router = APIRouter(prefix="/models/{model}/exports", tags=["audio"])

ZIP = "application/zip"


@router.post(
    "",
    operation_id="create_export",
    response_class=Response,
    responses={
        200: {
            "description": "The file, or a ZIP of several with `sounds.csv` and `README.txt`",
            "content": {**audio_of()[200]["content"], ZIP: BINARY},
        },
        **problems_of(404, 413, 422, 503),
    },
)
async def create_export(
    model: ModelDep, body: ExportRequest, request: Request, services: ServicesDep
) -> Response:
    """Steps, glides, or single sounds as files, rendered with all the bits that the format has room for; each says in
    its metadata what it was made from, how, and under which licences."""

    async def render() -> list[SoundFile]:
        query = await resolve_user_sounds(model, body.query(), services)
        return await run_one(services.engine, EXPORT, model.name, query)

    files = await unless_abandoned(request, render())
    if len(files) == 1:
        name, _, suffix = files[0].name.rpartition(".")
        return attachment(files[0].data, AUDIO_TYPES[body.format][0], name, suffix)
    stem = files[0].name.rpartition("-")[0] if body.morph else f"{model.name}-sounds"
    return attachment(await run_in_threadpool(zipped, files), ZIP, stem, "zip")


async def resolve_user_sounds(model: ModelFacts, query: ExportQuery, services: Services) -> ExportQuery:
    """A query with the user sounds that it names put in, at whatever depth."""
    query = await services.user_sounds.resolve_user_sounds(model, query)
    if query.morph is None:
        return query
    morph = dataclasses.replace(
        query.morph, query=await services.user_sounds.resolve_user_sounds(model, query.morph.query)
    )
    return dataclasses.replace(query, morph=morph)


def attachment(data: bytes, media_type: str, name: str, suffix: str) -> Response:
    headers = {"Content-Disposition": content_disposition(name, suffix), "Cache-Control": "no-store"}
    return Response(data, media_type=media_type, headers=headers)
