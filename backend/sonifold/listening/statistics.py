"""Exact statistics of listening tests with a few dozen trials, where approximations by the normal curve are off.

All sums are of integers, so that p is exact to the last bit of its float.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist
from typing import Literal

ALPHA = 0.05
Alternative = Literal["greater", "two-sided"]


@dataclass(frozen=True)
class Interval:
    """A share of trials with its confidence interval, each 0 to 1."""

    share: float
    low: float
    high: float


def binomial_p(hits: int, trials: int) -> float:
    """Probability of at least so many hits by guessing: the exact one-sided binomial test against 1/2."""
    _require_count(hits, trials)
    return float(Fraction(sum(math.comb(trials, k) for k in range(hits, trials + 1)), 2**trials))


def sign_p(first: int, second: int) -> float:
    """Exact two-sided sign test of so many preferences for the first and for the second; ties are left out before."""
    trials = first + second
    return min(1.0, 2 * binomial_p(max(first, second), trials))


def critical_hits(trials: int, alpha: float = ALPHA) -> int | None:
    """Fewest hits that guessing reaches with a probability of at most ``alpha``; None where all hits are too few."""
    return next((hits for hits in range(trials + 1) if binomial_p(hits, trials) <= alpha), None)


def power(
    trials: int, true_share: float, alpha: float = ALPHA, alternative: Alternative = "greater"
) -> float:
    """Probability that a test of so many trials comes out significant, for a listener right in ``true_share`` of them.

    Two-sided: for a preference that strong, either way counts.
    """
    critical = critical_hits(trials, alpha if alternative == "greater" else alpha / 2)
    if critical is None:
        return 0.0
    upper = _tail(critical, trials, true_share)
    return upper if alternative == "greater" else upper + _tail(critical, trials, 1 - true_share)


def wilson(hits: int, trials: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval (Wilson 1927) of a share; of no trials, all of 0 to 1."""
    _require_count(hits, trials)
    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    z2 = NormalDist().inv_cdf(0.5 + confidence / 2) ** 2
    share = hits / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == trials else centre + half
    return Interval(share, low, high)


def sign_flip_p(scores: Sequence[int], alternative: Alternative) -> float:
    """Fisher's randomisation test, exact: probability of a sum at least as large where each score has either sign.

    One score a listener. Trials of one listener are no independent witnesses for another, so they are not added up:
    the listener is the unit, and four of them cannot reach .05 however sure each is.
    """
    ways = {0: 1}
    for score in scores:
        flipped: dict[int, int] = {}
        for total, count in ways.items():
            for signed in (total + score, total - score):
                flipped[signed] = flipped.get(signed, 0) + count
        ways = flipped
    observed = sum(scores)
    if alternative == "greater":
        extreme = sum(count for total, count in ways.items() if total >= observed)
    else:
        extreme = sum(count for total, count in ways.items() if abs(total) >= abs(observed))
    return float(Fraction(extreme, 2 ** len(scores)))


def _tail(hits: int, trials: int, share: float) -> float:
    return math.fsum(
        math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(hits, trials + 1)
    )


def _require_count(hits: int, trials: int) -> None:
    if not 0 <= hits <= trials:
        raise ValueError(f"hits lie between 0 and the number of trials, got {hits} of {trials}.")
