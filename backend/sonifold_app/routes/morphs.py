"""Ways between two sounds, made audible. What was rendered once is not rendered again."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import MORPH
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import MorphQuery
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.links import linked
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, unless_abandoned
from sonifold_app.schemas.morphs import Morph, MorphReply, MorphRequest

router = APIRouter(prefix="/models/{model}/morphs", tags=["morphs"])


@router.post("", operation_id="create_morphs", responses=problems_of(404, 413, 422, 503))
async def create_morphs(
    model: ModelDep, body: MorphRequest, request: Request, services: ServicesDep
) -> MorphReply:
    """The ways between two anchors and where to hear them, one for each kind."""
    query = await services.user_sounds.resolve_user_sounds(model, body.query())
    key = ("morphs", model.name, model.version, body.model_dump_json())
    return await unless_abandoned(
        request,
        services.single_flight.ask("\0".join(key), lambda: morphs(model, body, query, services, key)),
    )


async def morphs(
    model: ModelFacts, body: MorphRequest, query: MorphQuery, services: Services, key: tuple[str, ...]
) -> MorphReply:
    cached = await run_in_threadpool(cached_reply, services, key)
    if cached is not None:
        return cached
    rendered = await run_one(services.engine, MORPH, model.name, query)
    reply = MorphReply(
        unit=model.unit,
        sample_rate=model.sample_rate,
        step_samples=model.sound_samples,
        steps=body.steps,
        morphs=await asyncio.gather(
            *(linked(Morph, morph, services.recordings, body.mode) for morph in rendered)
        ),
    )
    await run_in_threadpool(services.cache.put, key, reply.model_dump_json())
    return reply


def cached_reply(services: Services, key: tuple[str, ...]) -> MorphReply | None:
    """The reply to the same request, if all of its sound is still there."""
    text = services.cache.get(*key)
    if text is None:
        return None
    try:
        reply = MorphReply.model_validate_json(text)
    except ValidationError:  # of another version of Sonifold, whose replies had other fields
        return None
    return reply if all(morph.audio.sha256 in services.recordings for morph in reply.morphs) else None
