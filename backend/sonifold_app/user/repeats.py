"""Which own sounds repeat one another. What sounds are told apart by is worked out once and kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.operations import DUPLICATES, FINGERPRINT
from sonifold_app.engine.protocol import Engine, run_one
from sonifold_app.store.failures import StorageError
from sonifold_app.store.sounds import KeptSound, KeptSounds

log = logging.getLogger(__name__)

#: Sounds looked at together; those done are kept also if nobody waits for the rest any more.
PART = 32


class Repeats:
    """Finds own sounds that are the same sound."""

    def __init__(self, kept: KeptSounds, engine: Engine) -> None:
        self._kept, self._engine = kept, engine

    async def among(self, sounds: Sequence[KeptSound]) -> list[tuple[int, int, float]]:
        """Which of the sounds are the same: (earlier, later, dB apart). One whose audio is lost is like no other."""
        known = await self._fingerprints(sounds)
        rows = [row for row, one in enumerate(sounds) if one.audio in known]
        found = await run_one(self._engine, DUPLICATES, None, [known[sounds[row].audio] for row in rows])
        return [(rows[first], rows[later], distance) for first, later, distance in found]

    async def _fingerprints(self, sounds: Sequence[KeptSound]) -> dict[str, bytes]:
        """By audio."""
        by_audio = {one.audio: one for one in sounds}
        store = self._kept.derived
        known = await run_in_threadpool(store.fingerprints, list(by_audio))
        missing = [one for audio, one in by_audio.items() if audio not in known]
        for part in (missing[i : i + PART] for i in range(0, len(missing), PART)):
            files = await run_in_threadpool(self._audio, part)
            maps = await self._engine.run(FINGERPRINT, None, list(files.values()))
            new = dict(zip(files, maps, strict=True))
            known.update(new)
            try:
                await run_in_threadpool(store.keep_fingerprints, new)
            except StorageError as error:
                log.warning("what sounds are told apart by is not kept: %s", error)
        return known

    def _audio(self, sounds: Sequence[KeptSound]) -> dict[str, bytes]:
        files = {one.audio: self._kept.audio(one) for one in sounds}
        return {audio: data for audio, data in files.items() if data is not None}
