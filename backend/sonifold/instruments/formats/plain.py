"""Sounds in a row: a ZIP of files, a folder with a playlist, a table of what they are. They have no keys."""

from __future__ import annotations

import csv
import io

from sonifold.audio.archive import cell, file_stem, with_credits
from sonifold.audio.formats import FORMATS, AudioFormat
from sonifold.audio.provenance import unique
from sonifold.choices import InstrumentName
from sonifold.instruments.format import Container, InstrumentFormat, register
from sonifold.instruments.instrument import Instrument, Zone, key_name
from sonifold.instruments.package import SoundOptions, one_line, sound_files

COLUMNS = ("file", "title", "family", "seconds", "pitch_hz", "key", "made_from", "licences", "credits")
SOUND_FORMATS: tuple[AudioFormat, ...] = ("wav", "flac", "aiff", "ogg")


def write_zip(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    return with_credits(sound_files(instrument, options.format or "wav", options.depth))


def write_playlist(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    """Extended M3U in UTF-8: length in seconds, title, then the file beside it."""
    files = sound_files(instrument, options.format or "wav", options.depth)
    lines = ["#EXTM3U"]
    for zone, file in zip(instrument.zones, files, strict=True):
        lines += [f"#EXTINF:{round(zone.sound.seconds)},{one_line(zone.sound.name)}", file.name]
    return with_credits(files, {f"{file_stem(instrument.name)}.m3u8": ("\n".join(lines) + "\n").encode()})


def write_table(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    """One row a sound, RFC 4180; ``file`` is what the ZIP calls it."""
    suffix = FORMATS[options.format or "wav"].suffixes[0]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for zone in instrument.zones:
        writer.writerow([cell(text) for text in row_of(zone, suffix)])
    return {f"{file_stem(instrument.name)}.csv": out.getvalue().encode()}


def row_of(zone: Zone, suffix: str) -> list[str]:
    sound = zone.sound
    sources = sound.provenance.sources if sound.provenance else ()
    return [
        f"{zone.stem}.{suffix}",
        sound.name,
        sound.family,
        f"{sound.seconds:.4f}",
        f"{sound.pitch_hz:.3f}" if sound.pitch_hz else "",
        key_name(zone.root) if sound.pitch_hz else "",
        "; ".join(source.sentence() for source in sources),
        "; ".join(unique(source.licence for source in sources)),
        "; ".join(unique(source.credit for source in sources)),
    ]


register(InstrumentFormat(InstrumentName.ZIP, "zip", Container.ZIP, (), SOUND_FORMATS, write_zip))
register(InstrumentFormat(InstrumentName.M3U, "m3u8", Container.FOLDER, (), SOUND_FORMATS, write_playlist))
register(InstrumentFormat(InstrumentName.CSV, "csv", Container.FILE, (), SOUND_FORMATS, write_table))
