"""The packs: what there is to explore."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from starlette.responses import Response

from sonifold_app import negotiation, problems
from sonifold_app.documents import problems_of
from sonifold_app.replies import REVALIDATE, bytes_reply
from sonifold_app.schemas.common import MAX_FILES
from sonifold_app.schemas.models import Limits, Model, Models, UnusableModel
from sonifold_app.services import CatalogueDep, KnownModelDep, Services, ServicesDep

router = APIRouter(prefix="/models", tags=["models"])

CARD_TYPES = ("application/json", "text/markdown")
UPLOAD_SECONDS, SPLIT_SECONDS = 10.0, 240.0


@router.get("", operation_id="list_models", responses=problems_of(503))
async def list_models(catalogue: CatalogueDep, services: ServicesDep) -> Models:
    """The models of this server, and those whose packs are damaged."""
    limits = limits_of(services)
    return Models(
        models=[Model.of(facts, limits) for facts in catalogue.models.values()],
        unusable=[UnusableModel(id=name, problem=problem) for name, problem in catalogue.unusable.items()],
    )


@router.get("/{model}", operation_id="get_model", responses=problems_of(404, 422, 503))
async def get_model(model: KnownModelDep, services: ServicesDep) -> Model:
    """One model: what it can do, and what it takes."""
    return Model.of(model, limits_of(services))


@router.delete(
    "/{model}", operation_id="delete_model", status_code=204, responses=problems_of(403, 404, 422, 503)
)
async def delete_model(model: KnownModelDep, services: ServicesDep) -> None:
    """Delete a model that you made, for good. Of an adapted one this is the undo: its base was never touched."""
    if model.kind == "adapted":
        await services.adaptations.remove(model.name)
        return services.forget(model.name)
    if not services.jobs.made(model.name):
        raise problems.Problem(
            403,
            "model_not_yours",
            "Not your model",
            f"{model.name!r} came with this server; only models that you made can be deleted.",
        )
    for one in services.adaptations.of(model.name):
        await services.adaptations.remove(one.id)
        services.forget(one.id)
    await services.jobs.discard(model.name)
    services.forget(model.name)


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
async def get_card(model: KnownModelDep, request: Request) -> Response:
    """The model card: measures, data, licences, credits; JSON, or Markdown to be read."""
    accept = request.headers.get("accept")
    chosen = negotiation.choose(accept, CARD_TYPES)
    if chosen is None:
        raise problems.not_acceptable(accept or "", CARD_TYPES)
    text = model.card_markdown if chosen == "text/markdown" else json.dumps(model.card)
    charset = "; charset=utf-8" if chosen == "text/markdown" else ""
    return bytes_reply(request, text.encode(), chosen + charset, cache=REVALIDATE, headers={"Vary": "Accept"})


def limits_of(services: Services) -> Limits:
    return Limits(
        upload_bytes=services.settings.upload_bytes,
        upload_seconds=UPLOAD_SECONDS,
        split_seconds=SPLIT_SECONDS,
        upload_files=MAX_FILES,
    )
