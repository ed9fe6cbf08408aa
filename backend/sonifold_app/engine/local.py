"""The engine in this process: packs in memory, and one thread that computes for all who ask together.

torch and the packs are loaded in a thread of their own, so that the server answers from its first second on.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sonifold import errors
from sonifold_app.engine import adapting, compute, exports, places, uploads
from sonifold_app.engine.base import (
    Adapted,
    Admitted,
    Analogy,
    AnalogyQuery,
    Anchor,
    AudioFormat,
    Catalogue,
    CutFile,
    Decoded,
    Draw,
    Embedding,
    ExportQuery,
    Extrapolation,
    ExtrapolationQuery,
    Hearing,
    Indicatrices,
    IndicatrixQuery,
    Kept,
    Mean,
    MeanQuery,
    ModelFacts,
    ModelKind,
    Morph,
    MorphQuery,
    Neighbour,
    NeighbourQuery,
    Numbers,
    OwnPlaces,
    PathQuery,
    Provenance,
    SampleQuery,
    Settled,
    SoundFile,
    SplitFile,
    StoredAudio,
    TracedPath,
    Traversal,
    TraversalQuery,
    Upload,
)
from sonifold_app.engine.batching import BACKGROUND, Batcher, Spread, attempt_each
from sonifold_app.engine.finite import checked
from sonifold_app.engine.packs import facts_of, fingerprint_of_code, load_pack, load_packs
from sonifold_app.engine.pools import Pool

if TYPE_CHECKING:
    from sonifold.model import Model

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Of threads that give way to others, as in ``nice``.
LOW_PRIORITY = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operation:
    """One of the things that wait for company. ``most`` in a batch; those of lower ``rank`` go first.

    ``seconds``: what one of size 1 takes, until it has been seen; ``size``: what it takes, compared with others.
    """

    compute: Callable[[Model, Sequence[Any], Spread], Sequence[Any]]
    most: int
    rank: int = 0
    seconds: float = 0.3
    size: Callable[[Any], float] = lambda _: 1.0


#: Small batches keep the first of a crowd from waiting for the last, and a morph from waiting for twenty
#: files.
OPERATIONS: Mapping[str, Operation] = {
    "trace": Operation(compute.traces, most=64),
    "morph": Operation(
        compute.morphs, most=4, seconds=1.0, size=lambda query: len(query.kinds) * query.steps / 34
    ),
    "decode": Operation(compute.decodings, most=32, seconds=0.05),
    "embed": Operation(compute.embeddings, most=4, rank=1),
    "admit": Operation(uploads.admissions, most=4, rank=1),
    "mean": Operation(places.each(places.mean), most=4),
    "analogy": Operation(places.each(places.analogy), most=4),
    "extrapolate": Operation(places.each(places.extrapolation), most=4),
    "describe": Operation(compute.descriptions, most=64),
    "traversal": Operation(places.each(places.traversal), most=4),
    "sample": Operation(places.each(places.draw), most=2),
    "neighbours": Operation(places.each(places.neighbours), most=8),
    "indicatrices": Operation(places.each(places.indicatrices), most=2),
    "export": Operation(places.each(exports.export), most=2, rank=1),
    "settle": Operation(adapting.settled, most=8, rank=1),
}


class LocalEngine:
    """Packs of a folder, computed with in this process."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        threads: int = 1,
        load: Callable[[], tuple[Mapping[str, Model], Mapping[str, str]]] | None = None,
        window: float = 0.003,
        device: str = "cpu",
        freeze: bool = False,
    ) -> None:
        """``load`` gives the models by name and the sentences about those that cannot be loaded; by default it reads
        the packs in ``folder``. ``threads``: computations at the same time. ``window``: seconds that a request waits
        for others to join it. ``device``: where they compute, see ``sonifold.device``. ``freeze``: for a process that
        does nothing else; what is there once the packs are loaded is left out of the search for garbage, which would
        hold up everything for most of a second."""
        self._load = load or functools.partial(load_packs, folder, device)
        self._device = device
        self._window, self._freeze = window, freeze
        self._models: Mapping[str, Model] = {}
        self._unusable: Mapping[str, str] = {}
        self._catalogue: Future[Catalogue] = Future()
        self._batcher: Batcher[tuple[str, str]] | None = None
        self._workers = ThreadPoolExecutor(
            max_workers=threads, thread_name_prefix="sonifold-compute", initializer=without_gradients
        )
        self._light = Pool("sonifold-light", 2, idle=release_memory)
        # Seconds each, and some hundred megabytes: nobody who wants to hear something waits for them.
        self._files = Pool("sonifold-files", 2, begin=give_way, idle=release_memory)
        # Half a second each, and half a gigabyte for many sounds: beside the morphs, but one at a time.
        self._adapting = Pool("sonifold-adapt", 1, begin=without_gradients, idle=release_memory)

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        self._batcher = Batcher(
            self._run,
            window=self._window,
            most=lambda key: OPERATIONS[key[0]].most,
            idle=release_memory,
            guess=lambda key: OPERATIONS[key[0]].seconds,
            size=lambda key, item: OPERATIONS[key[0]].size(item),
        )
        threading.Thread(target=self._open, name="sonifold-load", daemon=True).start()

    def close(self) -> None:
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
            self._models, self._unusable = self._load()
            code = fingerprint_of_code()
            facts = {name: facts_of(name, model, code) for name, model in self._models.items()}
        except Exception as error:
            log.exception("the packs could not be loaded")
            self._catalogue.set_exception(error)
            return
        if self._freeze:
            gc.collect()
            gc.freeze()
        for name, problem in self._unusable.items():
            log.warning("model %s cannot be used: %s", name, problem)
        self._catalogue.set_result(Catalogue(facts, dict(self._unusable)))

    async def catalogue(self, timeout: float) -> Catalogue | None:
        if self._catalogue.done():
            return self._catalogue.result()
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(asyncio.wrap_future(self._catalogue))
        except TimeoutError:
            return None

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        found = await self._files.run(opened, folder, kind, self._device)
        if isinstance(found, str):
            log.warning("model %s cannot be used: %s", folder.name, found)
            self._unusable = {**self._unusable, folder.name: found}
            self._announce(self._catalogue.result().models)
            return found
        model, facts = found
        self._models = {**self._models, folder.name: model}
        self._announce({**self._catalogue.result().models, folder.name: facts})
        return None

    async def retitle(self, model: str, title: str) -> None:
        models = self._catalogue.result().models
        if model in models:
            self._announce({**models, model: replace(models[model], title=title)})

    async def adapt(self, model: str, name: str, sounds: Sequence[Kept], seed: int) -> Adapted:
        adapted = await self._adapting.run(adapting.adapted, self._model(model), sounds, seed)
        self._models = {**self._models, name: adapted}
        return adapting.told(adapted)

    async def shut(self, model: str) -> None:
        self._models = {name: one for name, one in self._models.items() if name != model}
        compute.recall.cache_clear()  # it would hold on to the model
        listed = model in self._catalogue.result().models.keys() | self._unusable.keys()
        if listed:
            self._unusable = {name: why for name, why in self._unusable.items() if name != model}
            left = self._catalogue.result().models.items()
            self._announce({name: facts for name, facts in left if name != model})
        await self._adapting.run(collect, self._freeze and listed)

    def _announce(self, models: Mapping[str, ModelFacts]) -> None:
        """What there is from now on."""
        catalogue: Future[Catalogue] = Future()
        catalogue.set_result(Catalogue(models, dict(self._unusable)))
        self._catalogue = catalogue

    # -- what waits for company ----------------------------------------------------------------

    async def trace(self, model: str, query: PathQuery) -> list[TracedPath]:
        return await self._together("trace", model, query)

    async def morph(self, model: str, query: MorphQuery) -> list[Morph]:
        return await self._together("morph", model, query)

    async def decode(
        self, model: str, anchors: Sequence[Anchor], amounts: Mapping[str, float] | None = None
    ) -> list[Decoded]:
        turned = tuple((amounts or {}).items())
        return await self._each("decode", model, [Hearing(anchor, turned) for anchor in anchors])

    async def settle(self, model: str, sounds: Sequence[Kept], *, behind: bool = False) -> list[Settled]:
        return await self._each("settle", model, sounds, behind)

    async def embed(self, model: str, uploads: Sequence[Upload]) -> list[Embedding]:
        return await self._each("embed", model, uploads)

    async def admit(
        self, model: str, sounds: Sequence[Upload | Anchor], *, behind: bool = False
    ) -> list[Admitted]:
        return await self._each("admit", model, sounds, behind)

    async def export(self, model: str, query: ExportQuery) -> list[SoundFile]:
        return await self._together("export", model, query)

    async def mean(self, model: str, query: MeanQuery) -> Mean:
        return await self._together("mean", model, query)

    async def analogy(self, model: str, query: AnalogyQuery) -> Analogy:
        return await self._together("analogy", model, query)

    async def extrapolate(self, model: str, query: ExtrapolationQuery) -> Extrapolation:
        return await self._together("extrapolate", model, query)

    async def describe(self, model: str, anchors: Sequence[Anchor]) -> list[Mapping[str, float]]:
        return await self._each("describe", model, anchors)

    async def traversal(self, model: str, query: TraversalQuery) -> Traversal:
        return await self._together("traversal", model, query)

    async def sample(self, model: str, query: SampleQuery) -> Draw:
        return await self._together("sample", model, query)

    async def indicatrices(self, model: str, query: IndicatrixQuery) -> Indicatrices:
        return await self._together("indicatrices", model, query)

    async def neighbours(self, model: str, query: NeighbourQuery) -> list[Neighbour]:
        return await self._together("neighbours", model, query)

    async def _together(self, operation: str, model: str, item: Any) -> Any:
        (result,) = await self._each(operation, model, [item])
        return result

    async def _each(
        self, operation: str, model: str, items: Sequence[Any], behind: bool = False
    ) -> list[Any]:
        """Raises BusyError where too much is ahead of them, unless they are done behind everything else."""
        self._model(model)  # an unknown name fails here, before it waits in line
        assert self._batcher is not None, "start() comes first"
        rank = BACKGROUND if behind else OPERATIONS[operation].rank
        futures = self._batcher.submit_all((operation, model), items, rank=rank)
        return await all_of([asyncio.wrap_future(future) for future in futures])

    def _run(self, key: tuple[str, str], items: Sequence[Any]) -> Sequence[Any]:
        operation, name = key
        answers = OPERATIONS[operation].compute(self._model(name), items, self._spread)
        return attempt_each(raised_or_checked, answers)

    def _spread(self, function: Callable[[Any], Result], items: Iterable[Any]) -> list[Result]:
        return list(self._workers.map(function, items))

    # -- what is over at once ------------------------------------------------------------------

    async def place(self, model: str, points: Numbers) -> Numbers:
        return checked(await self._light.run(compute.placed, self._model(model), points))

    async def lift(self, model: str, positions: Numbers) -> Numbers:
        return checked(await self._light.run(compute.lifted, self._model(model), positions))

    async def distances(self, model: str, anchor: Anchor, own: OwnPlaces | None = None) -> Numbers:
        return checked(await self._light.run(compute.distances_of, self._model(model), anchor, own))

    async def original(self, model: str, sound: str) -> StoredAudio:
        return await self._light.run(compute.original_of, self._model(model), sound)

    async def convert(self, audio: bytes, format: AudioFormat, provenance: Provenance | None = None) -> bytes:
        return await self._light.run(compute.converted, audio, format, provenance)

    async def split(self, upload: Upload, threshold: float | None) -> SplitFile:
        return checked(await self._files.run(uploads.split, upload, threshold))

    async def cut(self, upload: Upload, spans: Sequence[tuple[float, float]]) -> CutFile:
        return await self._files.run(uploads.cut, upload, spans)

    async def fingerprints(self, sounds: Sequence[bytes]) -> list[bytes]:
        return await self._files.run(uploads.fingerprints, sounds)

    async def duplicates(self, fingerprints: Sequence[bytes]) -> list[tuple[int, int, float]]:
        return await self._files.run(uploads.duplicates, fingerprints)

    def _model(self, name: str) -> Model:
        if name in self._unusable:
            raise errors.PackInvalid(self._unusable[name])
        if name not in self._models:
            raise errors.PackNotFound(
                f"no model named {name!r}; this server has {sorted(self._models)}. "
                "Pick one of these, or put its folder among the packs and restart."
            )
        return self._models[name]


def opened(folder: Path, kind: ModelKind, device: str) -> tuple[Model, ModelFacts] | str:
    """A pack, or a sentence about why it cannot be used."""
    found = load_pack(folder, device)
    if isinstance(found, str):
        return found
    try:
        return found, facts_of(folder.name, found, fingerprint_of_code(), kind)
    except Exception:
        log.exception("pack %s loads, but what it says of itself cannot be read", folder.name)
        return f"{folder.name}: what it says of itself cannot be read; the server's log says why."


def raised_or_checked(answer: Any) -> Any:
    """An answer of a batch. Raises what it is if it is an exception, and NotFinite."""
    if isinstance(answer, Exception):
        raise answer
    return checked(answer)


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


async def all_of(futures: Sequence[asyncio.Future[Result]]) -> list[Result]:
    """Wait for all; once one has failed, or nobody waits any more, the others need not be computed."""
    try:
        return await asyncio.gather(*futures)
    finally:
        for future in futures:
            future.cancel()
