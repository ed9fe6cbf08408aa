"""The sounds of a model: its library, and those that the user keeps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sonifold.audio.formats import AudioFormat
from sonifold.audio.provenance import Source, of_recording
from sonifold_app.engine import answers, choices, facts, questions
from sonifold_app.engine.answers import Distances, Neighbours
from sonifold_app.engine.numbers import row_of
from sonifold_app.engine.operations import CONVERT, DECODE, DISTANCES, LIBRARY_FILE, NEIGHBOURS
from sonifold_app.engine.protocol import run_one
from sonifold_app.http import problems
from sonifold_app.http.negotiation import audio_format
from sonifold_app.http.openapi import NOT_MODIFIED, audio_of, problems_of
from sonifold_app.http.replies import IMMUTABLE, REVALIDATE, audio_reply, bytes_reply
from sonifold_app.routes.params import Accept, DownloadQuery, FormatQuery, SoundId, WeightQuery
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, unless_abandoned
from sonifold_app.schemas.sounds import ChangeRequest, Sound, Sounds

router = APIRouter(prefix="/models/{model}/sounds", tags=["sounds"])


@router.get(
    "",
    operation_id="list_sounds",
    response_model=Sounds,
    responses={**NOT_MODIFIED, **problems_of(404, 422, 503)},
)
async def list_sounds(model: ModelDep, request: Request, services: ServicesDep) -> Response:
    """All sounds, the model's and then the user's own, column by column, with map positions."""
    table = await unless_abandoned(request, services.user_sounds.table(model))
    body = await services.document(model, "sounds", lambda: Sounds.of(model.library, table), table.state)
    return bytes_reply(request, body, "application/json", cache=REVALIDATE)


@router.get("/{sound}", operation_id="get_sound", responses=problems_of(404, 422, 503))
async def get_sound(model: ModelDep, sound: SoundId, request: Request, services: ServicesDep) -> Sound:
    """One sound: where it lies, where it comes from, where to hear it."""
    row = model.library.rows.get(sound)
    if row is not None:
        return Sound.of(model, row, request.url.path)
    user_sound = await unless_abandoned(request, services.user_sounds.find(model, sound))
    return Sound.of_user_sound(model, user_sound, request.url.path)


@router.patch("/{sound}", operation_id="change_sound", responses=problems_of(403, 404, 413, 422, 503))
async def change_sound(
    model: ModelDep, sound: SoundId, body: ChangeRequest, request: Request, services: ServicesDep
) -> Sound:
    """Give a sound of your own another name, or correct the pitch that was found in it."""
    refuse_library_sound(model, sound)
    changed = await services.user_sounds.change(model, sound, body.model_dump(exclude_unset=True))
    return Sound.of_user_sound(model, changed, request.url.path)


@router.delete(
    "/{sound}", operation_id="delete_sound", status_code=204, responses=problems_of(403, 404, 422, 503)
)
async def delete_sound(model: ModelDep, sound: SoundId, services: ServicesDep) -> None:
    """Delete a sound of your own, for good."""
    refuse_library_sound(model, sound)
    await services.user_sounds.remove(model, sound)


@router.get(
    "/{sound}/audio",
    operation_id="get_sound_audio",
    response_class=Response,
    responses=audio_of(404, 422, 503),
)
async def get_audio(
    model: ModelDep,
    sound: SoundId,
    request: Request,
    services: ServicesDep,
    format: FormatQuery = None,
    download: DownloadQuery = None,
    accept: Accept = None,
) -> Response:
    """The sound itself."""
    audio_type = audio_format(accept, format)
    tagged = download is not None or format is not None
    if sound in model.library.rows:
        data = await library_file(
            model, questions.LibraryFileQuery(sound, audio_type, tagged), request, services
        )
    else:
        data = await unless_abandoned(request, user_sound_file(model, sound, audio_type, tagged, services))
    return audio_reply(request, data, audio_type, cache=IMMUTABLE, download=download)


@router.get(
    "/{sound}/decoded",
    operation_id="get_sound_decoded",
    response_class=Response,
    responses=audio_of(404, 422, 503),
)
async def get_decoded(
    model: ModelDep,
    sound: SoundId,
    request: Request,
    services: ServicesDep,
    format: FormatQuery = None,
    download: DownloadQuery = None,
    v: Annotated[
        str | None, Query(description="The model's version: lets the reply be kept for good.")
    ] = None,
    accept: Accept = None,
) -> Response:
    """The sound decoded at a sound's latent point alone."""
    audio_type = audio_format(accept, format)
    data = await unless_abandoned(request, decoded(model, sound, audio_type, services))
    return audio_reply(
        request, data, audio_type, cache=IMMUTABLE if v == model.version else REVALIDATE, download=download
    )


