"""An instrument before it has a format: sounds, and on which keys, velocities and wheel positions each plays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.notes import note_name
from sonifold.audio.provenance import Provenance, Source
from sonifold.choices import Layout

HIGHEST = 127  # of MIDI's keys, velocities and wheel positions


@dataclass(frozen=True)
class Span:
    """A range of whole numbers from 0 to 127, both ends included."""

    low: int = 0
    high: int = HIGHEST


@dataclass(frozen=True)
class Loop:
    """Frames that repeat while a key is held: from ``start`` until before ``end``."""

    start: int
    end: int


@dataclass(frozen=True)
class Crossfade:
    """Where on the wheel a sound is heard: silent at ``start`` and ``end``, full at ``peak``; at once at an end of the
    wheel where ``start`` or ``end`` is ``peak``."""

    start: int
    peak: int
    end: int


@dataclass(frozen=True)
class KeySound:
    """A sound of an instrument."""

    name: str
    samples: NDArray[np.float32] = field(repr=False)  # (frame, channel), full scale = 1
    sample_rate: int
    pitch_hz: float | None = None
    family: str = ""
    loop: Loop | None = None
    provenance: Provenance | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class Zone:
    """One sound and what plays it."""

    sound: KeySound = field(repr=False)
    stem: str  # of its file, each once in an instrument
    root: int  # the key that plays it as it is, but for ``tune``
    keys: Span
    tune: float = 0.0  # semitones that bring it to the pitch of ``root``
    tracks: bool = True  # whether other keys transpose it
    velocities: Span = Span(1)
    gain_db: float = 0.0
    wheel: Crossfade | None = None


@dataclass(frozen=True)
class Instrument:
    """Zones under a name."""

    name: str
    layout: Layout | None  # None: in a row, on no keys
    zones: tuple[Zone, ...]
    #: Whether gains of neighbours on the wheel add up to 1, for sounds whose waves line up, or their squares.
    coherent: bool = False

    @property
    def seconds(self) -> float:
        """Length of all sounds together."""
        return sum(zone.sound.seconds for zone in self.zones)

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the sounds were made from, each once."""
        every = (zone.sound.provenance for zone in self.zones)
        return tuple(dict.fromkeys(source for about in every if about for source in about.sources))


def key_name(key: int) -> str:
    """``C4`` for 60, sharps without a sign that file names cannot have: ``Cs4``."""
    return note_name(key).replace("#", "s")
