"""Sounds as files to take along: one as it is, several as a ZIP with a table of what they were made from."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from sonifold.audio.archive import SoundFile, with_credits, zipped
from sonifold.instruments.bundle import Bundle
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import EXPORT, INSTRUMENT
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import ExportQuery
from sonifold_app.http.negotiation import AUDIO_TYPES
from sonifold_app.http.openapi import BINARY, audio_of, problems_of
from sonifold_app.http.replies import content_disposition
from sonifold_app.routes import export_folder
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, unless_abandoned
from sonifold_app.schemas.exports import ExportRequest, SavedExport

router = APIRouter(prefix="/models/{model}/exports", tags=["audio"])

ZIP = "application/zip"
INSTRUMENT_FILE = "application/octet-stream"
CSV = "text/csv"


@router.post(
    "",
    operation_id="create_export",
    response_class=Response,
    responses={
        200: {
            "description": "The file, or a ZIP of several with `sounds.csv` and `README.txt`",
            "content": {**audio_of()[200]["content"], ZIP: BINARY, INSTRUMENT_FILE: BINARY, CSV: BINARY},
        },
        201: {"description": "It was put into the export folder", "model": SavedExport},
        **problems_of(404, 413, 422, 503, 507),
    },
)
async def create_export(
    model: ModelDep, body: ExportRequest, request: Request, services: ServicesDep
) -> Response:
    """Steps, glides, or single sounds as files, or as an instrument for a sampler, rendered with all the bits that the
    format has room for; each says in its metadata what it was made from, how, and under which licences."""

    async def render() -> list[SoundFile] | Bundle:
        query = await resolve_user_sounds(model, body.query(), services)
        if query.instrument is not None:
            return await run_one(services.engine, INSTRUMENT, model.name, query)
        return await run_one(services.engine, EXPORT, model.name, query)

    export = await unless_abandoned(request, render())
    if isinstance(export, Bundle):
        return await run_in_threadpool(instrument_reply, export, body, services)
    stem = export[0].name.rpartition("-")[0] if body.morph else f"{model.name}-sounds"
    return await run_in_threadpool(files_reply, export, stem, body, services)


def instrument_reply(bundle: Bundle, body: ExportRequest, services: Services) -> Response:
    """An instrument, or where it was put."""
    if body.destination == "folder":
        return saved(export_folder.save(services.settings, bundle.stem, bundle.ending, bundle.contents))
    return attachment(bundle.to_bytes(), bundle.media_type, bundle.stem, bundle.suffix)


def files_reply(files: list[SoundFile], stem: str, body: ExportRequest, services: Services) -> Response:
    """One file as it is, several as a ZIP; or where they were put, several as a folder."""
    name, _, suffix = files[0].name.rpartition(".")
    if body.destination == "folder":
        if len(files) == 1:
            return saved(export_folder.save(services.settings, name, f".{suffix}", files[0].data))
        return saved(export_folder.save(services.settings, stem, "", with_credits(files)))
    if len(files) == 1:
        return attachment(files[0].data, AUDIO_TYPES[body.file_format][0], name, suffix)
    return attachment(zipped(files), ZIP, stem, "zip")


def saved(export: SavedExport) -> Response:
    return Response(
        export.model_dump_json(), 201, {"Cache-Control": "no-store"}, media_type="application/json"
    )


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
