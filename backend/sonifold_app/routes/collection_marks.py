"""What a user says of sounds of the collection: favourites, ratings, notes, and collections with names."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.concurrency import run_in_threadpool

from sonifold_app import urls
from sonifold_app.collection.search import Match
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.collection import CollectionSoundId
from sonifold_app.routes.services import Services, ServicesDep
from sonifold_app.schemas.collection import MAX_ID, CollectionSound
from sonifold_app.schemas.collection_marks import (
    MarkChange,
    Members,
    NamedCollectionChange,
    NamedCollectionReply,
    NamedCollectionRequest,
    NamedCollections,
)

router = APIRouter(prefix="/collection", tags=["collection"])

NamedCollectionId = Annotated[
    int, Path(ge=1, le=MAX_ID, description="The id of a named collection.", examples=[1])
]


@router.patch(
    "/sounds/{collection_sound}",
    operation_id="mark_collection_sound",
    responses=problems_of(404, 413, 422, 503, 507),
)
async def mark(
    collection_sound: CollectionSoundId, body: MarkChange, services: ServicesDep
) -> CollectionSound:
    """Say of a sound, and of all its copies, that it is a favourite, how good it is, or something in words."""
    sound = await run_in_threadpool(lambda: services.collection.mark(collection_sound, **body.values()))
    return CollectionSound.of(Match(sound))


@router.get("/named", operation_id="list_named_collections", responses=problems_of(503))
async def list_named(services: ServicesDep) -> NamedCollections:
    """Collections with names."""
    collections = await run_in_threadpool(services.collection.marks.all)
    return NamedCollections(collections=[NamedCollectionReply.of(each) for each in collections])


@router.post(
    "/named",
    operation_id="create_named_collection",
    status_code=201,
    responses=problems_of(409, 413, 422, 503, 507),
)
async def create(
    body: NamedCollectionRequest, response: Response, services: ServicesDep
) -> NamedCollectionReply:
    """Begin a collection with a name."""
    collection = await run_in_threadpool(services.collection.marks.create, body.name)
    response.headers["Location"] = urls.named_collection(collection.id)
    return NamedCollectionReply.of(collection)


@router.patch(
    "/named/{named}",
    operation_id="rename_named_collection",
    responses=problems_of(404, 409, 413, 422, 503, 507),
)
async def rename(
    named: NamedCollectionId, body: NamedCollectionChange, services: ServicesDep
) -> NamedCollectionReply:
    """Call it otherwise."""
    return NamedCollectionReply.of(
        await run_in_threadpool(services.collection.marks.rename, named, body.name)
    )


@router.delete(
    "/named/{named}",
    operation_id="remove_named_collection",
    status_code=204,
    responses=problems_of(404, 422, 503, 507),
)
async def remove(named: NamedCollectionId, services: ServicesDep) -> None:
    """Remove it; its sounds stay in the collection, and it can be restored."""
    await run_in_threadpool(services.collection.marks.remove, named)


@router.post(
    "/named/{named}/restoration",
    operation_id="restore_named_collection",
    responses=problems_of(404, 409, 422, 503, 507),
)
async def restore(named: NamedCollectionId, services: ServicesDep) -> NamedCollectionReply:
    """Bring back one that was removed, with all that was in it."""
    return NamedCollectionReply.of(await run_in_threadpool(services.collection.marks.restore, named))


@router.post(
    "/named/{named}/sounds",
    operation_id="add_to_named_collection",
    responses=problems_of(404, 409, 413, 422, 503, 507),
)
async def add(named: NamedCollectionId, body: Members, services: ServicesDep) -> NamedCollectionReply:
    """Have sounds in it. Those that are there stay."""
    hashes = await run_in_threadpool(hashes_of, services, body)
    return NamedCollectionReply.of(await run_in_threadpool(services.collection.marks.put, named, hashes))


@router.post(
    "/named/{named}/removals",
    operation_id="take_out_of_named_collection",
    responses=problems_of(404, 413, 422, 503, 507),
)
async def take_out(named: NamedCollectionId, body: Members, services: ServicesDep) -> NamedCollectionReply:
    """Have sounds no longer in it, nor their copies. To undo it, add them."""
    hashes = await run_in_threadpool(hashes_of, services, body)
    return NamedCollectionReply.of(await run_in_threadpool(services.collection.marks.take_out, named, hashes))


def hashes_of(services: Services, members: Members) -> list[str]:
    """Of the bytes of sounds. Raises CollectionSoundNotFound."""
    return [services.collection.hash(id) for id in dict.fromkeys(members.sounds)]
