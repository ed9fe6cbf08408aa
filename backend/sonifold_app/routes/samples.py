"""New sounds, drawn."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request

from sonifold_app.engine.answers import Samples
from sonifold_app.engine.operations import SAMPLE
from sonifold_app.http.openapi import problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.routes.services import ModelDep, ServicesDep, computed
from sonifold_app.schemas.samples import SampleRequest

router = APIRouter(prefix="/models/{model}/samples", tags=["samples"])


@router.post("", operation_id="create_samples", responses=problems_of(404, 413, 422, 503))
async def create_samples(
    model: ModelDep, body: SampleRequest, request: Request, services: ServicesDep
) -> Samples:
    """New points by one of the model's samplers; `decodings` makes them audible."""
    if body.sampler == "walk" and body.start is None:
        raise Problem(
            422,
            "start_missing",
            "Missing start for a random walk",
            'A walk begins at a sound: send "start" with {"sound": id}, {"point": [...]} or {"position": [x, y]}.',
        )
    seed = secrets.randbelow(2**31) if body.seed is None else body.seed
    return await computed(request, services, SAMPLE, model, body.query(seed))
