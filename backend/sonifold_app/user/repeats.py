"""Duplicates among user sounds. Fingerprints are computed once and stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.operations import DUPLICATES, FINGERPRINT
from sonifold_app.engine.protocol import Engine, run_one
from sonifold_app.store.derived import parts_of
from sonifold_app.store.failures import StorageError
from sonifold_app.store.sounds import UserSound, UserSoundStore

log = logging.getLogger(__name__)

#: Sounds looked at together; those done are kept also if nobody waits for the rest any more.
PART = 32


class DuplicateFinder:
    """Finds user sounds that are the same sound."""

    def __init__(self, store: UserSoundStore, engine: Engine) -> None:
        self._store, self._engine = store, engine

    async def among(self, sounds: Sequence[UserSound]) -> list[tuple[int, int, float]]:
        """Which of the sounds are the same: (earlier, later, dB apart). One whose audio is lost is like no other."""
        fingerprints = await self._fingerprints(sounds)
        rows = [row for row, sound in enumerate(sounds) if sound.audio in fingerprints]
        pairs = await run_one(
            self._engine, DUPLICATES, None, [fingerprints[sounds[row].audio] for row in rows]
        )
        return [(rows[first], rows[later], distance) for first, later, distance in pairs]

    async def _fingerprints(self, sounds: Sequence[UserSound]) -> dict[str, bytes]:
        """By audio."""
        by_audio = {sound.audio: sound for sound in sounds}
        store = self._store.derived
        fingerprints = await run_in_threadpool(store.fingerprints, list(by_audio))
        missing = [sound for audio, sound in by_audio.items() if audio not in fingerprints]
        for part in parts_of(missing, PART):
            files = await run_in_threadpool(self._audio, part)
            maps = await self._engine.run(FINGERPRINT, None, list(files.values()))
            new = dict(zip(files, maps, strict=True))
            fingerprints.update(new)
            try:
                await run_in_threadpool(store.keep_fingerprints, new)
            except StorageError as error:
                log.warning("fingerprints of sounds are not stored: %s", error)
        return fingerprints

    def _audio(self, sounds: Sequence[UserSound]) -> dict[str, bytes]:
        files = {sound.audio: self._store.audio(sound) for sound in sounds}
        return {audio: data for audio, data in files.items() if data is not None}
