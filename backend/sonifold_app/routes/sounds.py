"""The library of a model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from sonifold import errors
from sonifold_app import problems
from sonifold_app.documents import audio_of, problems_of
from sonifold_app.engine.base import (
    Anchor,
    AudioFormat,
    DistanceName,
    MetricName,
    ModelFacts,
    NeighbourQuery,
)
from sonifold_app.negotiation import audio_format
from sonifold_app.replies import IMMUTABLE, REVALIDATE, audio_reply, bytes_reply
from sonifold_app.schemas.common import MAX_WEIGHT, row_of
from sonifold_app.schemas.sounds import Distances, Neighbour, Neighbours, Sound, Sounds
from sonifold_app.services import ModelDep, Services, ServicesDep

router = APIRouter(prefix="/models/{model}/sounds", tags=["sounds"])

SoundId = Annotated[str, Path(max_length=64, description="The sound's id.", examples=["5f2b8c1e9a07"])]
FormatQuery = Annotated[AudioFormat | None, Query(description="The format to send; goes before Accept.")]
DownloadQuery = Annotated[str | None, Query(max_length=200, description="Save under this name.")]
WeightQuery = Annotated[
    float | None,
    Query(ge=0, le=MAX_WEIGHT, allow_inf_nan=False, description="Of the blend; by default the model's own."),
]
Accept = Annotated[str | None, Header(description="`audio/wav` (preferred), `audio/flac`, `audio/ogg`.")]


@router.get(
    "",
    operation_id="list_sounds",
    response_model=Sounds,
    responses={304: {"description": "The client has it"}, **problems_of(404, 422, 503)},
)
async def list_sounds(model: ModelDep, request: Request, services: ServicesDep) -> Response:
    """The whole library, column by column, with map positions."""
    body = services.document(model, "sounds", lambda: Sounds.of(model.library))
    return bytes_reply(request, body, "application/json", cache=REVALIDATE)


@router.get("/{sound}", operation_id="get_sound", responses=problems_of(404, 422, 503))
async def get_sound(model: ModelDep, sound: SoundId, request: Request) -> Sound:
    """One sound: where it lies, where it comes from, where to hear it."""
    return Sound.of(model, row_in(model, sound), request.url.path)


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
    row_in(model, sound)
    chosen = audio_format(accept, format)
    original = await services.engine.original(model.name, sound)
    data = (
        original.data if original.format == chosen else await services.engine.convert(original.data, chosen)
    )
    return audio_reply(request, data, chosen, cache=IMMUTABLE, download=download)


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
    """What the model makes of the sound's latent point alone."""
    row = row_in(model, sound)
    chosen = audio_format(accept, format)
    data = await services.recordings.get(await decoded_sha256(model, row, services), chosen)
    if data is None:
        raise problems.internal_error()
    return audio_reply(
        request, data, chosen, cache=IMMUTABLE if v == model.version else REVALIDATE, download=download
    )


@router.get("/{sound}/neighbours", operation_id="list_neighbours", responses=problems_of(404, 422, 503))
async def list_neighbours(
    model: ModelDep,
    sound: SoundId,
    services: ServicesDep,
    count: Annotated[int, Query(ge=1, le=64, description="How many.")] = 8,
    distance: Annotated[
        DistanceName,
        Query(
            description="`perceptual`: to the ear. `geodesic`: length of the shortest way under the metric. "
            "`euclidean`: between the latent points."
        ),
    ] = "perceptual",
    metric: Annotated[MetricName, Query(description="Of the geodesics.")] = "blend",
    weight: WeightQuery = None,
) -> Neighbours:
    """The sounds that are nearest."""
    row_in(model, sound)
    query = NeighbourQuery(Anchor(sound=sound), count, distance, metric, weight)
    found = await services.engine.neighbours(model.name, query)
    return Neighbours(
        unit=model.unit if distance == "perceptual" else None,
        distance=distance,
        neighbours=[Neighbour.of(one) for one in found],
    )


@router.get("/{sound}/distances", operation_id="list_distances", responses=problems_of(404, 422, 503))
async def list_distances(model: ModelDep, sound: SoundId, services: ServicesDep) -> Distances:
    """How far every sound of the library is, to the ear."""
    row_in(model, sound)
    return Distances(unit=model.unit, distance=row_of(await services.engine.distances(model.name, sound)))


async def decoded_sha256(model: ModelFacts, row: int, services: Services) -> str:
    """Where a decoded library sound is kept; decodes it if it is not."""
    key = ("decoded", model.name, model.version, model.library.ids[row])
    kept = await run_in_threadpool(services.memo.get, *key)
    if kept is not None and kept in services.recordings:
        return kept
    z = tuple(row_of(model.library.z[row]))
    (decoded,) = await services.engine.decode(model.name, [Anchor(point=z)])
    sha256 = await services.recordings.keep(decoded.recording)
    await run_in_threadpool(services.memo.put, key, sha256)
    return sha256


def row_in(model: ModelFacts, sound: str) -> int:
    """The row of a sound. Raises SoundNotFound."""
    try:
        return model.library.ids.index(sound)
    except ValueError:
        raise errors.SoundNotFound(
            f"no sound {sound!r} in {model.name!r}; GET /api/v1/models/{model.name}/sounds lists the "
            f"{len(model.library.ids)} there are."
        ) from None
