"""Ways between two sounds, made audible, whole or step by step. What was rendered once is not rendered again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.answers import (
    MorphPart,
    MorphPaths,
    MorphStep,
    Path,
    PathFacts,
    Recording,
    Rendered,
    WholeMorph,
)
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import MORPH, MORPH_PARTS, SEPARATE
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import MorphQuery, SeparateQuery
from sonifold_app.http import frames, problems
from sonifold_app.http.openapi import BINARY, problems_of
from sonifold_app.routes.links import linked
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, unless_abandoned
from sonifold_app.schemas.morphs import (
    EndFrame,
    Morph,
    MorphLayout,
    MorphReply,
    MorphRequest,
    MorphStreamRequest,
    PathsFrame,
    ProblemFrame,
    StepFrame,
)
from sonifold_app.schemas.problems import ProblemDocument

router = APIRouter(prefix="/models/{model}/morphs", tags=["morphs"])
#: What a stream is made of; of a stored morph the reply comes in the place of the whole.
StreamPart = MorphPart | MorphReply
streams = APIRouter(prefix="/models/{model}/morph-streams", tags=["morphs"])


@router.post("", operation_id="create_morphs", responses=problems_of(404, 413, 422, 503))
async def create_morphs(
    model: ModelDep, body: MorphRequest, request: Request, services: ServicesDep
) -> MorphReply:
    """The ways between two anchors and where to hear them, one for each kind."""
    resolving = services.user_sounds.resolve_user_sounds(model, body.query())
    query = await unless_abandoned(request, resolving)
    key = key_of(model, body)
    return await unless_abandoned(
        request,
        services.single_flight.ask("\0".join(key), lambda: morphs(model, body, query, services, key)),
    )


@streams.post(
    "",
    operation_id="stream_morphs",
    response_class=Response,
    responses={
        200: {"description": "Frames, see above", "content": {frames.MEDIA_TYPE: BINARY}},
        **problems_of(404, 413, 422, 503),
    },
)
async def stream_morphs(
    model: ModelDep, body: MorphStreamRequest, request: Request, services: ServicesDep
) -> Response:
    """The same in steps, each sent as soon as it is rendered: the chosen kind first, its ends and then from A to B.

    A frame is one line of JSON and as many bytes as its `bytes` says. First a `PathsFrame`, then for each step of each
    kind a `StepFrame` with a WAV file, at last an `EndFrame`, or a `ProblemFrame` where something went wrong on the
    way. Where neither came, the reply was cut off. Nothing more is computed once the connection is closed.
    """
    complete = body.complete()
    resolving = services.user_sounds.resolve_user_sounds(model, complete.query())
    query = await unless_abandoned(request, resolving)
    key = key_of(model, complete)
    cached = await run_in_threadpool(cached_reply, services, key)
    stream = MorphStream(model, complete, services, key)
    rendered: AsyncIterator[MorphPart] = services.engine.stream(MORPH_PARTS, model.name, query)
    parts: AsyncIterator[StreamPart] = stream.parts_of(cached) if cached else rendered
    first = await unless_abandoned(request, anext(parts))
    return frames.FramesReply(stream.frames(request, first, parts))


class MorphStream:
    """A morph on its way out, part by part."""

    def __init__(
        self, model: ModelFacts, body: MorphRequest, services: Services, key: tuple[str, ...]
    ) -> None:
        self._model, self._body, self._services, self._key = model, body, services, key

    async def frames(
        self, request: Request, first: StreamPart, rest: AsyncIterator[StreamPart]
    ) -> AsyncIterator[bytes]:
        """All of it as frames; what goes wrong is the last one."""
        async with aclosing(rest):  # type: ignore[type-var]
            try:
                yield await self._frame(first)
                async for part in rest:
                    yield await self._frame(part)
            except Exception as error:
                document = problems.of_late(request, error).document()
                yield frames.frame(ProblemFrame(problem=ProblemDocument.model_validate(document)))

    async def parts_of(self, reply: MorphReply) -> AsyncIterator[StreamPart]:
        """The parts of a morph that was stored."""
        yield MorphPaths(tuple(reply.morphs))
        for morph in reply.morphs:
            recordings = await self._steps_of(morph)
            for step in as_heard(len(recordings)):
                yield MorphStep(morph.kind, step, recordings[step])
        yield reply

    async def _steps_of(self, morph: Morph) -> Sequence[Recording]:
        wav = await self._services.recordings.get(morph.audio.sha256, "wav")
        if wav is None:
            raise FileNotFoundError(f"the sound of a morph that was just there: {morph.audio.sha256}")
        return await run_one(self._services.engine, SEPARATE, None, SeparateQuery(wav, self._body.steps))

    async def _frame(self, part: StreamPart) -> bytes:
        match part:
            case MorphPaths(paths):
                layout = layout_of(self._model, self._body)
                facts = [PathFacts.model_validate(path) for path in paths]
                return frames.frame(PathsFrame(**dict(layout), paths=facts))
            case MorphStep(kind, step, recording):
                wav = recording.wav
                return frames.frame(StepFrame(bytes=len(wav), kind=kind, step=step), wav)
            case WholeMorph(rendered):
                reply = await stored_reply(self._model, self._body, rendered, self._services, self._key)
                return frames.frame(EndFrame(reply=reply))
            case MorphReply():
                return frames.frame(EndFrame(reply=part))


def layout_of(model: ModelFacts, body: MorphRequest) -> MorphLayout:
    """What a request's reply says of all its sounds together."""
    return MorphLayout(
        unit=model.unit, sample_rate=model.sample_rate, step_samples=model.sound_samples, steps=body.steps
    )


def as_heard(steps: int) -> list[int]:
    """Both ends, which are recordings, and then from A on."""
    return [0, steps - 1, *range(1, steps - 1)]


def key_of(model: ModelFacts, body: MorphRequest) -> tuple[str, ...]:
    """Under which the reply to a request is stored."""
    return ("morphs", model.name, model.version, body.model_dump_json())


async def morphs(
    model: ModelFacts, body: MorphRequest, query: MorphQuery, services: Services, key: tuple[str, ...]
) -> MorphReply:
    cached = await run_in_threadpool(cached_reply, services, key)
    if cached is not None:
        return cached
    rendered = await run_one(services.engine, MORPH, model.name, query)
    return await stored_reply(model, body, rendered, services, key)


async def stored_reply(
    model: ModelFacts,
    body: MorphRequest,
    rendered: Sequence[Rendered[Path]],
    services: Services,
    key: tuple[str, ...],
) -> MorphReply:
    """The reply to a request; it and its sound are stored."""
    reply = MorphReply(
        **dict(layout_of(model, body)),
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
