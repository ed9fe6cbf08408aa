"""User sounds as routes use them: found by id beside the library's, sent along where the engine needs them.

The engine keeps nothing; a question that names a user sound carries it. A list may show sounds where they were before
(see ``reembedding``); what a request names is always at its own point.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app import urls
from sonifold_app.engine.answers import Reembedded
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.numbers import Numbers
from sonifold_app.engine.protocol import Engine
from sonifold_app.engine.questions import Anchor, Upload, UserSoundArrays, UserSoundData
from sonifold_app.store.audio import recording_path
from sonifold_app.store.sounds import NewSound, UserSound, UserSoundStore, missing_recording
from sonifold_app.store.uploads import UploadNotFoundError, WaitingFile, WaitingUpload
from sonifold_app.user.reembedding import Reembedding
from sonifold_app.user.repeats import DuplicateFinder

Query = TypeVar("Query")


@dataclasses.dataclass(frozen=True)
class Anchors:
    """A question that is nothing but anchors."""

    anchors: tuple[Anchor, ...]


#: Models whose tables stay in memory, some 3 kB a sound.
REMEMBERED = 4


@dataclasses.dataclass(frozen=True)
class UserSoundTable:
    """A model's user sounds, oldest first."""

    latent_dim: int
    sounds: Sequence[UserSound]
    provisional: int  # of them that are shown where they were before; their points are being found
    state: Hashable  # another after every change

    @cached_property
    def arrays(self) -> UserSoundArrays:
        """The same as arrays."""
        return UserSoundArrays(
            [sound.id for sound in self.sounds],
            stacked([sound.z for sound in self.sounds], self.latent_dim),
            np.array([sound.timbre for sound in self.sounds], np.float32),
        )


