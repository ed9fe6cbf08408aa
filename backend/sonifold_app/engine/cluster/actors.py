"""Replicas as Ray's actors: the one module that speaks to Ray."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

from sonifold_app.engine.cluster.replica import Failed, Replica

#: Threads of a replica by kind of work, so that none waits for another kind.
GROUPS = {"batch": 1, "light": 2, "files": 2, "adapt": 1, "control": 2, "life": 1}
#: A call that takes longer is given up, and the replica with it: the slowest, a morph of many steps on a busy
#: machine, takes a tenth of that.
DEADLINE_SECONDS = 180.0
#: Of the memory that a local Ray shares between processes: some hundred answers on their way.
SHARED_BYTES = 256 << 20

log = logging.getLogger(__name__)


class ReplicaLost(Exception):
    """The process or its machine is gone, or does not answer; what it was asked may be asked elsewhere."""


class Process:
    """A replica that is spoken to in bytes: of what Ray itself hands over, no array may be written to."""

    def __init__(self, threads: int) -> None:
        self._replica = Replica(threads)

    def call(self, method: str, arguments: bytes) -> bytes:
        """What a method of the replica returns."""
        return pickle.dumps(getattr(self._replica, method)(*pickle.loads(arguments)))  # noqa: S301  # the server's

    def parts(self, arguments: bytes) -> Iterator[bytes]:
        """See ``Replica.parts``."""
        for parts in self._replica.parts(*pickle.loads(arguments)):  # noqa: S301  # the server's
            yield pickle.dumps(parts)


class Actors:
    """Starts and ends replicas in a cluster.

    Args:
        address: of the cluster, as ``ray start`` prints it; None: one on this machine, for as long as this process.
        cpus, gpus: what a replica takes of its machine; parts of a GPU are shared.
        local_cpus: of the cluster on this machine.
    """

    def __init__(
        self, address: str | None = None, *, cpus: float = 1.0, gpus: float = 0.0, local_cpus: int = 1
    ) -> None:
        self._address, self._cpus, self._gpus, self._local_cpus = address, cpus, gpus, local_cpus
        self._joined = False

    def connect(self) -> None:
        """Join the cluster. Raises ConnectionError where there is none."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        import ray

        if ray.is_initialized():
            return
        local = {
            "num_cpus": self._local_cpus,
            "object_store_memory": SHARED_BYTES,
            "include_dashboard": False,
        }
        ray.init(
            self._address or "local",
            namespace="sonifold",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if self._address else local),
        )
        self._joined = True

    def disconnect(self) -> None:
        """Leave the cluster; one on this machine ends."""
        if self._joined:
            import ray

            ray.shutdown()

    def begin(self) -> Any:
        """A replica on its way."""
        import ray

        actor = ray.remote(
            num_cpus=self._cpus,
            num_gpus=self._gpus,
            max_restarts=0,  # the fleet begins others, and asks them
            max_task_retries=0,
            scheduling_strategy="SPREAD",  # over the machines, so that one that is lost has few of them
            concurrency_groups=GROUPS,
        )(Process)
        return actor.remote(max(1, int(self._cpus)))

    def end(self, actor: Any) -> None:
        """Let go of a replica, whatever it does."""
        import ray

        ray.kill(actor)


def submit(actor: Any, method: str, *arguments: Any, group: str = "control") -> Any:
    """Have a replica's method called; the reference to its answer."""
    import ray

    return actor.call.options(concurrency_group=group).remote(method, ray.cloudpickle.dumps(arguments))


def answer_of(reference: Any, seconds: float = DEADLINE_SECONDS) -> Any:
    """Wait for an answer. Raises the error that it has, and ReplicaLost."""
    import ray

    try:
        answer = pickle.loads(ray.get(reference, timeout=seconds))  # noqa: S301  # of a replica of ours
    except ray.exceptions.RayTaskError:
        raise  # a mistake of ours in the replica
    except ray.exceptions.RayError as error:
        raise ReplicaLost(f"{type(error).__name__}: {error}") from error
    if isinstance(answer, Failed):
        raise answer.error
    return answer


def parts_of(actor: Any, run: str, *arguments: Any) -> Iterator[Any]:
    """An answer's parts as they come: lists, or ``replica.Missing``. Raises as ``answer_of`` does."""
    import ray

    method = actor.parts.options(num_returns="streaming", concurrency_group="batch")
    stream = method.remote(ray.cloudpickle.dumps((run, *arguments)))
    while True:
        if not ray.wait([stream], timeout=DEADLINE_SECONDS)[0]:
            raise ReplicaLost(f"no part within {DEADLINE_SECONDS:.0f} seconds")
        try:
            reference = next(stream)
        except StopIteration:
            return
        yield answer_of(reference)


def ready_of(references: Sequence[Any]) -> list[Any]:
    """Those whose answers, or ends, are there."""
    import ray

    if not references:
        return []
    ready, _ = ray.wait(list(references), num_returns=len(references), timeout=0, fetch_local=False)
    return list(ready)
