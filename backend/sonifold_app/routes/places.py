"""New places made from others: averages, analogies, what lies beyond; each rendered, each with what to know of it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.morphs import keep
from sonifold_app.schemas.places import (
    AnalogyReply,
    AnalogyRequest,
    ExtrapolationReply,
    ExtrapolationRequest,
    MeanReply,
    MeanRequest,
)
from sonifold_app.services import ModelDep, ServicesDep, unless_abandoned

router = APIRouter(prefix="/models/{model}", tags=["places"])


@router.post("/means", operation_id="create_mean", responses=problems_of(404, 413, 422, 503))
async def create_mean(
    model: ModelDep, asked: MeanRequest, request: Request, services: ServicesDep
) -> MeanReply:
    """The average of 2 to 16 sounds, and the ways from it to them."""
    query = await services.own.furnished(model, asked.query())
    found = await unless_abandoned(request, services.engine.mean(model.name, query))
    return MeanReply.of(found, model.unit, await keep(services, found.place.recording, "sound"))


@router.post("/analogies", operation_id="create_analogy", responses=problems_of(404, 413, 422, 503))
async def create_analogy(
    model: ModelDep, asked: AnalogyRequest, request: Request, services: ServicesDep
) -> AnalogyReply:
    """A is to B as C is to this: the direction from A to B, carried to C and followed there."""
    query = await services.own.furnished(model, asked.query())
    found = await unless_abandoned(request, services.engine.analogy(model.name, query))
    return AnalogyReply.of(found, model.unit, await keep(services, found.place.recording, "sound"))


@router.post(
    "/extrapolations", operation_id="create_extrapolation", responses=problems_of(404, 413, 422, 503)
)
async def create_extrapolation(
    model: ModelDep, asked: ExtrapolationRequest, request: Request, services: ServicesDep
) -> ExtrapolationReply:
    """On from A through B, along the same geodesic."""
    query = await services.own.furnished(model, asked.query())
    found = await unless_abandoned(request, services.engine.extrapolate(model.name, query))
    return ExtrapolationReply.of(found, model.unit, await keep(services, found.place.recording, "sound"))
