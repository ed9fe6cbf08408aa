"""Sounds as instruments that open in samplers.

Instrument     zones: a sound, its root note, keys, velocities, loop, gain, place under the modulation wheel
├─ layouts       by pitch, as a drum kit, as a morph
├─ formats       one file each; format.py says what a format is and what it can hold
└─ bundle        built, checked, then sent or written
"""

from .bundle import Bundle, build
from .format import FORMATS, InstrumentFormat, Limits, format_named, register
from .instrument import Crossfade, Instrument, KeySound, Loop, Span, Zone
from .layouts import lay_out
from .names import renamed
from .package import SoundOptions

__all__ = [
    "FORMATS",
    "Bundle",
    "Crossfade",
    "Instrument",
    "InstrumentFormat",
    "KeySound",
    "Limits",
    "Loop",
    "SoundOptions",
    "Span",
    "Zone",
    "build",
    "format_named",
    "lay_out",
    "register",
    "renamed",
]
