"""The page: plain files from ``frontend/``, and plotly.js from the installed plotly wheel."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import importlib.util
import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from sonifold_app.http.replies import IMMUTABLE, REVALIDATE, matches
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.cache import ReplyCache
from sonifold_app.store.failures import StorageError

JAVASCRIPT = "text/javascript; charset=utf-8"
#: Without a version in its address, plotly.js is asked for again after a day, by its tag.
FOR_A_DAY = "private, max-age=86400"


def page_folder() -> Path:
    """Where the page's files are: inside the installed package, or beside ``backend/`` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed, checkout = package / "frontend", package.parents[1] / "frontend"
    return installed if installed.is_dir() else checkout


class Page:
    """Serves the page's files to whoever asks for what no route answers; browsers ask for changes each
    time.
    """

    def __init__(self, folder: Path) -> None:
        self._files = PageFiles(directory=folder, html=True) if folder.is_dir() else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._files is None or scope["path"].startswith("/api/") or "\0" in scope["path"]:
            raise HTTPException(404)
        await self._files(scope, receive, send)


class PageFiles(StaticFiles):
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = REVALIDATE
        return response


class Plotly:
    """plotly.js as the wheel ships it, and compressed: once for good, since that takes a while."""

    def __init__(self, blobs: Blobs, cache: ReplyCache) -> None:
        self._blobs = blobs
        self._cache = cache
        self._file = plotly_file()
        status = self._file.stat()
        self.version = f"{status.st_size:x}-{status.st_mtime_ns:x}"
        self._compressed: bytes | None = None
        self._lock = asyncio.Lock()

    async def plain(self) -> bytes:
        return await run_in_threadpool(self._file.read_bytes)

    async def compressed(self) -> bytes:
        async with self._lock:
            if self._compressed is None:
                self._compressed = await run_in_threadpool(self._compress)
            return self._compressed

    def _compress(self) -> bytes:
        key = ("plotly", str(self._file), self.version)
        data, sha256 = None, self._cache.get(*key)
        with contextlib.suppress(StorageError):
            data = self._blobs.get(sha256) if sha256 else None
        if data is None:
            data = gzip.compress(self._file.read_bytes(), compresslevel=6, mtime=0)
            with contextlib.suppress(StorageError):  # the page opens whatever the disk takes
                self._cache.put(key, self._blobs.put(data))
        return data


def plotly_file() -> Path:
    """Where the plotly wheel keeps plotly.js, found without importing plotly."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "plotly is not installed; `pip install plotly` brings the library that draws the map."
        )
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


router = APIRouter(include_in_schema=False)


@router.get("/vendor/plotly.min.js")
async def get_plotly(request: Request, v: Annotated[str | None, Query(max_length=64)] = None) -> Response:
    """The library that draws the map; with ``?v=`` in the address it may be kept for good."""
    plotly: Plotly = request.app.state.plotly
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{plotly.version}{"-gzip" if zipped else ""}"'
    headers: dict[str, Any] = {
        "ETag": etag,
        "Cache-Control": IMMUTABLE if v else FOR_A_DAY,
        "Vary": "Accept-Encoding",
    }
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if not zipped:
        return Response(await plotly.plain(), media_type=JAVASCRIPT, headers=headers)
    return Response(
        await plotly.compressed(), media_type=JAVASCRIPT, headers={**headers, "Content-Encoding": "gzip"}
    )
