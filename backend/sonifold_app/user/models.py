"""The models of a user's own that are packs: fine-tuned by jobs, or imported. Where each lies says which."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import shutil
from pathlib import Path
from typing import IO

from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold.files import sync_folder, write_whole
from sonifold.pack import CONFIG, UNFINISHED
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.protocol import Engine
from sonifold_app.store.folder import bytes_under
from sonifold_app.store.quotas import Quota
from sonifold_app.store.room import Room
from sonifold_app.store.trash import Trash
from sonifold_app.user import archive

FINETUNED, IMPORTED = "packs", "imports"
#: Models that can be imported: each is loaded at the start, and stays in memory.
MOST_IMPORTED = 50
#: How the name of a user's imported model ends, on a server with several users.
OWNED, OWNED_NAME, LONGEST_NAME = "-by-{}", re.compile(r"(?<=.)-by-[0-9a-f]{8}$"), 64
KINDS: dict[str, ModelKind] = {FINETUNED: "finetuned", IMPORTED: "imported"}


class ModelExistsError(Exception):
    """A model of that name is there already; the message is a sentence for the user."""


class TooManyModelsError(Exception):
    """No more models can be imported; the message is a sentence for the user."""


class UserModels:
    """Packs in the data folder. What is on its way in or out has a name with a leading dot, which no pack has."""

    def __init__(
        self, data: Path, engine: Engine, room: Room, owner: str = "", quota: Quota | None = None
    ) -> None:
        """``room``: what gives way on a full disk. ``owner``: id of the user, where the engine is shared by several.
        ``quota``: how much that user may keep."""
        self._data, self._engine, self._room, self._owner, self._quota = data, engine, room, owner, quota
        self._trash = Trash(data)
        self._importing = asyncio.Lock()
        self._stored_bytes: dict[str, int] = {}  # by model; packs do not change their size
        #: Set once ``open_all`` is over.
        self.opened = asyncio.Event()

    def folder(self, model: str) -> Path | None:
        """Where a model lies that the user made or imported."""
        if Path(model).name == model and not model.startswith("."):
            for subfolder in KINDS:
                if (self._data / subfolder / model / CONFIG).is_file():
                    return self._data / subfolder / model
        return None

    async def stored_bytes(self, model: str) -> int | None:
        """What a user's model takes on the disk; None for those that came with the server."""
        if model in self._stored_bytes:
            return self._stored_bytes[model]
        folder = self.folder(model)
        if folder is None:
            return None
        stored_bytes = await run_in_threadpool(bytes_under, folder)
        if self.folder(model) is None:  # deleted meanwhile
            return None
        self._stored_bytes[model] = stored_bytes
        return stored_bytes

    async def open_all(self) -> None:
        """Have the engine load them; clear what an earlier run did not finish."""
        for subfolder, kind in KINDS.items():
            for folder in sorted((self._data / subfolder).glob("*/")):
                if folder.name.startswith("."):
                    await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
                elif await run_in_threadpool(was_unfinished, folder):
                    await run_in_threadpool(self._trash.put, folder, folder.name)
                elif (folder / CONFIG).is_file():
                    await self._engine.open(folder, kind)
        self.opened.set()

    async def discard(self, model: str) -> None:
        """Delete a model, for good. Raises PackNotFound."""
        folder = self._folder_of(model)
        discarded = folder.with_name(f".{model}-{secrets.token_hex(4)}.gone")
        # first, so that it is no pack any more whatever happens meanwhile
        await run_in_threadpool(self._room.delete, lambda: folder.rename(discarded))
        self._stored_bytes.pop(model, None)
        await self._engine.shut(model)
        await run_in_threadpool(shutil.rmtree, discarded, ignore_errors=True)

    async def rename(self, model: str, title: str) -> None:
        """Give a model another title, in its pack too. Raises PackNotFound."""
        folder = self._folder_of(model)
        await run_in_threadpool(self._room.write, lambda: change_config(folder, title=title))
        await self._engine.retitle(model, title)

    async def take_in(self, file: IO[bytes], catalogue: Catalogue) -> str:
        """Import a pack from an archive, whole or not at all; returns the model's id.

        Raises PackedInvalidError, ModelExistsError, TooManyModelsError.
        """
        async with self._importing:
            self._require_room_for_one()
            name = name_of(await run_in_threadpool(archive.name_in, file), self._owner)
            names = {name_.casefold() for name_ in (*catalogue.models, *catalogue.unusable)}
            if name.casefold() in names or self.folder(name):
                raise ModelExistsError(
                    f"there is a model {name!r} already. Delete it first, if it is yours, or import this one elsewhere."
                )
            folder = await run_in_threadpool(self._unpacked, file, name)
            problem = await self._engine.open(folder, "imported")
            if problem is not None:
                with contextlib.suppress(errors.PackNotFound):
                    await self.discard(name)
                raise archive.PackedInvalidError(problem)
        return name

    def _require_room_for_one(self) -> None:
        imported = [
            folder for folder in (self._data / IMPORTED).glob("*/") if not folder.name.startswith(".")
        ]
        if len(imported) >= MOST_IMPORTED:
            raise TooManyModelsError(
                f"{len(imported)} models are imported, as many as can be. Delete one of them first."
            )

    def _unpacked(self, file: IO[bytes], name: str) -> Path:
        """The folder of a pack that came as an archive. Raises PackedInvalidError, StorageError."""
        folder = self._data / IMPORTED / name
        scratch = folder.with_name(f".{secrets.token_hex(8)}.part")

        def unpack() -> None:
            scratch.mkdir(parents=True)
            try:
                archive.unpack(file, scratch)
                change_config(scratch, name=name)
                scratch.rename(folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

        needed = archive.unpacked_bytes(file)
        if self._quota is not None:
            self._quota.add_bytes(needed)
        self._room.write(unpack, needed)
        sync_folder(folder.parent)
        return folder

    def _folder_of(self, model: str) -> Path:
        folder = self.folder(model)
        if folder is None:
            raise errors.PackNotFound(f"no model {model!r} of your own is here (any more).")
        return folder


def name_of(name: str, owner: str) -> str:
    """What a model is called here that comes from elsewhere under a name. On a server with several users no two of
    them can mean the same, and none learns what another has: a user's id stands behind the name."""
    name = OWNED_NAME.sub("", name)
    return f"{name[: LONGEST_NAME - len(OWNED.format(owner))]}{OWNED.format(owner)}" if owner else name


def change_config(folder: Path, **values: str) -> None:
    """Write another title or name into a pack, where it has another."""
    config = folder / CONFIG
    data = json.loads(config.read_text(encoding="utf-8"))
    if data != (changed := data | values):
        write_whole(config, (json.dumps(changed, indent=1) + "\n").encode())


def was_unfinished(folder: Path) -> bool:
    """Whether an earlier version of Sonifold left a folder half-way: its name ends so, and is not that of its pack."""
    if not folder.name.endswith(UNFINISHED):
        return False
    try:
        return bool(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["name"] != folder.name)
    except (OSError, ValueError, KeyError, TypeError):
        return True
