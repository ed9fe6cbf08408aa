"""Re-embeds user sounds: finds their latent points in other models behind the requests, and stores them.

An adapted model has each sound of its base at the point where its decoder is closest to it, and a pack that has
changed has other points for the same sounds. One sound takes some hundredths of a second, a thousand take too long to
wait for: lists show the former positions at once, and the right ones when this is done. The sounds that a request
names go first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app.engine.answers import Reembedded
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import PREPARE_SOUND, REEMBED
from sonifold_app.engine.protocol import Engine
from sonifold_app.engine.questions import Upload, UserSoundData
from sonifold_app.store.derived import parts_of
from sonifold_app.store.failures import StorageError
from sonifold_app.store.sounds import UserSound, UserSoundStore
from sonifold_app.user.tasks import Tasks

#: Sounds that are re-embedded together; who wants to hear something in the meantime waits for them.
AT_ONCE = 4
#: Adapted models whose points stay in memory, some 500 bytes a sound.
REMEMBERED = 8

log = logging.getLogger(__name__)


class Reembedding:
    """Which user sounds have points in a model, and which wait for them. Used from one event loop."""

    def __init__(self, store: UserSoundStore, engine: Engine) -> None:
        self._store, self._engine = store, engine
        self._reembedded: OrderedDict[tuple[str, str], dict[str, Reembedded]] = OrderedDict()
        # (model's version, sound): no point can be found, because
        self._unreadable: set[tuple[str, str]] = set()  # the recording cannot be encoded
        self._missing: set[tuple[str, str]] = set()  # there was no recording when it was last looked for
        self._tasks = Tasks()
        self._turn = asyncio.Lock()

    async def reembedded(self, model: ModelFacts) -> Mapping[str, Reembedded]:
        """Latent points and positions of an adapted model's user sounds, as far as they are found; by id. Other models
        have none.
        """
        return await self._reembedded_of(model) if model.kind == "adapted" else {}

    def pending(
        self, model: ModelFacts, sounds: Sequence[UserSound], reembedded: Mapping[str, Reembedded]
    ) -> list[UserSound]:
        """The sounds that are still at the points of the base, or of the pack as it was."""
        stuck = self._unreadable | self._missing
        return [
            sound
            for sound in sounds
            if (sound.pack != model.pack or (model.kind == "adapted" and sound.id not in reembedded))
            and (model.version, sound.id) not in stuck
        ]

    async def look_again(self, model: ModelFacts, sounds: Sequence[UserSound]) -> None:
        """Have those sounds pending again whose recordings were missing and are there now."""
        missing = [sound for sound in sounds if (model.version, sound.id) in self._missing]
        if missing:
            with contextlib.suppress(
                StorageError
            ):  # where that cannot be told, it is for the next list to see
                present = await run_in_threadpool(self._store.with_audio, missing)
                self._missing -= {(model.version, sound.id) for sound in present}

    async def reembed(self, model: ModelFacts, sounds: Sequence[UserSound], *, behind: bool = False) -> None:
        """Find the points of pending sounds and store them; ``sounds`` themselves do not change."""
        stale = [sound for sound in sounds if sound.pack != model.pack]
        for sound in stale:
            await self._move(model, sound, behind)
        if model.kind == "adapted":
            if stale:
                fresh = await run_in_threadpool(self._store.some, model.home, {sound.id for sound in stale})
                sounds = [fresh.get(sound.id, sound) for sound in sounds]
            await self._reembed_adapted(
                model, [sound for sound in sounds if sound.pack == model.pack], behind
            )

    def reembed_behind(self, model: ModelFacts, sounds: Sequence[UserSound]) -> None:
        """Begin to re-embed sounds when there is no other work, unless that is under way for the model."""
        if sounds:
            self._tasks.begin(model.name, lambda: self._reembed_all(model, list(sounds)))

    async def forget(self, model: str) -> None:
        """An adapted model is no more."""
        await self._tasks.cancel(model)
        for key in [key for key in self._reembedded if key[0] == model]:
            del self._reembedded[key]
        await run_in_threadpool(self._store.derived.forget_reembedded, model)

    async def close(self) -> None:
        """Stop; the points found so far stay stored."""
        await self._tasks.close()

    async def _reembed_all(self, model: ModelFacts, sounds: list[UserSound]) -> None:
        async with self._turn:
            try:
                for part in parts_of(sounds, AT_ONCE):
                    await self.reembed(model, part, behind=True)
            except errors.PackNotFound:
                pass  # it made room for others; whoever asks for its list again begins anew
            except Exception:
                log.exception(
                    "not all user sounds of %s could be re-embedded; the next list tries again", model.name
                )

    async def _move(self, model: ModelFacts, sound: UserSound, behind: bool) -> None:
        """Find the point of a sound that was stored with another pack of this name."""
        audio = await run_in_threadpool(self._store.audio, sound)
        if audio is None:
            self._missing.add((model.version, sound.id))
            return
        try:
            upload = [Upload(sound.name, audio)]
            (prepared,) = await self._engine.run(PREPARE_SOUND, model.home, upload, behind=behind)
        except errors.AudioError:
            log.warning("user sound %s cannot be encoded by %s", sound.id, model.home, exc_info=True)
            self._unreadable.add((model.version, sound.id))
            return
        await run_in_threadpool(self._store.move, sound, model.pack, prepared)

    async def _reembed_adapted(self, model: ModelFacts, sounds: Sequence[UserSound], behind: bool) -> None:
        stored = await self._reembedded_of(model)
        whole: list[UserSoundData] = []
        for sound in sounds:
            if sound.id in stored:
                continue
            audio = await run_in_threadpool(self._store.audio, sound)
            if audio is None:
                self._missing.add((model.version, sound.id))
            else:
                whole.append(sound.plain(audio))
        reembedded = await self._engine.run(REEMBED, model.name, whole, behind=behind)
        new = {sound.id: point for sound, point in zip(whole, reembedded, strict=True)}
        await run_in_threadpool(self._store.derived.keep_reembedded, model.name, model.version, new)
        stored.update(new)

    async def _reembedded_of(self, model: ModelFacts) -> dict[str, Reembedded]:
        key = (model.name, model.version)
        if key not in self._reembedded:
            self._reembedded[key] = await run_in_threadpool(self._store.derived.reembedded, *key)
        self._reembedded.move_to_end(key)
        while len(self._reembedded) > REMEMBERED:
            self._reembedded.popitem(last=False)
        return self._reembedded[key]
