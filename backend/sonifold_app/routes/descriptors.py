"""Words for timbre: brighter, softer, noisier."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request

from sonifold_app.engine.operations import DESCRIBE, TRAVERSE
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.links import linked
from sonifold_app.routes.services import ModelDep, ServicesDep, computed, unless_abandoned
from sonifold_app.schemas.descriptors import (
    DescriptionReply,
    DescriptionRequest,
    TraversalReply,
    TraversalRequest,
)

router = APIRouter(prefix="/models/{model}", tags=["descriptors"])


@router.post("/descriptions", operation_id="create_descriptions", responses=problems_of(404, 413, 422, 503))
async def create_descriptions(
    model: ModelDep, body: DescriptionRequest, request: Request, services: ServicesDep
) -> DescriptionReply:
    """Descriptors (brightness, softness, noisiness, ...) of the sound decoded at each point."""

    async def describe() -> list[Mapping[str, float]]:
        anchors = [anchor.anchor() for anchor in body.anchors]
        resolved = await services.user_sounds.resolve_anchors(model, anchors)
        return await services.engine.run(DESCRIBE, model.name, resolved)

    return DescriptionReply.of(await unless_abandoned(request, describe()))


@router.post("/traversals", operation_id="create_traversal", responses=problems_of(404, 413, 422, 503))
async def create_traversal(
    model: ModelDep, body: TraversalRequest, request: Request, services: ServicesDep
) -> TraversalReply:
    """Brighter and darker, softer and sharper: sounds on a path from a point, as far as there are data."""
    traversal = await computed(request, services, TRAVERSE, model, body.query())
    return await linked(TraversalReply, traversal, services.recordings, "steps")
