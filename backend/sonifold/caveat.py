"""Something to know about a result before trusting it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caveat:
    """Something to know about a result before trusting it."""

    code: str  # for programs; stays the same between versions
    text: str  # for people
