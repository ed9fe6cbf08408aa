"""The engine in this process: packs in memory, and one thread that computes for all who ask together.

torch and the packs are loaded in a thread of their own, so that the server answers from its first second on.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import itertools
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonifold.files import may_pass
from sonifold_app.engine.answers import Adapted
from sonifold_app.engine.batching import Batcher
from sonifold_app.engine.choices import ModelKind
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.finite import checked
from sonifold_app.engine.operations import OPERATIONS, PROGRESSIVE, adapting
from sonifold_app.engine.operations.sounds import load_user_sound
from sonifold_app.engine.outlet import Outlet
from sonifold_app.engine.packs import (
    LazyModel,
    facts_of,
    fingerprint_of_code,
    load_pack,
    load_packs,
    loaded,
)
from sonifold_app.engine.parallel import MapParallel, attempt_each, map_serially, value_of
from sonifold_app.engine.pools import Pool
from sonifold_app.engine.protocol import Operation, Part, ProgressiveOperation, Question, Result
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.engine.queued import Key, QueuedEngine, most_of, seconds_of, size_of
from sonifold_app.engine.workload import Workload

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold.model.outline import Described
    from sonifold_app.engine.models import Models

#: Of threads that give way to others, as in ``nice``.
LOW_PRIORITY = 5
#: Between attempts to load the packs while files cannot be opened or memory is short.
LOAD_AGAIN_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)

log = logging.getLogger(__name__)


class LocalEngine(QueuedEngine["Model | LazyModel"]):
    """Packs of a folder, computed with in this process."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        threads: int = 1,
        load: Callable[[], tuple[Models, Mapping[str, str]]] | None = None,
        window: float = 0.003,
        device: str = "cpu",
        freeze: bool = False,
    ) -> None:
        """``load`` gives the models by name and the sentences about those that cannot be loaded; by default it reads
        the packs in ``folder``. ``threads``: computations at the same time. ``window``: seconds that a request waits
        for others to join it. ``device``: where they compute, see ``sonifold.device``. ``freeze``: for a process that
        does nothing else; what is there once the packs are loaded is left out of the search for garbage, which would
        hold up everything for most of a second."""
        super().__init__(
            light=Pool("sonifold-light", 2, idle=release_memory),
            # Seconds each, and some hundred megabytes: nobody who wants to hear something waits for them.
            files=Pool("sonifold-files", 2, begin=give_way, idle=release_memory),
        )
        self._load = load or functools.partial(load_packs, folder, device)
        self._device = device
        self._window, self._freeze = window, freeze
        self._closing = threading.Event()
        self._batcher: Batcher[Key] | None = None
        self._workers = ThreadPoolExecutor(
            max_workers=threads, thread_name_prefix="sonifold-compute", initializer=without_gradients
        )
        # Half a second each, and half a gigabyte for many sounds: beside the morphs, but one at a time.
        self._adapting = Pool("sonifold-adapt", 1, begin=without_gradients, idle=release_memory)

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        self._batcher = Batcher(
            self._run_batch,
            window=self._window,
            most=most_of,
            idle=release_memory,
            guess=seconds_of,
            size=size_of,
        )
        threading.Thread(target=self._open, name="sonifold-load", daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        if self._batcher is not None:
            self._batcher.close()
        self._workers.shutdown(cancel_futures=True)
        for pool in (self._light, self._files, self._adapting):
            pool.close()

    def _open(self) -> None:
        try:
            import torch

            # One core a computation and several at a time. Threads inside torch's operations gain little at
            # these sizes, and on a busy machine they wait for each other: 20 s for a morph of 0.6 s, measured.
            torch.set_num_threads(1)
            from sonifold.device import choose

            device = str(choose(self._device))
            models, unusable = self._loaded()
            code = fingerprint_of_code()
            facts = {name: facts_of(name, described(model), code) for name, model in models.items()}
        except Exception as error:
            log.exception("the packs could not be loaded")
            self._models.fail(error)
            return
        if self._freeze:
            gc.collect()
            gc.freeze()
        for name, problem in unusable.items():
            log.warning("model %s cannot be used: %s", name, problem)
        self._models.fill(models, unusable, facts, device)
        import scipy.signal  # noqa: F401 # which the first morph needs; the server is ready a second sooner

    def _loaded(self) -> tuple[Models, Mapping[str, str]]:
        """What is loaded; as long as the machine is short of something that may come back, it is tried again."""
        for wait in itertools.chain(LOAD_AGAIN_SECONDS, itertools.repeat(LOAD_AGAIN_SECONDS[-1])):
            try:
                return self._load()
            except OSError as error:
                if not may_pass(error):
                    raise
                log.warning("the packs cannot be loaded at the moment (%s); again in %g s", error, wait)
            if self._closing.wait(wait):
                break
        raise RuntimeError("the engine was closed before its packs were loaded")

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        opened_or_problem = await self._files.run(opened, folder, kind, self._device)
        if isinstance(opened_or_problem, str):
            log.warning("model %s cannot be used: %s", folder.name, opened_or_problem)
            self._models.add_unusable(folder.name, opened_or_problem)
            return opened_or_problem
        self._models.add(folder.name, *opened_or_problem)
        return None

    async def adapt(self, model: str, name: str, sounds: Sequence[UserSoundData], seed: int) -> Adapted:
        adapted = await self._adapting.run(
            lambda base: adapting.adapted(loaded(base), sounds, seed), self._models.find(model)
        )
        self._models.add(name, adapted)
        return adapting.facts_of(adapted)

    async def shut(self, model: str) -> None:
        listed = self._models.remove(model)
        load_user_sound.cache_clear()  # it would hold on to the model
        await self._adapting.run(collect, self._freeze and listed)

    def workload(self) -> Workload:
        queues = {"light": self._light, "files": self._files, "adapt": self._adapting}
        batcher = self._batcher
        return Workload(
            {
                **({} if batcher is None else {"batch": batcher.queue()}),
                **{name: pool.queue() for name, pool in queues.items()},
            },
            {} if batcher is None else batcher.batch_sizes(),
            self._device,
            device_bytes(self._device),
        )

    # -- operations ----------------------------------------------------------------------------

    def _line(self) -> Batcher[Key]:
        assert self._batcher is not None, "start() comes first"
        return self._batcher

    def _answers(
        self, operation: Operation[Question, Result], model: str | None, questions: Sequence[Question]
    ) -> list[Result]:
        return answers_to(operation, None if model is None else self._models.find(model), questions)

    def _run_batch(self, key: Key, questions: Sequence[Any]) -> Sequence[Any]:
        name, model = key
        ready = None if model is None else loaded(self._models.find(model))
        if name in PROGRESSIVE:
            return pour_all(PROGRESSIVE[name], ready, questions, self._map_parallel)
        answers = OPERATIONS[name].compute(ready, questions, self._map_parallel)
        return attempt_each(checked_value, answers)

    def _map_parallel(self, function: Callable[[Any], Result], items: Iterable[Any]) -> list[Result]:
        return list(self._workers.map(function, items))


def device_bytes(device: str) -> int | None:
    """What is taken of a GPU's memory by this process; None for the CPU, and before torch is loaded."""
    torch = sys.modules.get("torch")
    if device == "cpu" or torch is None or not torch.cuda.is_available():
        return None
    return int(torch.cuda.memory_allocated())


def opened(folder: Path, kind: ModelKind, device: str) -> tuple[Model, ModelFacts] | str:
    """A pack, or a sentence about why it cannot be used."""
    model = load_pack(folder, device)
    if isinstance(model, str):
        return model
    try:
        return model, facts_of(folder.name, model, fingerprint_of_code(), kind)
    except Exception:
        log.exception("pack %s loads, but what it says of itself cannot be read", folder.name)
        return f"{folder.name}: what it says of itself cannot be read; the server's log says why."


def described(model: Model | LazyModel) -> Described:
    """What a model says of itself."""
    return model.described if isinstance(model, LazyModel) else model


def answers_to(
    operation: Operation[Question, Result], model: Model | LazyModel | None, questions: Sequence[Question]
) -> list[Result]:
    """The answers to all questions. Raises the first of their errors."""
    ready = None if model is None else loaded(model)
    return [checked_value(answer) for answer in operation.compute(ready, questions, map_serially)]


def pour_all(
    operation: ProgressiveOperation[Question, Part],
    model: Model | None,
    outlets: Sequence[Outlet[Question, Part]],
    map_parallel: MapParallel,
) -> Sequence[Exception | None]:
    """Compute the answers to a batch into their outlets: one at the same time, of several each by one thread."""
    if len(outlets) == 1:
        return attempt_each(lambda outlet: pour(operation, model, outlet, map_parallel), outlets)
    return attempt_each(lambda outlet: pour(operation, model, outlet, map_serially), outlets, map_parallel)


def pour(
    operation: ProgressiveOperation[Question, Part],
    model: Model | None,
    outlet: Outlet[Question, Part],
    map_parallel: MapParallel,
) -> None:
    """Compute an answer part by part, as long as it is wanted."""
    for parts in operation.compute(model, outlet.question, map_parallel):
        if not outlet.wanted:
            return
        outlet.put([checked(part) for part in parts])


def checked_value(answer: Any) -> Any:
    """An answer of a batch. Raises the exception that stands in its place, and NotFinite."""
    return checked(value_of(answer))


def without_gradients() -> None:
    """Spare a thread the bookkeeping that only training needs."""
    import torch

    torch.set_grad_enabled(False)


def give_way() -> None:
    """Let whatever else wants a core have it first, in this thread; only Linux has a priority for each thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)


def collect(frozen: bool) -> None:
    """Let go of models that nobody uses: they hold references to themselves, which counting alone does not free.
    ``frozen``: also among those that were left out.
    """
    if frozen:
        gc.unfreeze()
    gc.collect()
    if frozen:
        gc.freeze()
    release_memory()


def release_memory() -> None:
    """Give memory that is no longer used back to the system; glibc would keep some 250 MB of what rendering took."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
