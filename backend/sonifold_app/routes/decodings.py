"""What places in latent space and on the map sound like."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from sonifold_app import negotiation
from sonifold_app.documents import audio_of, problems_of
from sonifold_app.problems import Problem, not_acceptable
from sonifold_app.replies import REVALIDATE, audio_reply
from sonifold_app.routes.morphs import keep
from sonifold_app.schemas.common import short
from sonifold_app.schemas.decodings import DecodedSound, DecodingRequest, Decodings
from sonifold_app.services import ModelDep, ServicesDep, unless_abandoned

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
    model: ModelDep, asked: DecodingRequest, request: Request, services: ServicesDep
) -> Decodings | Response:
    """Decode latent points or positions on the map."""
    anchors = asked.anchors()
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
    chosen = negotiation.choose(accept, offers)
    if chosen is None:
        raise not_acceptable(accept or "", offers)
    decoded = await unless_abandoned(request, services.engine.decode(model.name, anchors))
    if chosen != JSON:
        format = negotiation.audio_format(chosen)
        wav = decoded[0].recording.wav
        data = wav if format == "wav" else await services.engine.convert(wav, format)
        return audio_reply(request, data, format, cache=REVALIDATE)
    return Decodings(
        sounds=[
            DecodedSound(
                audio=await keep(services, one.recording, "sound"),
                x=short(one.position[0]),
                y=short(one.position[1]),
            )
            for one in decoded
        ]
    )
