"""Listening tests as routes use them: everything that they play is rendered before the first trial.

A test that was being rendered when the server ended goes on when somebody next asks for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import numpy as np
from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold.listening import Trial, draw_trials
from sonifold.listening.playback import trial_file
from sonifold_app.engine.answers import Rendered, Stimulus
from sonifold_app.engine.facts import Catalogue, ModelFacts
from sonifold_app.engine.operations import MATCH, STIMULUS
from sonifold_app.engine.protocol import Engine, run_one
from sonifold_app.engine.questions import StimulusPair, StimulusQuery
from sonifold_app.store.failures import StorageError
from sonifold_app.store.listening import Listener, ListeningStore, ListeningTest, Stimuli
from sonifold_app.user.adaptations import Adaptations
from sonifold_app.user.sounds import UserSounds
from sonifold_app.user.tasks import Tasks

log = logging.getLogger(__name__)

#: For each condition its model and, for each pair, what the engine is asked.
Queries = Sequence[tuple[ModelFacts, Sequence[StimulusQuery]]]


#: Before a test is rendered again that a failure of the storage stopped.
RETRY_SECONDS = 30.0


class SoundsMissingError(Exception):
    """What a test plays is not in the data folder any more; the message is a sentence for the user."""


class ListeningTests:
    """All of them, and those that are being rendered."""

    def __init__(
        self, store: ListeningStore, user_sounds: UserSounds, adaptations: Adaptations, engine: Engine
    ) -> None:
        self.store = store
        self._user_sounds, self._adaptations, self._engine = user_sounds, adaptations, engine
        self._tasks = Tasks()
        self._rendered: dict[str, int] = {}
        self._put_off: dict[str, tuple[str, float]] = {}  # why, and until when by the monotonic clock
        self._rendering = asyncio.Lock()

    async def close(self) -> None:
        await self._tasks.close()

    async def require_sounds(self, queries: Queries) -> None:
        """Raises SoundNotFound where a model has no such sound."""
        for model, questions in queries:
            anchors = [anchor for query in questions for anchor in (query.start, query.end)]
            await self._user_sounds.resolve_anchors(model, anchors)

    def begin(self, test: ListeningTest, queries: Queries, catalogue: Catalogue) -> None:
        """Render what a test plays, unless it is there, is on its way, or cannot be (yet)."""
        _, until = self._put_off.get(test.id, ("", 0.0))
        if test.stimuli is None and test.error is None and time.monotonic() >= until:
            self._tasks.begin(test.id, lambda: self._prepare(test, queries, catalogue))

    def rendered(self, test: ListeningTest) -> int:
        """How many of its pairs can be played."""
        return len(test.pairs) if test.stimuli is not None else self._rendered.get(test.id, 0)

    def problem(self, test: ListeningTest) -> str | None:
        """Why it cannot be rendered, or not yet."""
        return test.error or self._put_off.get(test.id, (None, 0.0))[0]

    async def delete(self, test: ListeningTest) -> None:
        await self._tasks.cancel(test.id)
        self._put_off.pop(test.id, None)
        stored = await run_in_threadpool(self.store.find, test.id)
        await run_in_threadpool(self.store.delete, stored or test)

    async def trial_audio(self, test: ListeningTest, listener: Listener, number: int) -> bytes:
        """The file of a trial: 1, 2 and, in an ABX test, X, a channel each. Raises SoundsMissingError."""
        assert test.stimuli is not None, "only a test that is ready has listeners"
        trial = trials_of(test, listener)[number - 1]
        channels = [*trial.played, *([trial.x] if test.is_abx else [])]
        pair = await run_in_threadpool(self.store.get, test.stimuli[trial.pair].file)
        if pair is None:
            raise SoundsMissingError(
                "What this test plays is not in the data folder any more. Make the test again; its answers stay."
            )
        return await run_in_threadpool(trial_file, pair, channels, np.random.default_rng())

    async def _prepare(self, test: ListeningTest, queries: Queries, catalogue: Catalogue) -> None:
        models = [model for model, _ in queries]
        stimuli: list[Stimuli] = []
        ready = False
        try:
            async with self._rendering:
                for pair in zip(*(questions for _, questions in queries), strict=True):
                    stimuli.append(await self._stimuli(list(zip(models, pair, strict=True)), catalogue))
                    self._rendered[test.id] = len(stimuli)
            await run_in_threadpool(self.store.set_ready, test.id, stimuli)
            ready = True
            self._put_off.pop(test.id, None)
        except errors.SonifoldError as error:
            await run_in_threadpool(self.store.set_failed, test.id, str(error))
        except StorageError as error:  # that may pass
            self._put_off[test.id] = str(error), time.monotonic() + RETRY_SECONDS
        except Exception:
            log.exception(
                "listening test %s is not rendered; whoever asks for it next has it tried again", test.id
            )
        finally:
            self._rendered.pop(test.id, None)
            if not ready:
                await self._drop(stimuli)

    async def _stimuli(
        self, conditions: Sequence[tuple[ModelFacts, StimulusQuery]], catalogue: Catalogue
    ) -> Stimuli:
        first, second = [await self._stimulus(model, query, catalogue) for model, query in conditions]
        pair = StimulusPair(first.recording.wav, second.recording.wav)
        matched = await run_one(self._engine, MATCH, None, pair)
        file = await run_in_threadpool(self.store.put, matched.wav)
        facts = first.facts.model_dump(), second.facts.model_dump()
        return Stimuli(file, matched.gains_db, matched.lufs, matched.frames, matched.sample_rate, facts)

    async def _stimulus(
        self, model: ModelFacts, query: StimulusQuery, catalogue: Catalogue
    ) -> Rendered[Stimulus]:
        resolved = await self._user_sounds.resolve_user_sounds(model, query)
        async with self._adaptations.using(model, catalogue):
            return await run_one(self._engine, STIMULUS, model.name, resolved)

    async def _drop(self, stimuli: Sequence[Stimuli]) -> None:
        for each in stimuli:
            await run_in_threadpool(self.store.drop, each.file)


def trials_of(test: ListeningTest, listener: Listener) -> list[Trial]:
    """The key: what each trial plays, and in which order."""
    return draw_trials(test.trials, len(test.pairs), listener.seed)