class UserSounds:
    """What a user keeps, for all models."""

    def __init__(self, store: UserSoundStore, engine: Engine) -> None:
        self._store = store
        self._reembedding = Reembedding(store, engine)
        self.repeats = DuplicateFinder(store, engine)
        self._tables: OrderedDict[str, UserSoundTable] = OrderedDict()

    async def close(self) -> None:
        await self._reembedding.close()

    async def table(self, model: ModelFacts) -> UserSoundTable:
        """All user sounds of a model, at once; finding the points that are missing begins."""
        revision, sounds = await run_in_threadpool(self._store.at_revision, model.home)
        reembedded = await self._reembedding.reembedded(model)
        await self._reembedding.look_again(model, sounds)
        pending = self._reembedding.pending(model, sounds, reembedded)
        state = (model.version, revision, len(reembedded), len(pending))
        table = self._tables.get(model.name)
        if table is None or table.state != state:
            table = UserSoundTable(
                model.latent_dim, [placed(sound, reembedded) for sound in sounds], len(pending), state
            )
            self._tables[model.name] = table
        self._reembedding.reembed_behind(model, pending)
        self._tables.move_to_end(model.name)
        while len(self._tables) > REMEMBERED:
            self._tables.popitem(last=False)
        return table

    async def undone(self, model: str) -> None:
        """An adapted model is no more."""
        self._tables.pop(model, None)
        await self._reembedding.forget(model)

    async def stored(self, model: ModelFacts, id: str) -> UserSound:
        """A sound as it was kept, wherever it lies: to be heard. Raises SoundNotFound."""
        (sound,) = in_order(model, [id], await run_in_threadpool(self._store.some, model.home, {id}))
        return sound

    async def several(self, model: ModelFacts, ids: Sequence[str]) -> list[UserSound]:
        """In the order of the ids. Raises SoundNotFound."""
        return in_order(model, ids, await self._some(model, set(ids)))

    async def find(self, model: ModelFacts, id: str) -> UserSound:
        """Raises SoundNotFound."""
        (sound,) = await self.several(model, [id])
        return sound

    async def add(self, model: ModelFacts, sounds: Sequence[NewSound]) -> list[UserSound]:
        stored = await run_in_threadpool(self._store.add, model.home, model.pack, sounds)
        return await self._placed(model, stored)

    async def change(self, model: ModelFacts, id: str, values: Mapping[str, Any]) -> UserSound:
        """Give a sound another ``name`` or ``pitch``. Raises SoundNotFound."""
        if not await run_in_threadpool(self._store.change, model.home, id, values):
            raise sound_not_found(model, id)
        return await self.find(model, id)

    async def remove(self, model: ModelFacts, id: str) -> None:
        """Raises SoundNotFound."""
        if not await run_in_threadpool(self._store.remove, model.home, id):
            raise sound_not_found(model, id)

    @property
    def store(self) -> UserSoundStore:
        """Where they are kept."""
        return self._store

    async def wait(self, model: ModelFacts, files: Sequence[tuple[str, bytes, float]]) -> WaitingUpload:
        return await run_in_threadpool(self._store.uploads.add, model.home, files)

    async def require_waiting_room(self, bytes: int) -> None:
        """Raises UploadsFullError where an upload of so many bytes cannot wait."""
        await run_in_threadpool(self._store.uploads.require_room, bytes)

    async def all_waiting(self, model: ModelFacts) -> list[WaitingUpload]:
        """A model's uploads that wait, oldest first."""
        return await run_in_threadpool(self._store.uploads.all, model.home)

    async def waiting(self, model: ModelFacts, id: str) -> WaitingUpload:
        """Raises UploadNotFoundError."""
        upload = await run_in_threadpool(self._store.uploads.find, model.home, id)
        if upload is None:
            raise UploadNotFoundError(id)
        return upload

    async def waiting_file(self, upload: WaitingUpload, file: WaitingFile) -> Upload:
        """Raises UploadNotFoundError where the disk lost it."""
        data = await run_in_threadpool(self._store.uploads.audio, file)
        if data is None:
            raise UploadNotFoundError(upload.id)
        return Upload(file.name, data)

    async def forget(self, model: ModelFacts, id: str) -> None:
        """Raises UploadNotFoundError."""
        if not await run_in_threadpool(self._store.uploads.remove, model.home, id):
            raise UploadNotFoundError(id)

    async def audio(self, sound: UserSound) -> bytes:
        """A sound's FLAC file. Raises SoundNotFound where the disk lost it, StorageError where that cannot be told."""
        data = await run_in_threadpool(self._store.audio, sound)
        if data is None:
            raise errors.SoundNotFound(
                f"{missing_recording(sound)} The sound stays in your list: put {recording_path(sound.audio)} back "
                "from a copy and it plays again."
            )
        return data

    async def plain(self, sound: UserSound) -> UserSoundData:
        """A sound with its audio, as the engine takes it."""
        return sound.plain(await self.audio(sound))

    async def resolve_anchors(self, model: ModelFacts, anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
        """The anchors with every user-sound id replaced by that sound. Raises SoundNotFound for ids of neither kind."""
        return (await self.resolve_user_sounds(model, Anchors(tuple(anchors)))).anchors

    async def resolve_user_sounds(self, model: ModelFacts, query: Query) -> Query:
        """The query with every id of a user sound in its anchors replaced by that sound.

        Raises SoundNotFound for ids of neither kind.
        """
        named = {anchor.sound for anchor in anchors_of(query) if anchor.sound is not None}
        strange = named - model.library.rows.keys()
        if not strange:
            return query
        found = await self._some(model, strange)
        if unknown := strange - found.keys():
            raise sound_not_found(model, min(unknown))
        data = {id: await self.plain(sound) for id, sound in found.items()}
        return replaced(query, data)

    async def _some(self, model: ModelFacts, ids: set[str]) -> dict[str, UserSound]:
        stored = await run_in_threadpool(self._store.some, model.home, ids)
        return {sound.id: sound for sound in await self._placed(model, list(stored.values()))}

    async def _placed(self, model: ModelFacts, sounds: list[UserSound]) -> list[UserSound]:
        """Sounds where a model has them, found now where that is not known yet."""
        reembedded = await self._reembedding.reembedded(model)
        await self._reembedding.look_again(model, sounds)
        pending = self._reembedding.pending(model, sounds, reembedded)
        if pending:
            await self._reembedding.reembed(model, pending)
            fresh = await run_in_threadpool(self._store.some, model.home, {sound.id for sound in pending})
            sounds = [fresh.get(sound.id, sound) for sound in sounds]
            reembedded = await self._reembedding.reembedded(model)
        return [placed(sound, reembedded) for sound in sounds]


def in_order(model: ModelFacts, ids: Sequence[str], sounds: Mapping[str, UserSound]) -> list[UserSound]:
    """Raises SoundNotFound."""
    for id in ids:
        if id not in sounds:
            raise sound_not_found(model, id)
    return [sounds[id] for id in ids]


def placed(sound: UserSound, reembedded: Mapping[str, Reembedded]) -> UserSound:
    """A sound where an adapted model has it, or where its base has it while that is not known."""
    point = reembedded.get(sound.id)
    if point is None:
        return sound
    x, y = point.position
    return dataclasses.replace(sound, z=point.z, x=x, y=y, in_distribution=point.in_distribution)


def stacked(points: Sequence[Numbers], latent_dim: int) -> Numbers:
    """(point, latent). Points of another dimension, of a pack that has changed, are infinitely far away."""
    nowhere = np.full(latent_dim, np.inf)
    return np.array([z if len(z) == latent_dim else nowhere for z in points], np.float32)


def sound_not_found(model: ModelFacts, id: str) -> errors.SoundNotFound:
    return errors.SoundNotFound(
        f"no sound {id!r} in {model.name!r}; GET {urls.model(model.name)}/sounds lists those there are."
    )


def anchors_of(query: Any) -> list[Anchor]:
    """The anchors among the fields of a question."""
    anchors = []
    for field in dataclasses.fields(query):
        value = getattr(query, field.name)
        anchors += [
            item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, Anchor)
        ]
    return anchors


def replaced(query: Query, user_sounds: dict[str, UserSoundData]) -> Query:
    """A question with the anchors that name one of these sounds holding it."""

    def resolve(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(resolve(item) for item in value)
        if isinstance(value, Anchor) and value.sound in user_sounds:
            return Anchor(user_sound=user_sounds[value.sound])
        return value

    fields = dataclasses.fields(query)  # type: ignore[arg-type]
    return dataclasses.replace(  # type: ignore[type-var]
        query, **{field.name: resolve(getattr(query, field.name)) for field in fields}
    )
