"""The one-shots in a recording as they are proposed: each one can be kept as it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sonifold.audio.decode import ArrayDecoder
from sonifold.audio.limits import MAX_CUTS, MAX_SECONDS, MIN_SECONDS
from sonifold.audio.mix import Mono
from sonifold.audio.onsets import THRESHOLD, Segment, segments
from sonifold.audio.read import Recording, recording_of
from sonifold.audio.resample import resampled
from sonifold.errors import AudioError

#: Hz of the copy of a recording that is listened to, at most: browsers resample what is faster, and badly. Onsets are
#: looked for in it too, since no band of the flux lies above 15 kHz.
LISTENING_RATE = 48_000


@dataclass(frozen=True)
class ListeningCopy:
    """A recording at no more than :data:`LISTENING_RATE`."""

    samples: Mono  # (sample,), full scale = 1
    sample_rate: int

    @classmethod
    def of(cls, recording: Recording) -> ListeningCopy:
        """The samples are the recording's own where its rate is no higher."""
        rate = min(recording.sample_rate, LISTENING_RATE)
        return cls(resampled(recording.samples, recording.sample_rate, rate), rate)


def proposals(
    recording: Recording, threshold: float = THRESHOLD, copy: ListeningCopy | None = None
) -> list[Segment]:
    """Sounds of a recording, in order, as :func:`segments` finds them; none that :func:`read` would refuse.

    Args:
        threshold: of the flux; lower finds more, at most 512, the clearest.
        copy: of the recording, in which onsets are looked for; made here when None.
    """
    copy = copy or ListeningCopy.of(recording)
    proposals = segments(copy.samples, copy.sample_rate, threshold)
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
