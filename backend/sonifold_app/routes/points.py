"""New points made from others: averages, analogies, extrapolations; each rendered, each with its caveats."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sonifold_app.engine.operations import ANALOGY, EXTRAPOLATE, MEAN
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.links import linked
from sonifold_app.routes.services import ModelDep, ServicesDep, computed
from sonifold_app.schemas.points import (
    AnalogyReply,
    AnalogyRequest,
    ExtrapolationReply,
    ExtrapolationRequest,
    MeanReply,
    MeanRequest,
)

router = APIRouter(prefix="/models/{model}", tags=["points"])


@router.post("/means", operation_id="create_mean", responses=problems_of(404, 413, 422, 503))
async def create_mean(
    model: ModelDep, body: MeanRequest, request: Request, services: ServicesDep
) -> MeanReply:
    """The average of 2 to 16 sounds, and the shortest paths from it to them."""
    point = await computed(request, services, MEAN, model, body.query())
    return await linked(MeanReply, point, services.recordings, "sound")


@router.post("/analogies", operation_id="create_analogy", responses=problems_of(404, 413, 422, 503))
async def create_analogy(
    model: ModelDep, body: AnalogyRequest, request: Request, services: ServicesDep
) -> AnalogyReply:
    """A is to B as C is to this: the direction from A to B, carried to C and followed there."""
    point = await computed(request, services, ANALOGY, model, body.query())
    return await linked(AnalogyReply, point, services.recordings, "sound")


@router.post(
    "/extrapolations", operation_id="create_extrapolation", responses=problems_of(404, 413, 422, 503)
)
async def create_extrapolation(
    model: ModelDep, body: ExtrapolationRequest, request: Request, services: ServicesDep
) -> ExtrapolationReply:
    """On from A through B, along the same geodesic."""
    point = await computed(request, services, EXTRAPOLATE, model, body.query())
    return await linked(ExtrapolationReply, point, services.recordings, "sound")
