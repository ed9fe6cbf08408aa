"""Blind listening tests: what is played, in which order, how loud, and what the answers show.

A *test* puts *trials* before *listeners*. In an ABX trial X is one of two sounds, and the listener says which ("is
there a difference?"); in a preference trial they say which of two they prefer, or neither ("which is better?").
"""

from sonifold.listening.drawing import Trial, draw_pairs, draw_trials
from sonifold.listening.results import Abx, Pooled, Preference, abx, pool, preference
from sonifold.listening.statistics import Interval, binomial_p, critical_hits, power, sign_p, wilson

__all__ = [
    "Abx",
    "Interval",
    "Pooled",
    "Preference",
    "Trial",
    "abx",
    "binomial_p",
    "critical_hits",
    "draw_pairs",
    "draw_trials",
    "pool",
    "power",
    "preference",
    "sign_p",
    "wilson",
]
