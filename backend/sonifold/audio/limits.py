"""Limits of length, count and rate that reading, splitting, preparing and the service share."""

from __future__ import annotations

MIN_SECONDS = 0.01  # of a sound: shorter than any hit
MAX_SECONDS = 10.0  # of a sound
#: Of a recording that is split, where its sample rate allows.
MAX_SPLIT_SECONDS = 240.0
SLACK_SECONDS = 1e-3  # lengths are rounded on their way through files and JSON
MAX_SAMPLES = 10_000_000  # of anything: 40 MB, almost four minutes at 44.1 kHz
RATES = (4_000, 384_000)  # Hz
MAX_CHANNELS = 64
#: Sounds that are proposed of one recording, and that can be chosen at once.
MAX_CUTS = 512


def within_length(seconds: float) -> bool:
    """True if a sound may have this length."""
    return MIN_SECONDS - SLACK_SECONDS <= seconds <= MAX_SECONDS + SLACK_SECONDS


MAX_PEAK = 2.0**32  # full scale = 1; floats that hold the numbers of 32-bit samples reach half of it
