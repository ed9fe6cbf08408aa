"""The engine whose models are in processes of a Ray cluster; the lines that questions wait in stay in the server."""

from __future__ import annotations

import functools
import logging
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.batching import Batcher
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.cluster.actors import Actors
from sonifold_app.engine.cluster.fleet import Fleet, Load, Recipe
from sonifold_app.engine.cluster.replica import AdaptedRecipe, PackRecipe
from sonifold_app.engine.cluster.scaling import Scaling
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.operations import PROGRESSIVE
from sonifold_app.engine.outlet import Outlet
from sonifold_app.engine.packs import load_packs
from sonifold_app.engine.parallel import attempt_each
from sonifold_app.engine.pools import Pool
from sonifold_app.engine.protocol import EngineUnavailableError, Operation, Question, Result
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.engine.queued import Key, QueuedEngine, most_of, seconds_of, size_of
from sonifold_app.engine.workload import Queue, Workload

#: Questions of the lanes LIGHT and FILES, and adaptations, that replicas are asked at the same time, each.
LIGHT, FILES, ADAPTATIONS = 2, 2, 1

log = logging.getLogger(__name__)


class RayEngine(QueuedEngine[Recipe | None]):
    """Replicas of all models, each in a process of its own; None stands for a model that all have from the start.

    There is a line for each replica that there may be, and a new question goes to the shortest of those that are
    served.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        actors: Actors,
        least: int = 1,
        most: int = 1,
        load: Load | None = None,
        window: float = 0.003,
        device: str = "cpu",
    ) -> None:
        """``load``, ``folder``, ``window``, ``device``: as of LocalEngine, in each replica. ``least``, ``most``: how
        many replicas there are at any time.
        """
        super().__init__(
            light=Pool("sonifold-light", LIGHT * most), files=Pool("sonifold-files", FILES * most)
        )
        self._adapting = Pool("sonifold-adapt", ADAPTATIONS * most)
        self._most, self._window, self._device = most, window, device
        self._lines: list[Batcher[Key]] = []
        self._closing = False
        self._fleet = Fleet(
            actors,
            Scaling(least, most),
            load or functools.partial(load_packs, folder, device),
            device,
            recipe_of=self._recipe,
            wait_of=lambda: self._line().expected()[0],
        )

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        self._lines = [
            Batcher(
                self._run_batch,
                window=self._window,
                most=most_of,
                idle=functools.partial(self._fleet.tell, "rest"),
                guess=seconds_of,
                size=size_of,
            )
            for _ in range(self._most)
        ]
        threading.Thread(target=self._open, name="sonifold-load", daemon=True).start()

    def close(self) -> None:
        self._closing = True
        self._fleet.end_waiting()
        for line in self._lines:
            line.close()
        for pool in (self._light, self._files, self._adapting):
            pool.close()
        self._fleet.close()

    def _open(self) -> None:
        try:
            loaded = self._fleet.start()
        except Exception as error:
            if not self._closing:
                log.exception("no replica could be started")
            self._models.fail(error)
            return
        for name, problem in loaded.unusable.items():
            log.warning("model %s cannot be used: %s", name, problem)
        self._models.fill(dict.fromkeys(loaded.facts), loaded.unusable, loaded.facts, loaded.device)

    @property
    def replicas(self) -> int:
        """Processes that answer."""
        return self._fleet.size

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        recipe = PackRecipe(folder.absolute(), kind)
        facts_or_problem: ModelFacts | str = await self._files.run(self._make, "open", folder.name, recipe)
        if isinstance(facts_or_problem, str):
            log.warning("model %s cannot be used: %s", folder.name, facts_or_problem)
            self._models.add_unusable(folder.name, facts_or_problem)
            return facts_or_problem
        self._models.add(folder.name, recipe, facts_or_problem)
        return None

    async def adapt(self, model: str, name: str, sounds: Sequence[UserSoundData], seed: int) -> Adapted:
        self._models.find(model)
        recipe = AdaptedRecipe(model, tuple(sounds), seed)
        facts: Adapted = await self._adapting.run(self._make, "adapt", name, recipe)
        self._models.add(name, recipe)
        return facts

    async def shut(self, model: str) -> None:
        self._models.remove(model)
        await self._light.run(self._fleet.tell, "forget", model)

    def workload(self) -> Workload:
        lines = [line.queue() for line in self._lines]
        pools = {"light": self._light, "files": self._files, "adapt": self._adapting}
        batch_sizes: dict[int, int] = {}
        for line in self._lines:
            for size, count in line.batch_sizes().items():
                batch_sizes[size] = batch_sizes.get(size, 0) + count
        return Workload(
            {"batch": merged(lines), **{name: pool.queue() for name, pool in pools.items()}},
            batch_sizes,
            self._device,
            None,
        )

    # -- operations ----------------------------------------------------------------------------

    def _line(self) -> Batcher[Key]:
        """The shortest of as many as there are replicas."""
        served = self._lines[: max(1, self._fleet.size)]
        return min(served, key=lambda line: line.expected())

    def _answers(
        self, operation: Operation[Question, Result], model: str | None, questions: Sequence[Question]
    ) -> list[Result]:
        group = operation.lane.name.lower()
        answers: list[Result] = self._fleet.ask("answers", operation.name, model, questions, group=group)
        return answers

    def _run_batch(self, key: Key, items: Sequence[Any]) -> Sequence[Any]:
        name, model = key
        if name in PROGRESSIVE:
            assert model is not None, "what comes in parts is computed with a model"
            return attempt_each(lambda outlet: self._pour(name, model, outlet), items)

        def answers(questions: Sequence[Any], **attempts: int) -> list[Any]:
            computed: list[Any] = self._fleet.ask("batch", name, model, questions, group="batch", **attempts)
            return computed

        if len(items) == 1:
            return answers(items)
        try:
            return answers(items, attempts=1)
        except EngineUnavailableError:  # each by itself: perhaps it is one of them that ends the process
            return attempt_each(lambda item: answers([item])[0], items)

    def _pour(self, operation: str, model: str, outlet: Outlet[Any, Any]) -> None:
        """Have an answer computed part by part, as long as it is wanted."""
        run = secrets.token_hex(8)
        parts = self._fleet.parts(run, operation, model, outlet.question, wanted=lambda: outlet.wanted)
        for new in parts:
            outlet.put(new)

    def _make(self, method: str, name: str, recipe: Recipe) -> Any:
        """A model made in one replica; the others make it when they are asked about it."""
        return self._fleet.ask(method, name, recipe, group="adapt")

    def _recipe(self, name: str) -> Recipe:
        recipe = self._models.find(name)
        assert recipe is not None, "every replica has it from the start"
        return recipe


def merged(queues: Sequence[Queue]) -> Queue:
    """Several lines as one."""
    return Queue(
        sum(queue.waiting for queue in queues), max((queue.oldest_seconds for queue in queues), default=0.0)
    )


def actors_of(address: str | None, cpus: float, gpus: float, most: int) -> Actors:
    """Replicas in a cluster; one on this machine has a core for each of them."""
    return Actors(address, cpus=cpus, gpus=gpus, local_cpus=max(1, round(cpus * most)))
