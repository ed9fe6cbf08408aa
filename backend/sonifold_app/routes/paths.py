"""Ways between sounds, without their sound."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sonifold_app.engine.operations import TRACE
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.services import ModelDep, ServicesDep, computed
from sonifold_app.schemas.paths import PathReply, PathRequest

router = APIRouter(prefix="/models/{model}/paths", tags=["paths"])


@router.post("", operation_id="create_path", responses=problems_of(404, 413, 422, 503))
async def create_path(
    model: ModelDep, body: PathRequest, request: Request, services: ServicesDep
) -> PathReply:
    """The path through two or more anchors: where it runs, how long it is, how evenly it sounds."""
    legs = await computed(request, services, TRACE, model, body.query())
    return PathReply(unit=model.unit, path=legs[0], legs=legs)
