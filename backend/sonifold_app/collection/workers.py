"""A pool of workers that outlives any of them: a file that ends its worker is one file that cannot be read."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from sonifold_app.collection import worker
from sonifold_app.collection.worker import Outcome, Space
from sonifold_app.store.derived import parts_of

#: Files that a worker takes at once.
CHUNK = 16

Files = list[tuple[int, str]]


class Workers:
    """Processes that analyse files; close them after use."""

    def __init__(self, count: int, database: Path, pack: str, models: Path | None) -> None:
        self._count, self._arguments = count, (database, pack, models)
        self._pool = self._new_pool()

    def space(self) -> Space:
        """The latent space of the pack, once it is loaded."""
        try:
            return self._pool.submit(worker.space).result()
        except BrokenProcessPool:
            self._pool = self._new_pool()
            return worker.FileWorker(*self._arguments).space  # raises what ended the workers

    def outcomes(self, files: Iterable[tuple[int, str]]) -> Iterator[list[Outcome]]:
        """Of files (id, path), in lists as they come."""
        chunks, running = parts_of(files, CHUNK), deque[tuple[Files, Future[list[Outcome]]]]()
        for chunk in chunks:
            while len(running) > 2 * self._count:
                yield from self._next(running)
            running.append((chunk, self._submit(chunk)))
        while running:
            yield from self._next(running)

    def close(self) -> None:
        """End them; what they have under way comes to nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self, running: deque[tuple[Files, Future[list[Outcome]]]]) -> Iterator[list[Outcome]]:
        chunk, future = running.popleft()
        try:
            yield future.result()
        except BrokenProcessPool:
            waiting = [*chunk, *(file for files, _ in running for file in files)]
            running.clear()
            self._pool = self._new_pool()
            for file in waiting:
                yield [self._alone(file)]

    def _alone(self, file: tuple[int, str]) -> Outcome:
        """Of one file with nothing beside it, so that it is known which file ends a worker."""
        try:
            return self._pool.submit(worker.outcomes, [file]).result()[0]
        except BrokenProcessPool:
            self._pool = self._new_pool()
            return Outcome(file[0], reason="its analysis ended the process that did it.")

    def _submit(self, chunk: Files) -> Future[list[Outcome]]:
        try:
            return self._pool.submit(worker.outcomes, chunk)
        except BrokenProcessPool as error:
            broken: Future[list[Outcome]] = Future()
            broken.set_exception(error)
            return broken

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._count, multiprocessing.get_context("spawn"), worker.begin, self._arguments
        )
