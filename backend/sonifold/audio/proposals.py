"""The one-shots in a recording as they are proposed: each one can be kept as it stands."""

from __future__ import annotations

from dataclasses import replace

from sonifold.audio.decode import ArrayDecoder
from sonifold.audio.limits import MAX_CUTS, MAX_SECONDS, MIN_SECONDS
from sonifold.audio.onsets import THRESHOLD, Segment, segments
from sonifold.audio.read import Recording, recording_of
from sonifold.audio.resample import resampled
from sonifold.errors import AudioError

#: Hz at which onsets are looked for at most: no band of the flux lies above 15 kHz.
LOOKED_AT = 48_000


def proposals(recording: Recording, threshold: float = THRESHOLD) -> list[Segment]:
    """Sounds of a recording, in order, as :func:`segments` finds them; none that :func:`read` would refuse.

    threshold: of the flux; lower finds more, at most 512, the clearest.
    """
    rate = min(recording.sample_rate, LOOKED_AT)
    proposals = segments(resampled(recording.samples, recording.sample_rate, rate), rate, threshold)
    usable = [
        segment
        for segment in (lengthened(proposal, recording.seconds) for proposal in proposals)
        if is_usable(recording, segment)
    ]
    clearest = sorted(usable, key=lambda segment: segment.strength)[-MAX_CUTS:]
    return sorted(clearest, key=lambda segment: segment.start)


def lengthened(segment: Segment, seconds: float) -> Segment:
    """At least as long as a sound has to be: at the end of a recording it begins earlier."""
    end = min(seconds, max(segment.end, segment.start + MIN_SECONDS))
    return replace(segment, start=max(0.0, min(segment.start, end - MIN_SECONDS)), end=end)


def is_usable(recording: Recording, segment: Segment) -> bool:
    """True if a part of a recording can be read as a sound."""
    rate = recording.sample_rate
    part = recording.samples[round(segment.start * rate) : round(segment.end * rate), None]
    try:
        recording_of(ArrayDecoder(part, rate), recording.name, MAX_SECONDS)
    except AudioError:
        return False
    return True
