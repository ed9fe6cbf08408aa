"""The map of a model, and the ways between it and latent space."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sonifold import errors
from sonifold_app.engine.answers import Indicatrices, Magnification
from sonifold_app.engine.choices import MetricName
from sonifold_app.engine.numbers import Numbers, rows
from sonifold_app.engine.operations import INDICATRICES, LIFT, MAGNIFICATION, PROJECT
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import IndicatrixQuery, MagnificationQuery
from sonifold_app.http.openapi import NOT_MODIFIED, problems_of
from sonifold_app.http.replies import REVALIDATE, bytes_reply
from sonifold_app.routes.params import WeightQuery
from sonifold_app.routes.services import ModelDep, ServicesDep, computed, unless_abandoned
from sonifold_app.schemas.atlas import (
    Atlas,
    LiftedPositions,
    Points,
    Positions,
    ProjectedPoints,
)

router = APIRouter(prefix="/models/{model}/atlas", tags=["atlas"])
magnification = APIRouter(prefix="/models/{model}/magnification", tags=["atlas"])
indicatrices = APIRouter(prefix="/models/{model}/indicatrices", tags=["atlas"])

MAX_ELLIPSES = 1000


@router.get(
    "",
    operation_id="get_atlas",
    response_model=Atlas,
    responses={**NOT_MODIFIED, **problems_of(404, 422, 503)},
)
async def get_atlas(model: ModelDep, request: Request, services: ServicesDep) -> Response:
    """The magnification field: where the model knows sounds, and where it guesses."""
    body = await services.document(model, "atlas", lambda: Atlas.of(model.atlas))
    return bytes_reply(request, body, "application/json", cache=REVALIDATE)


@router.post("/positions", operation_id="project_points", responses=problems_of(404, 413, 422, 503))
async def project_points(
    model: ModelDep, body: Points, request: Request, services: ServicesDep
) -> ProjectedPoints:
    """The positions of latent points on the map."""
    for number, point in enumerate(body.points):
        if len(point) != model.latent_dim:
            raise errors.PointInvalid(
                f"points[{number}] has {len(point)} numbers; points of {model.name!r} have "
                f"{model.latent_dim}. "
                "Use a point that this model gave."
            )
    result = await unless_abandoned(
        request, run_one(services.engine, PROJECT, model.name, float32(body.points))
    )
    return ProjectedPoints(positions=rows(result))


@router.post("/points", operation_id="lift_positions", responses=problems_of(404, 413, 422, 503))
async def lift_positions(
    model: ModelDep, body: Positions, request: Request, services: ServicesDep
) -> LiftedPositions:
    """The latent points at positions on the map."""
    result = await unless_abandoned(
        request, run_one(services.engine, LIFT, model.name, float32(body.positions))
    )
    return LiftedPositions(points=rows(result))


def float32(rows: list[list[float]]) -> Numbers:
    """Numbers as the engine takes them; what is too large becomes infinite, which the science refuses."""
    with np.errstate(over="ignore"):
        return np.array(rows, dtype=np.float32)


@indicatrices.get("", operation_id="list_indicatrices", responses=problems_of(404, 422, 503))
async def list_indicatrices(
    model: ModelDep,
    request: Request,
    services: ServicesDep,
    count: Annotated[int, Query(ge=1, le=MAX_ELLIPSES, description="About how many.")] = 100,
    metric: Annotated[MetricName, Query(description="The metric to show.")] = MetricName.BLEND,
    weight: WeightQuery = None,
) -> Indicatrices:
    """Indicatrices of a metric: ellipses of equal distance, evenly over the land."""
    query = IndicatrixQuery(count, metric, weight)
    return await unless_abandoned(request, run_one(services.engine, INDICATRICES, model.name, query))


@magnification.get("", operation_id="get_magnification", responses=problems_of(404, 422, 503))
async def get_magnification(
    model: ModelDep,
    request: Request,
    services: ServicesDep,
    metric: Annotated[MetricName, Query(description="The metric to show.")] = MetricName.BLEND,
    weight: WeightQuery = None,
) -> Magnification:
    """How much a metric magnifies, over the map: low where its paths like to be."""
    query = MagnificationQuery(metric, weight)
    return await computed(request, services, MAGNIFICATION, model, query)
