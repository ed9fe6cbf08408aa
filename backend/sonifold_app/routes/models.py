"""The packs: what there is to explore."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse

from sonifold.audio.limits import MAX_CUTS, MAX_SECONDS, MAX_SPLIT_SECONDS, MIN_SECONDS
from sonifold.pack import find
from sonifold_app import urls
from sonifold_app.engine.facts import Catalogue, ModelFacts
from sonifold_app.http import negotiation, problems
from sonifold_app.http.openapi import problems_of
from sonifold_app.http.replies import REVALIDATE, bytes_reply
from sonifold_app.routes.forms import files_of, require_form
from sonifold_app.routes.services import (
    CatalogueDep,
    ExistingModelDep,
    ModelId,
    Services,
    ServicesDep,
    in_line,
    unless_abandoned,
)
from sonifold_app.schemas.common import MAX_FILES
from sonifold_app.schemas.models import DeletedModel, Limits, Model, Models, TitleRequest, UnusableModel
from sonifold_app.user import orphans
from sonifold_app.user.archive import names_of, packed, packed_bytes

router = APIRouter(prefix="/models", tags=["models"])

CARD_TYPES = ("application/json", "text/markdown")
FILE_FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "A model's file, as `models/{model}/file` gives it.",
                    }
                },
            }
        }
    },
}


@router.get("", operation_id="list_models", responses=problems_of(503))
async def list_models(catalogue: CatalogueDep, services: ServicesDep) -> Models:
    """The models of this server, and those whose packs are damaged."""
    return Models(
        models=[await described(facts, services) for facts in catalogue.models.values()],
        unusable=[UnusableModel(id=name, problem=problem) for name, problem in catalogue.unusable.items()],
        export_folder=services.settings.exports is not None,
    )


@router.get("/{model}", operation_id="get_model", responses=problems_of(404, 422, 503))
async def get_model(model: ExistingModelDep, services: ServicesDep) -> Model:
    """One model: what it can do, and what it takes."""
    return await described(model, services)


@router.post(
    "",
    operation_id="import_model",
    status_code=201,
    responses=problems_of(409, 413, 415, 422, 503, 507),
    openapi_extra={"requestBody": FILE_FORM},
)
async def import_model(
    request: Request, response: Response, catalogue: CatalogueDep, services: ServicesDep
) -> Model:
    """Take in a model from a file, as `models/{model}/file` gives it. Everything in it is checked first."""
    require_form(request, "the model's file", "file")
    services.imports.refuse_when_full()  # before a file is read that may be large
    async with files_of(request, "file", most=1) as (file,), in_line(services.imports, request):
        name = await services.user_models.take_in(file.file, catalogue)
    response.headers["Location"] = urls.model(name)
    packs = await services.engine.catalogue(0)
    if packs is None or name not in packs.models:
        raise problems.internal_error()
    return await described(packs.models[name], services)


@router.patch("/{model}", operation_id="change_model", responses=problems_of(403, 404, 413, 422, 503))
async def change_model(model: ExistingModelDep, body: TitleRequest, services: ServicesDep) -> Model:
    """Give a model that you made another title."""
    refuse_librarys(model.name, services)
    if model.kind == "adapted":
        await services.adaptations.rename(model.name, body.title)
    else:
        await services.user_models.rename(model.name, body.title)
    return await described(dataclasses.replace(model, title=body.title), services)


@router.delete(
    "/{model}",
    operation_id="delete_model",
    status_code=204,
    responses={
        200: {"model": DeletedModel, "description": "Deleted, and sounds of yours moved"},
        **problems_of(403, 404, 409, 422, 503),
    },
)
async def delete_model(model: ModelId, catalogue: CatalogueDep, services: ServicesDep) -> Response:
    """Delete a model that you made, for good. Of an adapted one this is the undo: its base was never touched.

    Sounds of your own that you kept with it move to the model that it was made from; the answer then says how many.
    """
    if model not in catalogue.unusable:
        catalogue.find(model)
    refuse_librarys(model, services)
    if services.adaptations.find(model) is not None:
        await services.adaptations.remove(model)
    else:
        return await delete_user_model(model, catalogue, services)
    services.forget(model)
    return Response(status_code=204)


async def delete_user_model(model: str, catalogue: Catalogue, services: Services) -> Response:
    """Delete a fine-tuned or imported model and its adaptations. Raises 409 where its sounds would have no home."""
    store, jobs = services.user_sounds.store, services.jobs.store
    successor = orphans.successor_of(model, catalogue, await run_in_threadpool(jobs.all))
    if successor is None and (count := len(await run_in_threadpool(store.all, model))):
        raise problems.Problem(
            409,
            "model_has_sounds",
            "Sounds are kept with it",
            f"{count} of your sounds are kept with {model!r}, and no other model is here that they could move to. "
            "Delete them first, or bring back the model that it was made from.",
        )
    for adaptation in services.adaptations.of(model):
        await services.adaptations.remove(adaptation.id)
        services.forget(adaptation.id)
    sounds_moved = await orphans.delete_model(model, successor, store, services.user_models, jobs)
    services.jobs.wake()
    services.forget(model)
    if successor is None or not sounds_moved:
        return Response(status_code=204)
    return JSONResponse(DeletedModel(sounds_moved=sounds_moved, moved_to=successor).model_dump())


@router.get(
    "/{model}/file",
    operation_id="get_model_file",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The model", "content": {"application/zip": {}}},
        **problems_of(404, 409, 422, 503),
    },
)
async def get_file(model: ExistingModelDep, request: Request, services: ServicesDep) -> StreamingResponse:
    """The model as one file, to be imported elsewhere: a zip archive of its pack."""
    if model.kind == "adapted":
        raise problems.Problem(
            409,
            "model_not_a_pack",
            "Not a pack",
            f"{model.title!r} is an adaptation of {model.base!r} and has no file of its own. Fine-tune it "
            f"(POST {urls.model(model.name)}/finetunes): what comes of that has one.",
        )
    folder = services.user_models.folder(model.name)
    if folder is None:
        folder = await run_in_threadpool(find, model.name, services.settings.models)
    names = await run_in_threadpool(names_of, folder)
    length = await run_in_threadpool(packed_bytes, folder, names)
    return StreamingResponse(
        await exported(folder, names, services, request),
        media_type="application/zip",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{model.name}.sonifold.zip"',
            "Content-Length": str(length),
        },
    )


async def exported(
    folder: Path, names: Sequence[str], services: Services, request: Request
) -> AsyncIterator[bytes]:
    """A model's file, piece by piece. It has its place in the line before this returns, so that it can be refused."""

    async def pieces() -> AsyncGenerator[bytes]:
        async with services.exports:
            async for piece in iterate_in_threadpool(packed(folder, names)):
                yield piece

    rest = pieces()
    first = await unless_abandoned(request, anext(rest))

    async def all_pieces() -> AsyncIterator[bytes]:
        async with aclosing(rest):
            yield first
            async for piece in rest:
                yield piece

    return all_pieces()


