"""What the answers of listeners show, one listener at a time and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sonifold.listening.statistics import Alternative, Interval, binomial_p, sign_flip_p, sign_p, wilson

POOLED_BY = "exact sign-flip randomisation test, listeners as units (Fisher 1935)"
Preferred = Literal["a", "b", "none"]


@dataclass(frozen=True)
class Abx:
    """Of one listener: hits among trials, and how likely guessing does as well."""

    trials: int
    hits: int
    p: float  # exact one-sided binomial test
    share: Interval

    @property
    def score(self) -> int:
        """Hits less misses."""
        return 2 * self.hits - self.trials


@dataclass(frozen=True)
class Preference:
    """Of one listener: how often each condition was preferred, and neither."""

    trials: int
    a: int
    b: int
    ties: int
    p: float  # exact two-sided sign test of those that are no ties
    share: Interval  # of a among them

    @property
    def score(self) -> int:
        """Preferences for a less those for b."""
        return self.a - self.b


@dataclass(frozen=True)
class Pooled:
    """Of several listeners, by a test that takes each as one witness."""

    listeners: int
    p: float
    test: str
    mean_share: float  # of the listeners' shares, each counted once


def abx(correct: Sequence[bool]) -> Abx:
    """The result of one listener's trials."""
    hits, trials = sum(correct), len(correct)
    return Abx(trials, hits, binomial_p(hits, trials), wilson(hits, trials))


def preference(preferred: Sequence[Preferred]) -> Preference:
    """The result of one listener's trials."""
    a, b = preferred.count("a"), preferred.count("b")
    return Preference(len(preferred), a, b, len(preferred) - a - b, sign_p(a, b), wilson(a, a + b))


def pool(results: Sequence[Abx | Preference]) -> Pooled | None:
    """Several listeners together: None of fewer than two, who are not several."""
    if len(results) < 2:
        return None
    alternative: Alternative = "greater" if isinstance(results[0], Abx) else "two-sided"
    shares = [result.share.share for result in results if result.share.share == result.share.share]
    return Pooled(
        len(results),
        sign_flip_p([result.score for result in results], alternative),
        f"{POOLED_BY}, {'one-sided' if alternative == 'greater' else alternative}",
        sum(shares) / len(shares) if shares else 0.5,
    )
