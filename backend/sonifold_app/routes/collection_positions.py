"""The collection on the map: where its sounds are, which of them fit a search, and those that were selected."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from sonifold_app.collection.positions import MEDIA_TYPE, Columns
from sonifold_app.collection.query import read_query
from sonifold_app.collection.search import Match, Page
from sonifold_app.http.openapi import NOT_MODIFIED, file_replies, problems_of
from sonifold_app.http.replies import REVALIDATE, bytes_reply
from sonifold_app.routes.collection import SearchText
from sonifold_app.routes.services import ModelDep, ServicesDep
from sonifold_app.schemas.collection import MAX_ID, MAX_PAGE, CollectionSounds

router = APIRouter(prefix="/models/{model}/collection", tags=["collection"])
sounds = APIRouter(prefix="/collection", tags=["collection"])

NUMBERS = "application/octet-stream"
POSITIONS = {
    **file_replies(
        "A little-endian uint32, that many bytes of JSON (`version`, `whole`, `count`, `extent`, "
        "`families`, `folders`, `columns`, `growing`), and the columns one after another, `count` numbers each: "
        "`id` uint32, rising; `x` and `y` uint16, in 65535ths of the extent `[x0, x1, y0, y1]`; `family` and `folder` "
        "uint8, indices (254: another; a `family` of 255: the sound is no more); `brightness` uint8, in 255ths. "
        "All little-endian, 11 bytes a sound.",
        MEDIA_TYPE,
    ),
    **NOT_MODIFIED,
}
IDS = {
    **file_replies("The ids, rising, as little-endian uint32 one after another", NUMBERS),
    **NOT_MODIFIED,
}


@router.get(
    "/positions",
    operation_id="get_collection_positions",
    response_class=Response,
    responses={**POSITIONS, **problems_of(404, 416, 422, 503)},
)
async def get_positions(
    model: ModelDep,
    request: Request,
    services: ServicesDep,
    after: Annotated[
        str | None,
        Query(
            max_length=40,
            description="A version that an earlier reply named: only what changed after it is sent, and `whole` is "
            "false. All is sent where the server does not know the version.",
        ),
    ] = None,
) -> Response:
    """Where the sounds of the collection are on a model's map, for hundreds of thousands of them at once."""

    def body() -> bytes:
        positions = services.collection_maps.positions(model)
        if positions is None:
            return Columns.none(model.atlas.extent).encoded(growing=False)
        return positions.after(after).encoded(growing=services.collection_maps.growing)

    return bytes_reply(request, await run_in_threadpool(body), MEDIA_TYPE, cache=REVALIDATE)


@sounds.get(
    "/matches",
    operation_id="list_collection_matches",
    response_class=Response,
    responses={**IDS, **problems_of(416, 422, 503)},
)
async def list_matches(request: Request, services: ServicesDep, q: SearchText = "") -> Response:
    """The ids of all sounds that fit a search."""
    query, collection = read_query(q), services.collection
    ids = await run_in_threadpool(collection.search.ids, query) if collection.exists else []
    return bytes_reply(request, np.array(ids, "<u4").tobytes(), NUMBERS, cache=REVALIDATE)


@sounds.get("/selection", operation_id="list_collection_selection", responses=problems_of(422, 503))
async def list_selection(
    services: ServicesDep,
    ids: Annotated[
        str,
        Query(
            max_length=MAX_PAGE * 17,
            pattern=r"^(\d{1,16}(,\d{1,16})*)?$",
            description=f"Ids with commas between, {MAX_PAGE} at most.",
            examples=["17,18"],
        ),
    ] = "",
) -> CollectionSounds:
    """Some sounds of the collection by their ids, in that order; ids that there are not are left out."""
    wanted = [id for id in map(int, filter(None, ids.split(","))) if id <= MAX_ID][:MAX_PAGE]

    def look_up() -> CollectionSounds:
        rows = services.collection.search.by_ids(wanted) if services.collection.exists else {}
        matches = [Match(rows[id]) for id in wanted if id in rows]
        return CollectionSounds.of(Page(matches, False), 0, len(matches))

    return await run_in_threadpool(look_up)
