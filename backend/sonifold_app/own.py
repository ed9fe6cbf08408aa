"""The user's own sounds as routes use them: found by id beside the library's, sent along where the engine needs them.

The engine keeps nothing; a question that names an own sound carries it. An adapted model has the own sounds of its
base, each where its decoder comes closest.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app.engine.base import Anchor, Engine, Kept, ModelFacts, Settled, Upload
from sonifold_app.store.kept import (
    KeptSound,
    KeptSounds,
    NewSound,
    UploadNotFoundError,
    WaitingFile,
    WaitingUpload,
)

Query = TypeVar("Query")


@dataclasses.dataclass(frozen=True)
class Anchors:
    """A question that is nothing but anchors."""

    anchors: tuple[Anchor, ...]


log = logging.getLogger(__name__)


class OwnSounds:
    """What a user keeps, for all models."""

    def __init__(self, kept: KeptSounds, engine: Engine) -> None:
        self._kept = kept
        self._engine = engine
        self._moving = asyncio.Lock()
        self._settled: dict[tuple[str, str], Settled] = {}  # by version of an adapted model and sound

    async def all(self, model: ModelFacts) -> list[KeptSound]:
        """A model's own sounds, oldest first, their points those of the pack as it is now."""
        sounds = await run_in_threadpool(self._kept.all, model.home)
        if any(sound.pack != model.pack for sound in sounds):
            await self._move(model)
            sounds = await run_in_threadpool(self._kept.all, model.home)
        return await self._as_in(model, sounds)

    async def several(self, model: ModelFacts, ids: Sequence[str]) -> list[KeptSound]:
        """In the order of the ids. Raises SoundNotFound."""
        found = await self._some(model, set(ids))
        for id in ids:
            if id not in found:
                raise sound_not_found(model, id)
        return [found[id] for id in ids]

    async def find(self, model: ModelFacts, id: str) -> KeptSound:
        """Raises SoundNotFound."""
        found = (await self._some(model, {id})).get(id)
        if found is None:
            raise sound_not_found(model, id)
        return found

    async def add(self, model: ModelFacts, sounds: Sequence[NewSound]) -> list[KeptSound]:
        kept = await run_in_threadpool(self._kept.add, model.home, model.pack, sounds)
        return await self._as_in(model, kept)

    async def change(self, model: ModelFacts, id: str, values: Mapping[str, Any]) -> KeptSound:
        """Give a sound another ``name`` or ``pitch``. Raises SoundNotFound."""
        if not await run_in_threadpool(self._kept.change, model.home, id, values):
            raise sound_not_found(model, id)
        return await self.find(model, id)

    async def remove(self, model: ModelFacts, id: str) -> None:
        """Raises SoundNotFound."""
        if not await run_in_threadpool(self._kept.remove, model.home, id):
            raise sound_not_found(model, id)

    async def wait(self, model: ModelFacts, files: Sequence[tuple[str, bytes, float]]) -> WaitingUpload:
        return await run_in_threadpool(self._kept.wait, model.home, files)

    async def require_waiting_room(self, bytes: int) -> None:
        """Raises UploadsFullError where an upload of so many bytes cannot wait."""
        await run_in_threadpool(self._kept.require_waiting_room, bytes)

    async def all_waiting(self, model: ModelFacts) -> list[WaitingUpload]:
        """A model's uploads that wait, oldest first."""
        return await run_in_threadpool(self._kept.all_waiting, model.home)

    async def waiting(self, model: ModelFacts, id: str) -> WaitingUpload:
        """Raises UploadNotFoundError."""
        found = await run_in_threadpool(self._kept.waiting, model.home, id)
        if found is None:
            raise UploadNotFoundError(id)
        return found

    async def waiting_file(self, upload: WaitingUpload, file: WaitingFile) -> Upload:
        """Raises UploadNotFoundError where the disk lost it."""
        data = await run_in_threadpool(self._kept.waiting_file, file)
        if data is None:
            raise UploadNotFoundError(upload.id)
        return Upload(file.name, data)

    async def forget(self, model: ModelFacts, id: str) -> None:
        """Raises UploadNotFoundError."""
        if not await run_in_threadpool(self._kept.forget, model.home, id):
            raise UploadNotFoundError(id)

    async def audio(self, sound: KeptSound) -> bytes:
        """A sound's FLAC file. Raises SoundNotFound where the disk lost it, StorageError where that cannot be told."""
        data = await run_in_threadpool(self._kept.audio, sound)
        if data is None:
            raise errors.SoundNotFound(
                f"the recording of your sound {sound.name!r} ({sound.id}) is missing in the data folder, or damaged "
                "and set aside there. The sound stays in your list: put "
                f"library/sounds/{sound.audio[:2]}/{sound.audio[2:]} back from a copy and it plays again."
            )
        return data

    async def plain(self, sound: KeptSound) -> Kept:
        """A sound with its audio, as the engine takes it."""
        return sound.plain(await self.audio(sound))

    async def furnished_anchors(self, model: ModelFacts, anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
        """Anchors with the own sounds that they name put in. Raises SoundNotFound for ids of neither kind."""
        return (await self.furnished(model, Anchors(tuple(anchors)))).anchors

    async def furnished(self, model: ModelFacts, query: Query) -> Query:
        """A question with the own sounds that its anchors name put in.

        Raises SoundNotFound for ids of neither kind.
        """
        named = {anchor.sound for anchor in anchors_of(query) if anchor.sound is not None}
        strange = named - model.library.rows.keys()
        if not strange:
            return query
        found = await self._some(model, strange)
        if unknown := strange - found.keys():
            raise sound_not_found(model, min(unknown))
        kept = {id: await self.plain(sound) for id, sound in found.items()}
        return replaced(query, kept)

    async def _some(self, model: ModelFacts, ids: set[str]) -> dict[str, KeptSound]:
        found = await run_in_threadpool(self._kept.some, model.home, ids)
        if any(sound.pack != model.pack for sound in found.values()):
            await self._move(model)
            found = await run_in_threadpool(self._kept.some, model.home, ids)
        return {sound.id: sound for sound in await self._as_in(model, list(found.values()))}

    async def _as_in(self, model: ModelFacts, sounds: list[KeptSound]) -> list[KeptSound]:
        """Sounds where a model has them; an adapted one has them elsewhere than its base."""
        if model.kind != "adapted":
            return sounds
        new = [one for one in sounds if (model.version, one.id) not in self._settled]
        audio = {one.id: await run_in_threadpool(self._kept.audio, one) for one in new}
        whole = [(one, data) for one in new if (data := audio[one.id]) is not None]
        places = await self._engine.settle(model.name, [one.plain(data) for one, data in whole])
        for (one, _), place in zip(whole, places, strict=True):
            self._settled[model.version, one.id] = place
        return [
            one if place is None else moved(one, place)
            for one in sounds
            for place in [self._settled.get((model.version, one.id))]
        ]

    async def _move(self, model: ModelFacts) -> None:
        """Find the points anew of sounds that were kept with another pack of this name."""
        async with self._moving:
            sounds = await run_in_threadpool(self._kept.all, model.home)
            old = [sound for sound in sounds if sound.pack != model.pack]
            log.info("finding %d own sounds anew in %s, whose pack has changed", len(old), model.home)
            for sound in old:
                audio = await run_in_threadpool(self._kept.audio, sound)
                if audio is None:
                    continue
                (admitted,) = await self._engine.admit(model.home, [Upload(sound.name, audio)])
                await run_in_threadpool(self._kept.move, sound, model.pack, admitted)


def moved(sound: KeptSound, place: Settled) -> KeptSound:
    x, y = place.position
    return dataclasses.replace(sound, z=place.z, x=x, y=y, known=place.known)


def sound_not_found(model: ModelFacts, id: str) -> errors.SoundNotFound:
    return errors.SoundNotFound(
        f"no sound {id!r} in {model.name!r}; GET /api/v1/models/{model.name}/sounds lists those there are."
    )


def anchors_of(query: Any) -> list[Anchor]:
    """The anchors among the fields of a question."""
    found = []
    for field in dataclasses.fields(query):
        value = getattr(query, field.name)
        found += [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Anchor)]
    return found


def replaced(query: Query, kept: dict[str, Kept]) -> Query:
    """A question with the anchors that name one of these sounds holding it."""

    def furnish(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(furnish(one) for one in value)
        if isinstance(value, Anchor) and value.sound in kept:
            return Anchor(kept=kept[value.sound])
        return value

    fields = dataclasses.fields(query)  # type: ignore[arg-type]
    return dataclasses.replace(  # type: ignore[type-var]
        query, **{field.name: furnish(getattr(query, field.name)) for field in fields}
    )
