"""Adapted models as routes use them: made in half a second, made again when they are first used after a restart.

What is kept of one is the request for it; the model itself is in memory while somebody plays with it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.facts import Catalogue, ModelFacts
from sonifold_app.engine.numbers import Numbers
from sonifold_app.engine.protocol import Engine
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.settings import MEBIBYTE
from sonifold_app.store.adaptations import Adaptation, AdaptationStore, AdaptedTo, TooManyAdaptationsError
from sonifold_app.store.audio import recording_path
from sonifold_app.store.clock import now
from sonifold_app.user.sounds import UserSounds, sound_not_found

#: Of adapted models in memory; beyond that the longest unused goes, unless a request uses it.
LOADED_BYTES = 256 * MEBIBYTE
#: Adaptations in use at the same time.
MOST = 100

log = logging.getLogger(__name__)


class Adaptations:
    """All that are in use."""

    def __init__(self, store: AdaptationStore, user_sounds: UserSounds, engine: Engine) -> None:
        self._store, self._user_sounds, self._engine = store, user_sounds, engine
        self._adaptations = {adaptation.id: adaptation for adaptation in store.all()}
        self._facts: dict[str, tuple[ModelFacts, ModelFacts]] = {}  # by id: of the base, of the result
        self._loaded: OrderedDict[str, int] = OrderedDict()  # id -> bytes; longest unused first
        self._in_use: Counter[str] = Counter()  # requests under way
        self._loading = asyncio.Lock()

    def joined(self, catalogue: Catalogue) -> Catalogue:
        """With the adapted models whose bases are there."""
        adapted = {
            adaptation.id: self._facts_of(adaptation, catalogue.models[adaptation.model])
            for adaptation in self._adaptations.values()
            if adaptation.model in catalogue.models
        }
        return (
            dataclasses.replace(catalogue, models={**catalogue.models, **adapted}) if adapted else catalogue
        )

    def of(self, base: str) -> list[Adaptation]:
        """Those of a model, oldest first."""
        return [adaptation for adaptation in self._adaptations.values() if adaptation.model == base]

    def find(self, id: str) -> Adaptation | None:
        return self._adaptations.get(id)

    async def stored_bytes(self, adaptation: Adaptation) -> int:
        """What its recordings take on the disk, those included that are stored as sounds too."""
        return await run_in_threadpool(self._store.stored_bytes, adaptation)

    async def make(self, base: ModelFacts, ids: Sequence[str], seed: int) -> Adaptation:
        """Adapt a model to user sounds of it; the same sounds and seed give the same adapted model.

        Raises SoundNotFound, UploadsInvalid, TooManyAdaptationsError.
        """
        ids = sorted(ids)
        id = name_of(base.name, ids, seed)
        async with self._loading:
            adaptation = self._adaptations.get(id)
            if adaptation is None:
                return await self._make(base, id, ids, seed)
            await self._load(adaptation, base)
            return adaptation

    @asynccontextmanager
    async def using(self, model: ModelFacts, catalogue: Catalogue) -> AsyncIterator[None]:
        """Have an adapted model in memory for as long as this is open. Raises PackInvalid where it cannot be made."""
        if model.kind != "adapted":
            yield
            return
        self._in_use[model.name] += 1
        try:
            await self._ready(model, catalogue)
            yield
        finally:
            self._in_use[model.name] -= 1
            if not self._in_use[model.name]:
                del self._in_use[model.name]

    async def _ready(self, model: ModelFacts, catalogue: Catalogue) -> None:
        if model.name not in self._loaded:
            async with self._loading:
                if (adaptation := self._adaptations.get(model.name)) is not None:
                    await self._load(adaptation, catalogue.models[adaptation.model])
        if model.name in self._loaded:
            self._loaded.move_to_end(model.name)

    async def rename(self, id: str, title: str) -> None:
        await run_in_threadpool(self._store.rename, id, title)
        self._adaptations[id] = dataclasses.replace(self._adaptations[id], title=title)

    async def remove(self, id: str) -> None:
        """The undo: the base was never touched."""
        async with self._loading:
            await run_in_threadpool(self._store.remove, id)
            self._adaptations.pop(id, None)
            self._facts.pop(id, None)
            if self._loaded.pop(id, None) is not None:
                await self._engine.shut(id)
            await self._user_sounds.undone(id)

    async def _make(self, base: ModelFacts, id: str, ids: Sequence[str], seed: int) -> Adaptation:
        if len(self._adaptations) >= MOST:
            raise TooManyAdaptationsError(
                f"{len(self._adaptations)} adaptations are in use, as many as can be. Undo one first: DELETE it among "
                "the models."
            )
        began = time.perf_counter()
        user_sounds = await self._user_sounds.several(base, ids)
        plain = [await self._user_sounds.plain(sound) for sound in user_sounds]
        outcome = dataclasses.asdict(await self._adapted(base.name, id, plain, seed))
        sounds = tuple(
            AdaptedTo(sound.id, sound.name, sound.seconds, sound.audio, tuple(sound.z.tolist()))
            for sound in user_sounds
        )
        more = f"{len(user_sounds)} of your sounds" if len(user_sounds) > 1 else "a sound of yours"
        adaptation = Adaptation(
            id,
            base.name,
            base.pack,
            f"{base.title} + {more}",
            seed,
            sounds,
            {**outcome, "seconds": time.perf_counter() - began},
            now(),
        )
        missing = await run_in_threadpool(self._store.add, adaptation)
        if missing is not None:
            self._loaded.pop(id, None)
            await self._engine.shut(id)
            raise sound_not_found(base, missing.id)
        self._adaptations[id] = adaptation
        await self._make_room()
        return adaptation

    async def _load(self, adaptation: Adaptation, base: ModelFacts) -> None:
        if adaptation.id in self._loaded:
            return
        sounds = []
        for sound in adaptation.sounds:
            audio = await run_in_threadpool(self._store.audio, sound)
            if audio is None:
                raise errors.PackInvalid(
                    f"{adaptation.title!r} was adapted to the sound {sound.name!r}, whose recording is missing in the "
                    f"data folder, or damaged and set aside there. Put {recording_path(sound.audio)} back from "
                    "a copy, or adapt again to sounds that play."
                )
            sounds.append(user_sound_data(sound, audio, placed=adaptation.pack == base.pack))
        log.info("adapting %s again, as it was before: %s", base.name, adaptation.id)
        await self._adapted(base.name, adaptation.id, sounds, adaptation.seed)
        await self._make_room()

    async def _adapted(self, base: str, id: str, sounds: Sequence[UserSoundData], seed: int) -> Adapted:
        adapted = await self._engine.adapt(base, id, sounds, seed)
        self._loaded[id] = adapted.bytes
        return adapted

    async def _make_room(self) -> None:
        unused = [id for id in self._loaded if id not in self._in_use]
        for id in unused[:-1]:  # the last one was made just now
            if sum(self._loaded.values()) <= LOADED_BYTES:
                return
            del self._loaded[id]
            await self._engine.shut(id)

    def _facts_of(self, adaptation: Adaptation, base: ModelFacts) -> ModelFacts:
        from_base, facts = self._facts.get(adaptation.id, (None, base))
        if from_base is not base or facts.title != adaptation.title:
            facts = dataclasses.replace(
                base,
                name=adaptation.id,
                version=hashlib.sha256(f"{base.version} {adaptation.id}".encode()).hexdigest()[:16],
                title=adaptation.title,
                description=f"{base.title}, adapted at once to {', '.join(sound.name for sound in adaptation.sounds)}.",
                kind="adapted",
                base=base.name,
            )
            self._facts[adaptation.id] = (base, facts)
        return facts


def name_of(base: str, ids: Sequence[str], seed: int) -> str:
    """What an adapted model is called: no fine-tune makes such a name, theirs end in 8 digits."""
    digest = hashlib.sha256("\0".join([base, str(seed), *ids]).encode()).hexdigest()
    return f"{base[:40]}-a{digest[:10]}"


def user_sound_data(sound: AdaptedTo, audio: bytes, placed: bool) -> UserSoundData:
    """As the engine takes it; without a point where the pack has changed since."""
    nothing: Numbers = np.empty(0, np.float32)
    z = np.array(sound.z, np.float32) if placed else nothing
    return UserSoundData(sound.id, sound.name, sound.seconds, sound.audio, z, nothing, audio)
