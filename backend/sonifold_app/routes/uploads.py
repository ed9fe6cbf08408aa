"""The user's own recordings: split, chosen from, kept, looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold.audio.formats import AudioFormat
from sonifold_app import urls
from sonifold_app.engine.answers import Recording, Rendered, SplitFacts, fields_of
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import CUT, PREPARE_SOUND, SPLIT
from sonifold_app.engine.operations.recordings import stem_of
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import Anchor, CutQuery, SplitQuery, Upload
from sonifold_app.http.limits import JSON_BYTES
from sonifold_app.http.negotiation import audio_format
from sonifold_app.http.openapi import audio_of, problems_of
from sonifold_app.http.problems import Problem, upload_too_large
from sonifold_app.http.replies import REVALIDATE, audio_reply
from sonifold_app.routes.forms import FILES_FORM, files_of, media_type, require_form, uploads_of
from sonifold_app.routes.params import Accept, FormatQuery
from sonifold_app.routes.refusals import RequestItem, outcomes, sort
from sonifold_app.routes.services import ModelDep, Services, ServicesDep, in_line, unless_abandoned
from sonifold_app.schemas.problems import Refused
from sonifold_app.schemas.sounds import AddRequest, Sound
from sonifold_app.schemas.uploads import (
    AddedSounds,
    CheckReply,
    CheckRequest,
    ChoiceRequest,
    ChosenSound,
    UploadedFile,
    UploadReply,
    WaitingUploads,
)
from sonifold_app.store.sounds import NewSound, UserSound
from sonifold_app.store.uploads import WaitingFile, WaitingUpload
from sonifold_app.user.sounds import in_order

router = APIRouter(prefix="/models/{model}", tags=["uploads"])

UploadId = Annotated[str, Path(max_length=64, description="The upload's id.", examples=["9c56cc51b374c3ba"])]
Threshold = Annotated[
    float | None,
    Query(ge=0.01, le=2, allow_inf_nan=False, description="Of an onset; lower finds more. By default 0.05."),
]


@router.post(
    "/sounds",
    operation_id="keep_sounds",
    status_code=201,
    response_model=Sound | AddedSounds,
    responses=problems_of(404, 413, 415, 422, 503, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/AddRequest"}},
                **FILES_FORM["content"],
            },
        }
    },
)
async def keep_sounds(
    model: ModelDep, request: Request, response: Response, services: ServicesDep
) -> Sound | AddedSounds:
    """Keep sounds of your own: what the model makes of a latent point (JSON), or each file of a form (multipart)."""
    if media_type(request) == "multipart/form-data":
        return await keep_files(model, request, services)
    sound = await keep_point(model, await keep_request(request), request, services)
    response.headers["Location"] = sound.audio_url.removesuffix("/audio")
    return sound


async def keep_request(request: Request) -> AddRequest:
    """The body of a request to keep a point. Raises 413, 415, 422 as FastAPI would have it."""
    if media_type(request) not in ("application/json", ""):
        raise Problem(
            415,
            "media_type_unsupported",
            "Neither JSON nor a form with files",
            f"The request is {media_type(request)[:100]!r}; send a point as application/json, or sound files as "
            "multipart/form-data in fields named 'files'.",
        )
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > JSON_BYTES:
            raise upload_too_large(JSON_BYTES)
    try:
        return AddRequest.model_validate_json(body.strip() or b"null")
    except ValidationError as error:
        details = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(details) from error


async def keep_point(model: ModelFacts, body: AddRequest, request: Request, services: Services) -> Sound:
    """Keep what the model makes of a latent point."""
    point = Anchor(point=tuple(body.point))
    (prepared,) = await unless_abandoned(request, services.engine.run(PREPARE_SOUND, model.name, [point]))
    if model.home != model.name:  # kept with the base, which has it somewhere else
        uploads = [Upload(body.name, prepared.audio)]
        (prepared,) = await unless_abandoned(request, services.engine.run(PREPARE_SOUND, model.home, uploads))
    source = {"point": body.point, **body.made_with}
    (sound,) = await services.user_sounds.add(model, [NewSound("made", body.name, prepared, source)])
    return presented(model, [sound]).sounds[0]


@router.post(
    "/uploads",
    operation_id="create_upload",
    status_code=201,
    responses=problems_of(404, 413, 415, 422, 503, 507),
    openapi_extra={"requestBody": FILES_FORM},
)
async def create_upload(
    model: ModelDep, request: Request, response: Response, services: ServicesDep, threshold: Threshold = None
) -> UploadReply:
    """Recordings that may be long: where the sounds in them begin and end. Nothing is kept until it is chosen."""
    require_form(request)
    async with files_of(request) as files, in_line(services.uploads, request):
        items, uploads, skipped = await uploads_of(files, services.decoding)
        await services.user_sounds.require_waiting_room(sum(len(upload.data) for upload in uploads))
        results = sort(
            items, await unless_abandoned(request, split_all(services, uploads, threshold)), skipped
        )
        data = {item.file: upload.data for item, upload in zip(items, uploads, strict=True)}
        waiting = await services.user_sounds.wait(
            model, [(item.name, data[item.file], split.facts.seconds) for item, split in results.taken]
        )
    response.headers["Location"] = urls.upload(model.name, waiting.id)
    return await proposed(model, services, waiting, [split for _, split in results.taken], results.refused)


@router.get("/uploads", operation_id="list_uploads", responses=problems_of(404, 422, 503))
async def list_uploads(model: ModelDep, services: ServicesDep) -> WaitingUploads:
    """The uploads that wait for their sounds to be chosen, oldest first."""
    return WaitingUploads.of(await services.user_sounds.all_waiting(model))


@router.get("/uploads/{upload}", operation_id="get_upload", responses=problems_of(404, 422, 503))
async def get_upload(
    model: ModelDep, upload: UploadId, request: Request, services: ServicesDep, threshold: Threshold = None
) -> UploadReply:
    """The sounds found in an upload, again, or by another threshold."""
    waiting = await services.user_sounds.waiting(model, upload)
    async with in_line(services.uploads, request):
        files = [await services.user_sounds.waiting_file(waiting, file) for file in waiting.files]
        split = all_or_raise(await unless_abandoned(request, split_all(services, files, threshold)))
    return await proposed(model, services, waiting, split)


@router.delete(
    "/uploads/{upload}", operation_id="delete_upload", status_code=204, responses=problems_of(404, 422, 503)
)
async def delete_upload(model: ModelDep, upload: UploadId, services: ServicesDep) -> None:
    """Forget an upload. The sounds that were chosen from it stay."""
    await services.user_sounds.forget(model, upload)


@router.get(
    "/uploads/{upload}/files/{file}/audio",
    operation_id="get_upload_audio",
    response_class=Response,
    responses=audio_of(404, 422, 503),
)
async def get_upload_audio(
    model: ModelDep,
    upload: UploadId,
    file: Annotated[int, Path(ge=0, lt=1000, description="Number of the file in it, from 0.")],
    request: Request,
    services: ServicesDep,
    format: FormatQuery = None,
    accept: Accept = None,
) -> Response:
    """A recording in mono, to listen to."""
    audio_type = audio_format(accept, format)
    waiting = await services.user_sounds.waiting(model, upload)
    data = await unless_abandoned(
        request, listening_copy(services, waiting, file_in(waiting, file), audio_type)
    )
    return audio_reply(request, data, audio_type, cache=REVALIDATE)


@router.post(
    "/uploads/{upload}/sounds",
    operation_id="choose_sounds",
    status_code=201,
    responses=problems_of(404, 413, 422, 503, 507),
)
async def choose_sounds(
    model: ModelDep, upload: UploadId, body: ChoiceRequest, request: Request, services: ServicesDep
) -> AddedSounds:
    """Keep sounds of an upload, as proposed or as corrected: each placed on the map, playable and morphable at once.

    Those that cannot be used are named in ``refused``; the others are kept.
    """
    waiting = await services.user_sounds.waiting(model, upload)
    items = [RequestItem(sound.file, sound.name, row) for row, sound in enumerate(body.sounds)]
    outside = [
        refused
        for item, sound in zip(items, body.sounds, strict=True)
        for refused in beyond(waiting, item, sound)
    ]
    within = [item for item in items if item.sound not in {refusal.sound for refusal in outside}]
    cuts = [body.sounds[item.sound or 0] for item in within]
    async with in_line(services.uploads, request):
        pieces = await unless_abandoned(request, cut_all(services, waiting, cuts))
    sources = [
        {"file": waiting.files[sound.file].name, "start": sound.start, "end": sound.end} for sound in cuts
    ]
    return await keep_uploads(model, services, request, within, pieces, sources, outside)


def beyond(waiting: WaitingUpload, item: RequestItem, cut: ChosenSound) -> list[Refused]:
    """What is said of a part that is not within its recording, if it is not. Raises 404 for an unknown file."""
    seconds = file_in(waiting, cut.file).seconds
    if cut.start < seconds and cut.end <= seconds + 0.01:
        return []
    text = (
        f"sounds[{item.sound}] is from {cut.start:.2f} to {cut.end:.2f} s, but {waiting.files[cut.file].name} is "
        f"{seconds:.2f} s long. Cut within it."
    )
    return [item.refused("cut_invalid", text)]


@router.post(
    "/checks",
    operation_id="create_check",
    response_model=CheckReply,
    responses=problems_of(404, 413, 422, 503),
)
async def create_check(
    model: ModelDep, body: CheckRequest, request: Request, services: ServicesDep
) -> Response:
    """Checks of user sounds before training: clipping, duplicates, pitch, distance to the library."""
    user_sounds = (await unless_abandoned(request, services.user_sounds.table(model))).sounds
    if body.sounds is None:
        sounds: Sequence[UserSound] = [sound for sound in user_sounds if sound.kind == "uploaded"]
    else:
        sounds = in_order(model, list(dict.fromkeys(body.sounds)), {sound.id: sound for sound in user_sounds})
    repeats = await unless_abandoned(request, services.user_sounds.repeats.among(sounds))
    reply = await run_in_threadpool(
        lambda: CheckReply.of(sounds, repeats, model.unit).model_dump_json().encode()
    )
    return Response(reply, media_type="application/json")


async def keep_files(model: ModelFacts, request: Request, services: Services) -> AddedSounds:
    """Keep each file of a form as one sound."""
    require_form(request)
    async with files_of(request) as files, in_line(services.uploads, request):
        items, uploads, skipped = await uploads_of(files, services.decoding)
        sources = [{"file": item.name} for item in items]
        return await keep_uploads(model, services, request, items, uploads, sources, skipped)


async def keep_uploads(
    model: ModelFacts,
    services: Services,
    request: Request,
    items: Sequence[RequestItem],
    uploads: Sequence[Upload],
    sources: Sequence[dict[str, Any]],
    skipped: Sequence[Refused] = (),
) -> AddedSounds:
    """Analyse, place and keep those sounds that can be used. Raises a 422 where none can."""
    work = outcomes([services.engine.run(PREPARE_SOUND, model.home, [upload]) for upload in uploads])
    prepared = await unless_abandoned(request, work)
    new: list[NewSound | errors.SonifoldError] = [
        outcome
        if isinstance(outcome, errors.SonifoldError)
        else NewSound(
            "uploaded", item.name if item.sound is not None else stem_of(item.name), outcome[0], source
        )
        for item, outcome, source in zip(items, prepared, sources, strict=True)
    ]
    results = sort(items, new, skipped)
    sounds = await services.user_sounds.add(model, [sound for _, sound in results.taken])
    return presented(model, sounds, results.refused)


def presented(model: ModelFacts, sounds: Sequence[UserSound], refused: Sequence[Refused] = ()) -> AddedSounds:
    return AddedSounds(
        sounds=[Sound.of_user_sound(model, sound, urls.sound(model.name, sound.id)) for sound in sounds],
        refused=list(refused),
    )


async def split_all(
    services: Services, uploads: Sequence[Upload], threshold: float | None
) -> list[Rendered[SplitFacts] | errors.SonifoldError]:
    """Split recordings; two at a time, since each may take a hundred megabytes."""
    results: list[Rendered[SplitFacts] | errors.SonifoldError] = []
    for pair in (uploads[i : i + 2] for i in range(0, len(uploads), 2)):
        work: list[Awaitable[Rendered[SplitFacts]]] = [
            run_one(services.engine, SPLIT, None, SplitQuery(upload, threshold)) for upload in pair
        ]
        results += await outcomes(work)
    return results


def all_or_raise(
    results: Sequence[Rendered[SplitFacts] | errors.SonifoldError],
) -> list[Rendered[SplitFacts]]:
    """All of them. Raises the first that is an error."""
    for result in results:
        if isinstance(result, errors.SonifoldError):
            raise result
    return [result for result in results if not isinstance(result, errors.SonifoldError)]


async def proposed(
    model: ModelFacts,
    services: Services,
    waiting: WaitingUpload,
    split: Sequence[Rendered[SplitFacts]],
    refused: Sequence[Refused] = (),
) -> UploadReply:
    """An upload with what was found in it; what the user will listen to is kept ready."""
    for file, recording in zip(waiting.files, split, strict=True):
        await services.recordings.keep_if_possible(recording.recording, ("listen", file.audio))
    url = urls.upload(model.name, waiting.id)
    return UploadReply(
        id=waiting.id,
        expires=waiting.expires,
        files=[
            UploadedFile.model_construct(
                audio_url=f"{url}/files/{number}/audio", **fields_of(recording.facts)
            )
            for number, recording in enumerate(split)
        ],
        refused=list(refused),
    )


async def listening_copy(
    services: Services, waiting: WaitingUpload, file: WaitingFile, format: AudioFormat
) -> bytes:
    """A recording's mono copy as a file of that format."""

    async def make() -> Recording:
        async with services.uploads:
            upload = await services.user_sounds.waiting_file(waiting, file)
            return (await run_one(services.engine, SPLIT, None, SplitQuery(upload, None))).recording

    return await services.recordings.get_or_render(("listen", file.audio), format, make)


async def cut_all(services: Services, waiting: WaitingUpload, cuts: Sequence[ChosenSound]) -> list[Upload]:
    """The chosen parts, each a file of its own, in the order of the choice."""
    pieces: dict[int, Upload] = {}
    for number, file in enumerate(waiting.files):
        rows = [row for row, sound in enumerate(cuts) if sound.file == number]
        if rows:
            upload = await services.user_sounds.waiting_file(waiting, file)
            spans = tuple((cuts[row].start, cuts[row].end) for row in rows)
            parts = await run_one(services.engine, CUT, None, CutQuery(upload, spans))
            for row, data in zip(rows, parts.sounds, strict=True):
                pieces[row] = Upload(cuts[row].name, data, parts.caveats)
    return [pieces[row] for row in range(len(cuts))]


def file_in(waiting: WaitingUpload, number: int) -> WaitingFile:
    """One of an upload's files. Raises 404."""
    if number >= len(waiting.files):
        raise Problem(
            404,
            "upload_not_found",
            "No such file",
            f"the upload {waiting.id} has {len(waiting.files)} files, numbered from 0; {number} is none of them.",
        )
    return waiting.files[number]
