"""What keeps the service from its work: each part of it answers for itself when ``/readyz`` asks."""

from __future__ import annotations

from collections.abc import Callable

#: A sentence about what is wrong with a part and what to do, or None.
Check = Callable[[], str | None]


class Readiness:
    """Checks by part: ``readiness.add("storage", check)``. A check is short and may be called from any thread."""

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Check, bool]] = {}

    def add(self, part: str, check: Check, *, needed: bool = True) -> None:
        """``needed``: without this part the service is not ready; a problem of another part is only told."""
        self._checks[part] = check, needed

    def problems(self) -> tuple[dict[str, str], bool]:
        """A sentence for each part that cannot do its work, and whether the service is ready all the same."""
        answers = {part: check() for part, (check, _) in self._checks.items()}
        sentences = {part: problem for part, problem in answers.items() if problem is not None}
        return sentences, not any(self._checks[part][1] for part in sentences)
