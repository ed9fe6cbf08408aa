"""How many replicas there should be, by what waits."""

from __future__ import annotations

from dataclasses import dataclass

#: A new question would wait for more than so many seconds, for so long: one replica more.
WAIT_SECONDS = 1.0
GROW_SECONDS = 1.0
#: One would have done for so long: one less. Loading a model again takes seconds, having it in memory costs nothing
#: but room.
SHRINK_SECONDS = 60.0


@dataclass
class Scaling:
    """Between ``least`` and ``most`` replicas; told of each look at the lines."""

    least: int
    most: int
    _crowded_since: float | None = None
    _roomy_since: float | None = None

    def wanted(self, now: float, replicas: int, wait: float, busy: int) -> int:
        """How many there should be.

        Args:
            now: seconds of a clock that never goes back.
            replicas: those there are and those that are on their way.
            wait: seconds that a new question would wait.
            busy: replicas that compute.
        """
        crowded = wait > WAIT_SECONDS
        self._crowded_since = (
            (self._crowded_since if self._crowded_since is not None else now) if crowded else None
        )
        roomy = wait == 0 and busy < replicas
        self._roomy_since = (self._roomy_since if self._roomy_since is not None else now) if roomy else None
        if replicas < self.least:
            return self.least
        if self._crowded_since is not None and now - self._crowded_since >= GROW_SECONDS:
            self._crowded_since = now
            return min(replicas + 1, self.most)
        if self._roomy_since is not None and now - self._roomy_since >= SHRINK_SECONDS:
            self._roomy_since = now
            return max(replicas - 1, self.least)
        return min(replicas, self.most)
