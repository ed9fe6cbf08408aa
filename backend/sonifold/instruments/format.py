"""What a sampler's format is: its name, what it can hold, and a function that writes an instrument in it.

A format is one file in ``sonifold.instruments.formats``, which registers an :class:`InstrumentFormat`; its words stand
in :class:`sonifold.choices.InstrumentName` under the same name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sonifold.audio.formats import AudioFormat
from sonifold.choices import InstrumentName, Layout
from sonifold.errors import InstrumentInvalid
from sonifold.instruments.instrument import Instrument
from sonifold.instruments.package import SoundOptions
from sonifold.registry import Registry


class Container(Enum):
    """What the files of an instrument are kept in."""

    FOLDER = "folder"  # sent as a ZIP, since a browser saves one file
    ZIP = "zip"  # under an ending of the format's own
    TAR = "tar"
    FILE = "file"  # there is only one


@dataclass(frozen=True)
class Limits:
    """What a format can hold; None: there is no limit that anybody would reach."""

    sounds: int | None = None
    seconds: float | None = None  # all sounds together
    layers: int | None = None  # of velocity on one key


@dataclass(frozen=True)
class InstrumentFormat:
    """One kind of instrument file."""

    name: InstrumentName
    suffix: str  # of the file, or of the one in the folder that players open
    container: Container
    layouts: tuple[Layout, ...]  # that it can hold, the usual one first; none: its sounds stand in a row
    sound_formats: tuple[AudioFormat, ...]  # of the sounds in it; the first is the usual one
    write: Callable[[Instrument, SoundOptions], dict[str, bytes]]  # files by their paths in the container
    limits: Limits = Limits()

    @property
    def title(self) -> str:
        """What its makers call it."""
        return self.name.words.label

    def layout(self, name: str | None, *, is_morph: bool = False) -> Layout | None:
        """The layout of a name; without one that which suits what is exported.

        Raises:
            InstrumentInvalid: the format does not have it.
        """
        if name is None:
            usual = Layout.MORPH if is_morph and Layout.MORPH in self.layouts else None
            return usual or next(iter(self.layouts), None)
        if name not in self.layouts:
            able = f"it can be {' or '.join(self.layouts)}" if self.layouts else "its sounds stand in a row"
            raise InstrumentInvalid(f"{self.title} has no layout {str(name)!r}; {able}.")
        return Layout.of(name)

    def check(self, instrument: Instrument, sound_format: AudioFormat | None = None) -> None:
        """Check that the format can hold an instrument, before anything is written.

        Raises:
            InstrumentInvalid: it cannot, with what came and what would do.
        """
        limits, count = self.limits, len(instrument.zones)
        if self.layouts:
            self.layout(instrument.layout)
        if sound_format and sound_format not in self.sound_formats:
            raise InstrumentInvalid(
                f"{self.title} holds sounds as {' or '.join(self.sound_formats)}, not as {sound_format}."
            )
        if limits.sounds is not None and count > limits.sounds:
            raise InstrumentInvalid(
                f"{self.title} holds {limits.sounds} sounds at most; these are {count}. Leave {count - limits.sounds} "
                "out, or make several of them."
            )
        if limits.seconds is not None and instrument.seconds > limits.seconds:
            raise InstrumentInvalid(
                f"{self.title} holds {limits.seconds:g} s of sound in all; these are {instrument.seconds:.1f} s. Take "
                "fewer sounds, or leave out the silence at their ends."
            )
        layers = max(Counter(zone.keys for zone in instrument.zones).values())
        if instrument.layout is Layout.KEYS and limits.layers is not None and layers > limits.layers:
            raise InstrumentInvalid(
                f"{self.title} has {limits.layers} layers on a key at most; here {layers} sounds have the same pitch. "
                "Lay them out as a drum kit, or leave some out."
            )


FORMATS: Registry[InstrumentFormat] = Registry("sonifold.instruments.formats")


def register(format: InstrumentFormat) -> InstrumentFormat:
    """Offers a format under its name."""
    return FORMATS.register(format.name)(format)


def format_named(name: str) -> InstrumentFormat:
    """The format of a name. Raises ValueError for a name that is no choice."""
    format = FORMATS.get(InstrumentName.of(name))
    if format is None:
        raise NotImplementedError(f"no file of sonifold.instruments.formats registers {name!r}.")
    return format
