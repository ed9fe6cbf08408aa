"""An instrument in its format: built whole in memory, checked before, then sent or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sonifold.audio.archive import file_stem, zip_bytes
from sonifold.audio.formats import subtype_of
from sonifold.errors import OutputError
from sonifold.files import write_file, write_folder, write_new
from sonifold.instruments.format import Container, InstrumentFormat, format_named
from sonifold.instruments.instrument import KeySound
from sonifold.instruments.layouts import lay_out
from sonifold.instruments.package import SoundOptions, tar_bytes


@dataclass(frozen=True)
class Bundle:
    """The files of an instrument, and what they are kept in."""

    stem: str  # of the file's or folder's name
    format: InstrumentFormat
    files: Mapping[str, bytes] = field(repr=False)  # by their paths in it

    @property
    def suffix(self) -> str:
        """The ending of the one file that is sent."""
        return "zip" if self.format.container is Container.FOLDER else self.format.suffix

    @property
    def media_type(self) -> str:
        """Of the one file that is sent. An archive with an ending of its own is not called one: browsers unpack it."""
        if self.suffix == "zip":
            return "application/zip"
        return {"aif": "audio/aiff", "csv": "text/csv; charset=utf-8"}.get(
            self.suffix, "application/octet-stream"
        )

    def to_bytes(self) -> bytes:
        """All of it as one file."""
        match self.format.container:
            case Container.FILE:
                (data,) = self.files.values()
                return data
            case Container.TAR:
                return tar_bytes(self.files)
            case Container.ZIP:
                return zip_bytes(self.files)
            case Container.FOLDER:
                return zip_bytes({f"{self.stem}/{path}": data for path, data in self.files.items()})

    @property
    def contents(self) -> bytes | Mapping[str, bytes]:
        """What is written: a file, or the files of a folder by their paths in it."""
        return self.files if self.format.container is Container.FOLDER else self.to_bytes()

    def write(self, path: Path, inputs: Sequence[Path] = ()) -> Path:
        """Write it whole or not at all: a file, or a folder that is not there yet. Gives the path back.

        Raises:
            OutputError: the place is not writable, is one of the inputs, or is a folder that exists.
        """
        contents = self.contents
        if isinstance(contents, bytes):
            write_file(path, contents, inputs)
        else:
            write_folder(path, contents)
        return path

    def write_in(self, folder: Path) -> Path:
        """Write it in a folder under its own name, with a number where that is taken. Gives the path back.

        Raises:
            OutputError: there is no such folder, or it cannot be written to.
        """
        if not folder.is_dir():
            raise OutputError(f"there is no folder {str(folder)!r}; make it, or name another.")
        return write_new(folder, self.stem, self.ending, self.contents)

    @property
    def ending(self) -> str:
        """What the name of a written file or folder ends in, with its dot."""
        return "" if self.format.container is Container.FOLDER else f".{self.suffix}"


def build(
    name: str,
    sounds: Sequence[KeySound],
    format: str,
    layout: str | None = None,
    options: SoundOptions | None = None,
    *,
    is_morph: bool = False,
) -> Bundle:
    """Sounds as an instrument in the format of a name.

    Args:
        layout: one of :class:`sonifold.choices.Layout`; by default what suits the format, and for a morph the wheel.
        options: the files of the sounds.
        is_morph: whether the sounds are the steps of a morph, in their order.

    Raises:
        InstrumentInvalid: no such format, or it cannot hold these sounds in this layout.
        ValueError: no such layout, or the sounds' format has no such bit depth.
    """
    kind, options = format_named(format), options or SoundOptions()
    sound_format = options.format or kind.sound_formats[0]
    subtype_of(sound_format, options.depth)
    instrument = lay_out(name, sounds, kind.layout(layout, is_morph=is_morph))
    kind.check(instrument, options.format)
    return Bundle(file_stem(name), kind, kind.write(instrument, options))
