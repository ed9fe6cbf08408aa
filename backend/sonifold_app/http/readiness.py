"""What keeps the service from its work: each part of it answers for itself when ``/readyz`` asks."""

from __future__ import annotations

from collections.abc import Callable

#: A sentence about what is wrong with a part and what to do, or None.
Check = Callable[[], str | None]


class Readiness:
    """Checks by part: ``readiness.add("storage", check)``. A check is short and may be called from any thread."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, part: str, check: Check) -> None:
        self._checks[part] = check

    def problems(self) -> dict[str, str]:
        """A sentence for each part that cannot do its work."""
        answers = {part: check() for part, check in self._checks.items()}
        return {part: problem for part, problem in answers.items() if problem is not None}
