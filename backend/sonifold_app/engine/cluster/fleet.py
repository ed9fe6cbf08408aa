"""The replicas that a server has: as many as are wanted, those that are lost replaced, and each question to one that
has time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sonifold.files import may_pass
from sonifold_app.engine.cluster.actors import Actors, ReplicaLost, answer_of, parts_of, ready_of, submit
from sonifold_app.engine.cluster.replica import AdaptedRecipe, Loaded, Missing, PackRecipe
from sonifold_app.engine.cluster.scaling import Scaling
from sonifold_app.engine.protocol import EngineUnavailableError

#: Between looks at the replicas.
LOOK_SECONDS = 0.1
#: Replicas that a question may lose: perhaps it is what ends them.
ATTEMPTS = 3
#: A question waits so long for a replica where there is none.
PATIENCE_SECONDS = 20.0
#: After a replica could not be started.
PAUSE_SECONDS = 2.0

#: Of a question that was given up.
ENDED = "each process that began with it has ended before it was done"

Recipe = PackRecipe | AdaptedRecipe
Load = Callable[[], tuple[Any, Mapping[str, str]]]

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Member:
    """A replica that answers, or is about to. ``life``: ends with its process."""

    actor: Any
    loading: Any
    life: Any
    busy: int = 0  # calls under way


class Fleet:
    """Safe to use from several threads.

    Args:
        actors: where replicas come from.
        load, device: what each of them has from the start, see ``Replica.load``.
        recipe_of: how to make another model, by its name. Raises PackNotFound where it is open no more.
        wait_of: seconds that a new question would wait.
    """

    def __init__(
        self,
        actors: Actors,
        scaling: Scaling,
        load: Load,
        device: str,
        *,
        recipe_of: Callable[[str], Recipe],
        wait_of: Callable[[], float],
    ) -> None:
        self._actors, self._scaling = actors, scaling
        self._load, self._device = load, device
        self._recipe_of, self._wait_of = recipe_of, wait_of
        self._changed = threading.Condition()
        self._members: list[Member] = []
        self._starting: list[Member] = []
        self._loaded: Loaded | None = None
        self._failure: Exception | None = None  # that another replica would have too
        self._not_before = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sonifold-fleet", daemon=True)

    def start(self) -> Loaded:
        """Begin, and wait for the first replica; what it has. Raises the error of loading it, and RuntimeError where
        the fleet is closed before.
        """
        self._connect()
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._loaded or self._failure or self._closing.is_set())
        if self._failure is not None:
            raise self._failure
        if self._loaded is None:
            raise RuntimeError("the engine was closed before its packs were loaded")
        return self._loaded

    def _connect(self) -> None:
        """Join the cluster, however long that takes."""
        while not self._closing.is_set():
            try:
                return self._actors.connect()
            except Exception as error:  # Ray raises some of no kind of its own
                log.warning("the cluster cannot be joined: %s; again in %g s", error, PAUSE_SECONDS)
                self._closing.wait(PAUSE_SECONDS)

    def end_waiting(self) -> None:
        """No more replicas are waited for: whoever does has an error."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of all replicas."""
        self.end_waiting()
        if self._thread.is_alive():
            self._thread.join()
        for member in [*self._members, *self._starting]:
            self._actors.end(member.actor)
        self._members, self._starting = [], []
        self._actors.disconnect()

    @property
    def size(self) -> int:
        """Replicas that answer."""
        return len(self._members)

    # -- questions -------------------------------------------------------------------------------

    def ask(self, method: str, *arguments: Any, group: str, attempts: int | None = None) -> Any:
        """What a replica's method returns; where the replica is lost, what another's does. Raises its error, and
        EngineUnavailableError. ``attempts``: replicas that may be lost by it; by default as many as by any question.
        """
        for _ in range(attempts or ATTEMPTS):
            member = self._take()
            try:
                return self._answer(member, method, *arguments, group=group)
            except ReplicaLost as error:
                self._lose(member, error)
            finally:
                self._give_back(member)
        raise EngineUnavailableError(ENDED)

    def parts(self, run: str, *arguments: Any, wanted: Callable[[], bool]) -> Iterator[list[Any]]:
        """An answer's parts, as long as they are ``wanted``; where the replica is lost, the rest from another. The same
        errors.
        """
        passed = 0  # parts that need not come again
        for _ in range(ATTEMPTS):
            member, count = self._take(), 0
            try:
                for parts in self._parts(member, run, *arguments):
                    if not wanted():
                        submit(member.actor, "stop", run)
                        return
                    new = parts[max(0, passed - count) :]
                    count += len(parts)
                    passed = max(passed, count)
                    yield new
                return
            except ReplicaLost as error:
                self._lose(member, error)
            finally:
                self._give_back(member)
        raise EngineUnavailableError(ENDED)

    def tell(self, method: str, *arguments: Any) -> None:
        """Have all replicas do something, and do not wait."""
        for member in list(self._members):
            submit(member.actor, method, *arguments)

    def _answer(self, member: Member, method: str, *arguments: Any, group: str) -> Any:
        while isinstance(answer := answer_of(submit(member.actor, method, *arguments, group=group)), Missing):
            self._prepare(member, answer.model)
        return answer

    def _parts(self, member: Member, *arguments: Any) -> Iterator[list[Any]]:
        for parts in parts_of(member.actor, *arguments):
            if isinstance(parts, Missing):
                self._prepare(member, parts.model)
                yield from self._parts(member, *arguments)
                return
            yield parts

    def _prepare(self, member: Member, model: str) -> None:
        """Make a model in a replica. Raises its error."""
        recipe = self._recipe_of(model)
        if answer_of(submit(member.actor, "has", model, group="adapt")):
            return  # somebody else had it made meanwhile
        self._answer(member, method_of(recipe), model, recipe, group="adapt")

    def _take(self) -> Member:
        """The replica that has least to do. Raises EngineUnavailableError."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: bool(self._members) or self._closing.is_set(), PATIENCE_SECONDS
            ):
                raise EngineUnavailableError("no process of the cluster answers")
            if not self._members:
                raise EngineUnavailableError("the server is ending")
            member = min(self._members, key=lambda member: member.busy)
            member.busy += 1
            return member

    def _give_back(self, member: Member) -> None:
        with self._changed:
            member.busy -= 1

    def _lose(self, member: Member, error: Exception) -> None:
        with self._changed:
            if member not in self._members:
                return
            self._members.remove(member)
        log.warning(
            "a replica is lost, and what it computed is asked elsewhere: %s", str(error).split("\n")[0]
        )
        self._end(member)

    # -- how many there are ------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            try:
                self._look()
            except Exception:
                log.exception("the replicas cannot be looked at")
                self._closing.wait(PAUSE_SECONDS)

    def _look(self) -> None:
        """Take in what has started, let go of what has ended, and begin or end what is too few or too many."""
        for member in self._having_ended(self._members):
            self._lose(member, ReplicaLost("its process has ended"))
        started = set(ready_of([member.loading for member in self._starting]))
        for member in [member for member in self._starting if member.loading in started]:
            self._starting.remove(member)
            self._take_in(member)
        now = time.monotonic()
        count = len(self._members) + len(self._starting)
        busy = sum(member.busy > 0 for member in self._members)
        wanted = self._scaling.wanted(now, count, self._wait_of(), busy)
        if wanted > count and now >= self._not_before:
            self._begin()
        elif wanted < count:
            self._end_idle()

    def _having_ended(self, members: list[Member]) -> list[Member]:
        ended = set(ready_of([member.life for member in members]))
        return [member for member in members if member.life in ended]

    def _begin(self) -> None:
        actor = self._actors.begin()
        loading = submit(actor, "load", self._load, self._device)
        self._starting.append(Member(actor, loading, submit(actor, "live", group="life")))

    def _take_in(self, member: Member) -> None:
        """Have it answer, if it has loaded what the first one did."""
        try:
            loaded: Loaded = answer_of(member.loading)
        except Exception as error:
            log.warning("a replica could not be started: %s; again in %g s", error, PAUSE_SECONDS)
            self._refuse(member)
            if self._loaded is None and not isinstance(error, ReplicaLost) and not may_pass(error):
                with self._changed:
                    self._failure = error
                    self._changed.notify_all()
            return
        if self._loaded is not None and versions(loaded) != versions(self._loaded):
            log.error(
                "a replica has other packs or another version of Sonifold than the first; it is not used"
            )
            self._refuse(member)
            return
        with self._changed:
            self._loaded = self._loaded or loaded
            self._members.append(member)
            self._changed.notify_all()

    def _refuse(self, member: Member) -> None:
        self._not_before = time.monotonic() + PAUSE_SECONDS
        self._end(member)

    def _end_idle(self) -> None:
        """One less, of those that have nothing to do."""
        with self._changed:
            idle = next((member for member in reversed(self._members) if member.busy == 0), None)
            if idle is None:
                return
            self._members.remove(idle)
        self._end(idle)

    def _end(self, member: Member) -> None:
        try:
            self._actors.end(member.actor)
        except Exception as error:  # the cluster has let go of it already
            log.debug("a replica cannot be ended: %s", error)


def method_of(recipe: Recipe) -> str:
    """The replica's method that makes a model."""
    return "open" if isinstance(recipe, PackRecipe) else "adapt"


def versions(loaded: Loaded) -> dict[str, str]:
    """What tells whether two replicas give the same answers."""
    return {name: facts.version for name, facts in loaded.facts.items()}