def refuse_librarys(model: str, services: Services) -> None:
    """Raises model_not_yours for one that came with the server."""
    if services.adaptations.find(model) is None and services.user_models.folder(model) is None:
        raise problems.Problem(
            403,
            "model_not_yours",
            "Not your model",
            f"{model!r} came with this server; only models that you made can be changed or deleted.",
        )


@router.get(
    "/{model}/card",
    operation_id="get_card",
    response_class=Response,
    responses={
        200: {
            "description": "The card",
            "content": {"application/json": {"schema": {"type": "object"}}, "text/markdown": {}},
        },
        **problems_of(404, 406, 422, 503),
    },
)
async def get_card(model: ExistingModelDep, request: Request) -> Response:
    """The model card: measures, data, licences, credits; JSON, or Markdown to be read."""
    accept = request.headers.get("accept")
    media_type = negotiation.choose(accept, CARD_TYPES)
    if media_type is None:
        raise problems.not_acceptable(accept or "", CARD_TYPES)
    text = model.card_markdown if media_type == "text/markdown" else json.dumps(model.card)
    charset = "; charset=utf-8" if media_type == "text/markdown" else ""
    return bytes_reply(
        request, text.encode(), media_type + charset, cache=REVALIDATE, headers={"Vary": "Accept"}
    )


async def described(model: ModelFacts, services: Services) -> Model:
    """What is replied of a model."""
    adaptation = services.adaptations.find(model.name)
    if adaptation is not None:
        stored_bytes: int | None = await services.adaptations.stored_bytes(adaptation)
    else:
        stored_bytes = await services.user_models.stored_bytes(model.name)
    return Model.of(model, limits_of(services), stored_bytes)


def limits_of(services: Services) -> Limits:
    return Limits(
        upload_bytes=services.settings.upload_bytes,
        upload_seconds=MAX_SECONDS,
        shortest_seconds=MIN_SECONDS,
        split_seconds=MAX_SPLIT_SECONDS,
        upload_files=MAX_FILES,
        choice_sounds=MAX_CUTS,
    )
