"""Where models have own sounds, found behind the requests and kept in the database.

An adapted model has the sounds of its base where its decoder comes closest to them, and a pack that has changed has
them anew. A sound takes some hundredths of a second, a thousand of them too long for anybody to wait: lists show at
once where the sounds were before, and are right once this is done. What a question is about is placed first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence

from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app.engine.answers import Reembedded
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import PREPARE_SOUND, REEMBED
from sonifold_app.engine.protocol import Engine
from sonifold_app.engine.questions import Upload, UserSoundData
from sonifold_app.store.sounds import UserSound, UserSoundStore

#: Sounds placed at once; while they are, somebody who wants to hear something waits for them.
AT_ONCE = 4
#: Adapted models whose places stay in memory, some 500 bytes a sound.
REMEMBERED = 8

log = logging.getLogger(__name__)


class Reembedding:
    """Places of own sounds: which are known, which are still to be found. Used from one event loop."""

    def __init__(self, store: UserSoundStore, engine: Engine) -> None:
        self._store, self._engine = store, engine
        self._reembedded: OrderedDict[tuple[str, str], dict[str, Reembedded]] = OrderedDict()
        self._stuck: set[tuple[str, str]] = set()  # (model's version, sound): no place can be found
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def reembedded(self, model: ModelFacts) -> Mapping[str, Reembedded]:
        """The places that are known of an adapted model's own sounds, by id."""
        return await self._places(model)

    def pending(
        self, model: ModelFacts, sounds: Sequence[UserSound], reembedded: Mapping[str, Reembedded]
    ) -> list[UserSound]:
        """Those whose place is still another's: the base's, or that of the pack as it was."""
        return [
            sound
            for sound in sounds
            if (sound.pack != model.pack or (model.kind == "adapted" and sound.id not in reembedded))
            and (model.version, sound.id) not in self._stuck
        ]

    async def place(self, model: ModelFacts, sounds: Sequence[UserSound], *, behind: bool = False) -> None:
        """Find the places of sounds that are pending; of ``sounds`` themselves nothing changes."""
        stale = [sound for sound in sounds if sound.pack != model.pack]
        for sound in stale:
            await self._move(model, sound, behind)
        if model.kind == "adapted":
            if stale:
                fresh = await run_in_threadpool(self._store.some, model.home, {sound.id for sound in stale})
                sounds = [fresh.get(sound.id, sound) for sound in sounds]
            await self._reembed(model, [sound for sound in sounds if sound.pack == model.pack], behind)

    def place_behind(self, model: ModelFacts, sounds: Sequence[UserSound]) -> None:
        """Begin to place sounds while nothing else is to be done, unless that is under way for the model."""
        if sounds and model.name not in self._tasks:
            task = asyncio.create_task(self._place_all(model, list(sounds)))
            self._tasks[model.name] = task
            task.add_done_callback(lambda _: self._tasks.pop(model.name, None))

    async def forget(self, model: str) -> None:
        """An adapted model is no more."""
        await self._cancel([model])
        for key in [key for key in self._reembedded if key[0] == model]:
            del self._reembedded[key]
        await run_in_threadpool(self._store.derived.forget_reembedded, model)

    async def close(self) -> None:
        """Stop; what has been found is kept."""
        await self._cancel(list(self._tasks))

    async def _cancel(self, models: Sequence[str]) -> None:
        tasks = [self._tasks[model] for model in models if model in self._tasks]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _place_all(self, model: ModelFacts, sounds: list[UserSound]) -> None:
        async with self._turn:
            try:
                for part in parts_of(sounds):
                    await self.place(model, part, behind=True)
            except errors.PackNotFound:
                pass  # it made room for others; whoever asks for its list again begins anew
            except Exception:
                log.exception(
                    "own sounds of %s are not all in their places; the next list tries again", model.name
                )

    async def _move(self, model: ModelFacts, sound: UserSound, behind: bool) -> None:
        """Find the point anew of a sound that was kept with another pack of this name."""
        audio = await run_in_threadpool(self._store.audio, sound)
        if audio is None:
            self._stuck.add((model.version, sound.id))
            return
        try:
            upload = [Upload(sound.name, audio)]
            (prepared,) = await self._engine.run(PREPARE_SOUND, model.home, upload, behind=behind)
        except errors.AudioError:
            log.warning("own sound %s cannot be found anew in %s", sound.id, model.home, exc_info=True)
            self._stuck.add((model.version, sound.id))
            return
        await run_in_threadpool(self._store.move, sound, model.pack, prepared)

    async def _reembed(self, model: ModelFacts, sounds: Sequence[UserSound], behind: bool) -> None:
        places = await self._places(model)
        whole: list[UserSoundData] = []
        for sound in sounds:
            if sound.id in places:
                continue
            audio = await run_in_threadpool(self._store.audio, sound)
            if audio is None:
                self._stuck.add((model.version, sound.id))
            else:
                whole.append(sound.plain(audio))
        reembedded = await self._engine.run(REEMBED, model.name, whole, behind=behind)
        new = {sound.id: place for sound, place in zip(whole, reembedded, strict=True)}
        await run_in_threadpool(self._store.derived.keep_reembedded, model.name, model.version, new)
        places.update(new)

    async def _places(self, model: ModelFacts) -> dict[str, Reembedded]:
        key = (model.name, model.version)
        if key not in self._reembedded:
            self._reembedded[key] = await run_in_threadpool(self._store.derived.reembedded, *key)
        self._reembedded.move_to_end(key)
        while len(self._reembedded) > REMEMBERED:
            self._reembedded.popitem(last=False)
        return self._reembedded[key]


def parts_of(sounds: Sequence[UserSound]) -> Iterator[Sequence[UserSound]]:
    for begin in range(0, len(sounds), AT_ONCE):
        yield sounds[begin : begin + AT_ONCE]
