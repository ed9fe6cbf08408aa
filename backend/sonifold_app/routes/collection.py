"""The user's collection: folders of the server's machine taken in, searched, heard, and used in a model."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, StreamingResponse

from sonifold.audio.limits import MAX_SECONDS
from sonifold_app import urls
from sonifold_app.collection.playing import WavStream, beginning_as_wav, media_type
from sonifold_app.collection.query import Query as SearchQuery
from sonifold_app.collection.query import read_query
from sonifold_app.collection.runs import Wish
from sonifold_app.collection.search import Match
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.questions import Upload
from sonifold_app.http.openapi import file_replies, problems_of
from sonifold_app.http.replies import REVALIDATE
from sonifold_app.routes.refusals import RequestItem
from sonifold_app.routes.services import (
    CatalogueDep,
    ModelDep,
    Services,
    ServicesDep,
    in_line,
    unless_abandoned,
)
from sonifold_app.routes.uploads import keep_uploads, presented
from sonifold_app.schemas.collection import (
    MAX_ID,
    MAX_OFFSET,
    MAX_PAGE,
    MAX_QUERY,
    CollectionFolder,
    CollectionReply,
    CollectionSound,
    CollectionSounds,
    FolderChange,
    Ingest,
    IngestRequest,
    Ingests,
)
from sonifold_app.schemas.sounds import Sound

router = APIRouter(prefix="/collection", tags=["collection"])
uses = APIRouter(prefix="/models/{model}/collection", tags=["collection"])

IngestId = Annotated[int, Path(ge=1, le=MAX_ID, description="The ingest's id.", examples=[1])]
FolderId = Annotated[
    int, Path(ge=1, le=MAX_ID, description="The id of a folder that was taken in.", examples=[1])
]
CollectionSoundId = Annotated[
    int, Path(ge=1, le=MAX_ID, description="The id of a sound in the collection.", examples=[17])
]
SearchText = Annotated[
    str,
    Query(
        max_length=MAX_QUERY,
        description='Words, `-without`, `"phrases"` and fields: `kick -loop family:kick length:<0.5 pitch:C2..C3 '
        "folder:tape is:unreadable`. Nothing: all sounds.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Sounds at most.")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Sounds that are passed over.")]
AUDIO = file_replies("The whole recording", "audio/*")


@router.get("", operation_id="get_collection", responses=problems_of(503))
async def get_collection(services: ServicesDep) -> CollectionReply:
    """The folders that were taken in, which ones may be, and how the latest ingest stands."""
    collection = services.collection
    folders = await run_in_threadpool(collection.folders)
    runs = await run_in_threadpool(collection.all_runs)
    within = collection.allowed.within
    return CollectionReply(
        folders=[CollectionFolder.of(facts) for facts in folders],
        within=None if within is None else list(map(str, within)),
        ingest=Ingest.of(runs[0]) if runs else None,
    )


@router.patch(
    "/folders/{root}",
    operation_id="change_collection_folder",
    responses=problems_of(403, 404, 413, 422, 503, 507),
)
async def change_folder(root: FolderId, body: FolderChange, services: ServicesDep) -> CollectionFolder:
    """Have what changes in a folder taken in, or no longer: what is new or other, moved or gone."""
    return CollectionFolder.of(await run_in_threadpool(services.collection.follow, root, body.followed))


@router.post(
    "/ingests",
    operation_id="create_ingest",
    status_code=202,
    responses=problems_of(403, 404, 409, 413, 422, 503),
)
async def create_ingest(
    body: IngestRequest, response: Response, catalogue: CatalogueDep, services: ServicesDep
) -> Ingest:
    """Take folders of the server's machine in. Nothing in them is changed or copied; it goes on behind, and after a
    restart.
    """
    model = catalogue.find(body.model).home if body.phase == "all" else None
    run = await run_in_threadpool(services.collection.ingest, body.folders, model)
    response.headers["Location"] = urls.ingest(run.id)
    return Ingest.of(run)


@router.get("/ingests", operation_id="list_ingests", responses=problems_of(503))
async def list_ingests(services: ServicesDep) -> Ingests:
    """The last fifty ingests, latest first."""
    return Ingests(ingests=[Ingest.of(run) for run in await run_in_threadpool(services.collection.all_runs)])


@router.get("/ingests/{ingest}", operation_id="get_ingest", responses=problems_of(404, 422, 503))
async def get_ingest(ingest: IngestId, services: ServicesDep) -> Ingest:
    """How far an ingest is."""
    return Ingest.of(await run_in_threadpool(services.collection.run, ingest))


@router.post(
    "/ingests/{ingest}/pause",
    operation_id="pause_ingest",
    status_code=202,
    responses=problems_of(404, 422, 503),
)
async def pause_ingest(ingest: IngestId, services: ServicesDep) -> Ingest:
    """Let an ingest rest. One that is over stays as it is."""
    return await wanted(services, ingest, Wish.PAUSE)


@router.post(
    "/ingests/{ingest}/resumption",
    operation_id="resume_ingest",
    status_code=202,
    responses=problems_of(404, 422, 503),
)
async def resume_ingest(ingest: IngestId, services: ServicesDep) -> Ingest:
    """Let an ingest that rests go on. To go on with one that was interrupted, create another."""
    return await wanted(services, ingest, Wish.RESUME)


@router.post(
    "/ingests/{ingest}/cancellation",
    operation_id="cancel_ingest",
    status_code=202,
    responses=problems_of(404, 422, 503),
)
async def cancel_ingest(ingest: IngestId, services: ServicesDep) -> Ingest:
    """Stop an ingest. What was taken in until then stays."""
    return await wanted(services, ingest, Wish.CANCEL)


@router.get("/sounds", operation_id="search_collection", responses=problems_of(422, 503))
async def search_collection(
    services: ServicesDep, q: SearchText = "", limit: Limit = 50, offset: Offset = 0
) -> CollectionSounds:
    """Sounds of the collection that fit a search, the best first; also those that could not be read, and why."""
    query, collection = read_query(q), services.collection

    def search() -> CollectionSounds:
        if not collection.exists:
            return CollectionSounds(sounds=[], count=0, offset=offset, more=False)
        page = collection.search.find(query, limit, offset)
        return CollectionSounds.of(page, offset, collection.search.count(query))

    return await run_in_threadpool(search)


@router.get(
    "/sounds/{collection_sound}", operation_id="get_collection_sound", responses=problems_of(404, 422, 503)
)
async def get_collection_sound(collection_sound: CollectionSoundId, services: ServicesDep) -> CollectionSound:
    """One sound of the collection."""
    return CollectionSound.of(Match(await run_in_threadpool(services.collection.sound, collection_sound)))


@router.get(
    "/sounds/{collection_sound}/neighbours",
    operation_id="list_collection_neighbours",
    responses=problems_of(404, 409, 422, 503),
)
async def list_neighbours(
    collection_sound: CollectionSoundId,
    services: ServicesDep,
    q: SearchText = "",
    limit: Limit = 10,
    offset: Annotated[int, Query(ge=0, le=1000, description="Sounds that are passed over.")] = 0,
) -> CollectionSounds:
    """The sounds of the collection that are most like one of them, nearest first; every one is compared."""
    query: SearchQuery = read_query(q)
    page = await run_in_threadpool(services.collection.near, collection_sound, query, limit, offset)
    return CollectionSounds.of(page, offset)


@router.get(
    "/sounds/{collection_sound}/duplicates",
    operation_id="list_collection_duplicates",
    responses=problems_of(404, 409, 422, 503),
)
async def list_duplicates(collection_sound: CollectionSoundId, services: ServicesDep) -> CollectionSounds:
    """The sounds that are the same to the ear as one of them: copies, and nearly the same ones, nearest first. A
    thousand at most.
    """
    page = await run_in_threadpool(services.collection.duplicates, collection_sound)
    return CollectionSounds.of(page, 0, len(page.matches))


@router.get(
    "/sounds/{collection_sound}/audio",
    operation_id="get_collection_audio",
    response_class=Response,
    responses={**AUDIO, **problems_of(404, 416, 422, 503)},
)
async def get_audio(
    collection_sound: CollectionSoundId,
    services: ServicesDep,
    format: Annotated[
        Literal["wav"] | None,
        Query(description="`wav`: a WAV in any case; by default the file itself where browsers play it."),
    ] = None,
) -> Response:
    """The whole recording, with all its channels."""
    path = await run_in_threadpool(services.collection.file, collection_sound)
    media = media_type(str(path))
    if format is None and media is not None:
        return FileResponse(path, media_type=media, headers={"Cache-Control": REVALIDATE})
    wav = await run_in_threadpool(WavStream, path)
    headers = {"Cache-Control": REVALIDATE, "Content-Length": str(len(wav))}
    return StreamingResponse(iter(wav), media_type="audio/wav", headers=headers)


@uses.post(
    "/{collection_sound}",
    operation_id="use_collection_sound",
    status_code=201,
    responses=problems_of(404, 422, 503, 507),
)
async def use_sound(
    model: ModelDep,
    collection_sound: CollectionSoundId,
    request: Request,
    response: Response,
    services: ServicesDep,
) -> Sound:
    """Keep a sound of the collection as one of your own in a model, to morph with. One that is there already is
    returned as it is.
    """
    sound = await run_in_threadpool(services.collection.sound, collection_sound)
    user_sound = await user_sound_of(model, sound, request, services)
    response.headers["Location"] = user_sound.audio_url.removesuffix("/audio")
    return user_sound


async def user_sound_of(
    model: ModelFacts, sound: dict[str, Any], request: Request, services: Services
) -> Sound:
    """The user sound that a sound of the collection is in a model; made where there is none."""
    source = {"file": sound["name"], "collection": sound["id"], "sha256": sound["sha256"]}
    table = await unless_abandoned(request, services.user_sounds.table(model))
    for user_sound in table.sounds:
        if sound["sha256"] is not None and source.items() <= dict(user_sound.source).items():
            return presented(model, [user_sound]).sounds[0]
    path = await run_in_threadpool(services.collection.file, sound["id"])
    async with in_line(services.uploads, request):
        data = await run_in_threadpool(
            file_or_beginning, path, sound["seconds"], services.settings.upload_bytes
        )
        uploads, items = [Upload(sound["name"], data)], [RequestItem(0, sound["name"])]
        added = await keep_uploads(model, services, request, items, uploads, [source])
    return added.sounds[0]


def file_or_beginning(path: FilePath, seconds: float | None, most: int) -> bytes:
    """A file's bytes, or its first seconds where it is longer than a sound may be. Raises AudioUnreadable."""
    if seconds is not None and seconds <= MAX_SECONDS and path.stat().st_size <= most:
        return path.read_bytes()
    return beginning_as_wav(path, MAX_SECONDS)


async def wanted(services: Services, id: int, wish: Wish) -> Ingest:
    return Ingest.of(await run_in_threadpool(services.collection.want, id, wish))