@router.get("/{sound}/neighbours", operation_id="list_neighbours", responses=problems_of(404, 422, 503))
async def list_neighbours(
    model: ModelDep,
    sound: SoundId,
    request: Request,
    services: ServicesDep,
    count: Annotated[int, Query(ge=1, le=64, description="Number of sounds.")] = 8,
    distance: Annotated[
        choices.DistanceName | None,
        Query(
            description="`perceptual`: of what is heard in the two recordings. `geodesic`: length of the shortest path "
            "under the metric. `euclidean`: between the latent points. Left out: `perceptual`, or `geodesic` where a "
            "metric or a weight is named."
        ),
    ] = None,
    metric: Annotated[
        choices.MetricName | None,
        Query(description="Of geodesic distances; the pull-back where none is named."),
    ] = None,
    weight: WeightQuery = None,
) -> Neighbours:
    """The sounds that are nearest."""

    async def nearest() -> Neighbours:
        anchor = await anchor_of(model, sound, services)
        table = await services.user_sounds.table(model)
        query = questions.NeighbourQuery(anchor, count, distance, metric, weight, table.arrays)
        return await run_one(services.engine, NEIGHBOURS, model.name, query)

    return await unless_abandoned(request, nearest())


@router.get("/{sound}/distances", operation_id="list_distances", responses=problems_of(404, 422, 503))
async def list_distances(
    model: ModelDep, sound: SoundId, request: Request, services: ServicesDep
) -> Distances:
    """Perceptual distances to every sound: geodesics to all of them would take too long."""

    async def to_all() -> Distances:
        anchor = await anchor_of(model, sound, services)
        table = await services.user_sounds.table(model)
        return await run_one(
            services.engine, DISTANCES, model.name, questions.DistanceQuery(anchor, table.arrays)
        )

    return await unless_abandoned(request, to_all())


async def library_file(
    model: facts.ModelFacts, query: questions.LibraryFileQuery, request: Request, services: Services
) -> bytes:
    """A library sound as a file, made once for as long as there is room for it in memory."""
    key = (model.name, model.version, query)
    data = services.library_files.get(key)
    if data is None:
        data = await unless_abandoned(request, run_one(services.engine, LIBRARY_FILE, model.name, query))
        services.library_files.put(key, data)
    return data


async def user_sound_file(
    model: facts.ModelFacts, sound: str, format: AudioFormat, tagged: bool, services: Services
) -> bytes:
    """A user sound as a file. They are stored without tags; ``tagged``: what is saved has them."""
    stored = await services.user_sounds.stored(model, sound)
    data = await services.user_sounds.audio(stored)
    if format == "flac" and not tagged:
        return data
    about = of_recording(model.name, model.release, Source(stored.name, origin=stored.origin))
    return await run_one(services.engine, CONVERT, None, questions.ConversionQuery(data, format, about))


async def decoded(model: facts.ModelFacts, sound: str, format: AudioFormat, services: Services) -> bytes:
    """A sound as the model decodes it, as a file."""

    async def render() -> answers.Recording:
        row = model.library.rows.get(sound)
        z = (await services.user_sounds.find(model, sound)).z if row is None else model.library.z[row]
        query = questions.DecodeQuery(questions.Anchor(point=tuple(row_of(z))))
        return (await run_one(services.engine, DECODE, model.name, query)).recording

    return await services.recordings.get_or_render(
        ("decoded", model.name, model.version, sound), format, render
    )


async def anchor_of(model: facts.ModelFacts, sound: str, services: Services) -> questions.Anchor:
    """A sound by its id, the library's or the user's own. Raises SoundNotFound."""
    if sound in model.library.rows:
        return questions.Anchor(sound=sound)
    return questions.Anchor(
        user_sound=await services.user_sounds.plain(await services.user_sounds.find(model, sound))
    )


def refuse_library_sound(model: facts.ModelFacts, sound: str) -> None:
    if sound in model.library.rows:
        raise problems.Problem(
            403,
            "sound_not_yours",
            "Not your sound",
            f"{sound} comes with the model {model.name!r}; only sounds that you kept or uploaded can be changed or "
            "deleted.",
        )
