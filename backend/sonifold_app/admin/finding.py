"""What a check of ``sonifold doctor`` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. A problem keeps Sonifold, or a part of it, from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line; ``advice`` says what to do about what is not well."""

    level: Level
    message: str
    advice: str = ""


def ok(message: str) -> Finding:
    return Finding(Level.OK, message)


def warning(message: str, advice: str) -> Finding:
    return Finding(Level.WARNING, message, advice)


def problem(message: str, advice: str) -> Finding:
    return Finding(Level.PROBLEM, message, advice)
