"""The models of a user's own that are packs: refined by jobs, or imported. Where each lies says which."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shutil
from pathlib import Path
from typing import IO

from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app import packed
from sonifold_app.engine.base import Catalogue, Engine, ModelKind
from sonifold_app.store.files import sync_folder

REFINED, IMPORTED = "packs", "imports"
KINDS: dict[str, ModelKind] = {REFINED: "refined", IMPORTED: "imported"}
#: Of a folder that is on its way in or out: not a pack, and cleared at the next start.
PARTIAL = (".gone", ".part")


class ModelExistsError(Exception):
    """A model of that name is there already; the message is a sentence for the user."""


class MadeModels:
    """Packs in the data folder."""

    def __init__(self, data: Path, engine: Engine) -> None:
        self._data, self._engine = data, engine
        self._importing = asyncio.Lock()

    def folder(self, model: str) -> Path | None:
        """Where a model lies that the user made or imported."""
        if Path(model).name == model and Path(model).suffix not in PARTIAL:
            for where in KINDS:
                if (self._data / where / model / "pack.json").is_file():
                    return self._data / where / model
        return None

    async def open_all(self) -> None:
        """Have the engine load them; clear what an earlier run did not finish."""
        for where, kind in KINDS.items():
            for folder in sorted((self._data / where).glob("*/")):
                if folder.suffix in PARTIAL:
                    await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
                elif (folder / "pack.json").is_file():
                    await self._engine.open(folder, kind)

    async def discard(self, model: str) -> None:
        """Delete a model, for good. Raises PackNotFound."""
        folder = self._folder_of(model)
        await self._engine.shut(model)
        gone = folder.with_name(f"{model}.gone")  # at once no pack any more, whatever happens meanwhile
        await run_in_threadpool(folder.rename, gone)
        await run_in_threadpool(shutil.rmtree, gone, ignore_errors=True)

    async def rename(self, model: str, title: str) -> None:
        """Give a model another title, in its pack too. Raises PackNotFound."""
        await run_in_threadpool(retitle, self._folder_of(model), title)
        await self._engine.retitle(model, title)

    async def take_in(self, file: IO[bytes], catalogue: Catalogue) -> str:
        """Import a pack from an archive, whole or not at all; returns the model's id.

        Raises PackedInvalidError, ModelExistsError.
        """
        async with self._importing:
            name = await run_in_threadpool(packed.name_in, file)
            if name in catalogue.models or name in catalogue.unusable or self.folder(name):
                raise ModelExistsError(
                    f"there is a model {name!r} already. Delete it first, if it is yours, or import this one elsewhere."
                )
            scratch = self._data / IMPORTED / f"{secrets.token_hex(8)}.part"
            await run_in_threadpool(scratch.mkdir, parents=True)
            try:
                await run_in_threadpool(packed.unpack, file, scratch)
                folder = scratch.with_name(name)
                await run_in_threadpool(scratch.rename, folder)
            finally:
                await run_in_threadpool(shutil.rmtree, scratch, ignore_errors=True)
            await run_in_threadpool(sync_folder, folder.parent)
            problem = await self._engine.open(folder, "imported")
            if problem is not None:
                with contextlib.suppress(errors.PackNotFound):
                    await self.discard(name)
                raise packed.PackedInvalidError(problem)
        return name

    def _folder_of(self, model: str) -> Path:
        folder = self.folder(model)
        if folder is None:
            raise errors.PackNotFound(f"no model {model!r} of your own is here (any more).")
        return folder


def retitle(folder: Path, title: str) -> None:
    """Write another title into a pack."""
    config = folder / "pack.json"
    data = json.loads(config.read_text(encoding="utf-8"))
    scratch = folder / "pack.json.part"
    scratch.write_text(json.dumps(data | {"title": title}, indent=1) + "\n", encoding="utf-8")
    scratch.replace(config)
