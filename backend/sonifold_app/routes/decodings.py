"""Sounds decoded at points of latent space and of the map."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import DECODE
from sonifold_app.engine.questions import DecodeQuery
from sonifold_app.http import negotiation
from sonifold_app.http.openapi import audio_of, problems_of
from sonifold_app.http.problems import Problem, not_acceptable
from sonifold_app.http.replies import REVALIDATE, audio_reply
from sonifold_app.routes.links import linked
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, unless_abandoned
from sonifold_app.schemas.decodings import DecodedSound, DecodingRequest, Decodings

router = APIRouter(prefix="/models/{model}/decodings", tags=["decodings"])

JSON = "application/json"


@router.post(
    "",
    operation_id="create_decodings",
    response_model=Decodings,
    responses={
        200: {
            "description": "Where to hear each place; or, where one place is asked for as audio, the "
            "sound itself",
            "content": audio_of()[200]["content"],
        },
        **problems_of(404, 406, 413, 422, 503),
    },
)
async def create_decodings(
    model: ModelDep, body: DecodingRequest, request: Request, services: ServicesDep
) -> Decodings | Response:
    """Decode latent points or positions on the map; of an adapted model with more or less of its sliders."""
    anchors = body.anchors()
    if not anchors:
        raise Problem(
            422,
            "request_invalid",
            "Nothing to decode",
            'Send {"points": [[...]]} or {"positions": [[x, y]]} with at least one place.',
        )
    accept = request.headers.get("accept")
    offers = (
        [JSON, *(types[0] for types in negotiation.AUDIO_TYPES.values())] if len(anchors) == 1 else [JSON]
    )
    media_type = negotiation.choose(accept, offers)
    if media_type is None:
        raise not_acceptable(accept or "", offers)
    amounts = tuple((id, amount) for id, amount in body.amounts.items() if amount)
    queries = [DecodeQuery(anchor, amounts) for anchor in anchors]
    check_amounts(model, body.amounts, services)
    decoded = await unless_abandoned(request, services.engine.run(DECODE, model.name, queries))
    if media_type != JSON:
        format = negotiation.audio_format(media_type)
        wav = decoded[0].recording.wav
        data = await unless_abandoned(request, services.recordings.converted(wav, format))
        return audio_reply(request, data, format, cache=REVALIDATE)
    sounds = (linked(DecodedSound, sound, services.recordings, "sound") for sound in decoded)
    return Decodings(sounds=await asyncio.gather(*sounds))


def check_amounts(model: ModelFacts, amounts: Mapping[str, float], services: Services) -> None:
    """Raises slider_invalid where the model has no such slider, or an amount is out of its reach."""
    adaptation = services.adaptations.find(model.name)
    sliders = {} if adaptation is None else {slider["id"]: slider for slider in adaptation.outcome["sliders"]}
    for id, amount in amounts.items():
        if id not in sliders:
            available = f"it has {', '.join(sliders)}" if sliders else "only adapted models have any"
            detail = f"{model.name!r} has no slider {id[:40]!r}; {available}."
        elif not sliders[id]["low"] <= amount <= sliders[id]["high"]:
            low, high = sliders[id]["low"], sliders[id]["high"]
            detail = f"the slider {id!r} takes {low:g} to {high:g}, got {amount:g}."
        else:
            continue
        raise Problem(422, "slider_invalid", "No such slider, or not so much of it", detail)
