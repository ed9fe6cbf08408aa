"""``sonifold export``: sounds, or a morph, as an instrument that opens in a sampler, or as files in a row."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sonifold.audio.folders import sound_files
from sonifold.audio.formats import subtype_of
from sonifold.errors import AudioError, InstrumentInvalid
from sonifold.files import check_folder, check_target
from sonifold.instruments.bundle import Bundle, build
from sonifold.instruments.format import Container, InstrumentFormat, format_named
from sonifold.instruments.instrument import KeySound
from sonifold.instruments.names import check_pattern, renamed
from sonifold.instruments.package import SoundOptions

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold.sound import Sound

SOUND_ID = re.compile(r"[0-9a-f]{12}")


def run(options: argparse.Namespace) -> int:
    """Write the instrument and print where it is."""
    kind = format_named(vars(options)["as"])
    try:
        check_options(options, kind)
        sounds = Gathering(options).sounds
        bundle = build(
            options.title or title_of(options, sounds),
            renamed(sounds, options.names),
            kind.name,
            options.layout,
            SoundOptions(options.format, options.depth),
            is_morph=bool(options.morph),
        )
        inputs = [Path(text) for text in (*options.sounds, *(options.morph or ())) if Path(text).is_file()]
        written = write(bundle, options.out, inputs)
    except ValueError as error:
        print(f"sonifold: {error}", file=sys.stderr)
        return 1
    print(f"{written}: {kind.title}, {len(sounds)} sounds, {sum(map(len, bundle.files.values()))} bytes.")
    return 0


def check_options(options: argparse.Namespace, kind: InstrumentFormat) -> None:
    """What can be known to fail, before anything is read. Raises InstrumentInvalid, OutputError, ValueError."""
    if bool(options.sounds) == bool(options.morph):
        raise InstrumentInvalid("name sounds by id, file or folder, or --morph A B: one of the two.")
    kind.layout(options.layout, is_morph=bool(options.morph))
    check_pattern(options.names)
    subtype_of(options.format or kind.sound_formats[0], options.depth)
    if options.out is not None and not options.out.is_dir():
        check = check_folder if kind.container is Container.FOLDER else check_target
        check(options.out)


def write(bundle: Bundle, out: Path | None, inputs: Sequence[Path]) -> Path:
    """Under the path that is named; in it, where it is a folder that is there."""
    if out is None or out.is_dir():
        return bundle.write_in(out or Path())
    return bundle.write(out, inputs)


def title_of(options: argparse.Namespace, sounds: Sequence[KeySound]) -> str:
    """Of a morph both ends, of one sound its name, of one folder the folder's, of others how many they are."""
    if options.morph:
        start, end = (Path(text).stem if Path(text).exists() else text for text in options.morph)
        about = sounds[0].provenance
        ends = (
            [source.name for source in about.sources] if about and len(about.sources) == 2 else [start, end]
        )
        return f"{ends[0]} to {ends[1]}"
    if len(sounds) == 1:
        return sounds[0].name
    (first, *others) = options.sounds
    return Path(first).resolve().name if Path(first).is_dir() and not others else f"{len(sounds)} sounds"


class Gathering:
    """The sounds that the options name; a model is loaded where one is needed."""

    def __init__(self, options: argparse.Namespace):
        self.options = options

    @cached_property
    def model(self) -> Model:
        """The model of the options."""
        from sonifold.model import Model
        from sonifold.pack import find

        return Model.load(find(self.options.model))

    @cached_property
    def sounds(self) -> list[KeySound]:
        """In their order, shaped as the options want them."""
        from sonifold.instruments.sources import shaped

        sounds = self.steps() if self.options.morph else self.singles()
        return shaped(sounds, trim=self.options.trim, normalise=self.options.normalise)

    def steps(self) -> list[KeySound]:
        """Those of the morph."""
        from sonifold.instruments.sources import of_steps

        options = self.options
        start, end = (self.end(text) for text in options.morph)
        path = self.model.paths([(start, end)], options.path, options.metric, options.weight, options.steps)[
            0
        ]
        return of_steps(self.model.morph(path)[1])

    def end(self, text: str) -> Sound:
        """One end of it."""
        return self.model.sound(text) if self.is_id(text) else self.model.encode(Path(text))

    def singles(self) -> list[KeySound]:
        """Those that are named one by one, or by folder; files that cannot be read are said and left out."""
        from sonifold.instruments.sources import of_file, of_library

        sounds: list[KeySound] = []
        for text in self.options.sounds:
            if self.is_id(text):
                sounds.append(of_library(self.model, text))
                continue
            for file in sound_files([Path(text)]):
                try:
                    sounds.append(of_file(file))
                except AudioError as error:
                    if not Path(text).is_dir():
                        raise
                    print(f"sonifold: {error}", file=sys.stderr)
        return sounds

    @staticmethod
    def is_id(text: str) -> bool:
        """Whether it is an id rather than a file."""
        return bool(SOUND_ID.fullmatch(text)) and not Path(text).exists()
