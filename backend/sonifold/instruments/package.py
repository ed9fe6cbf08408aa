"""What the formats share: sounds as files with their root notes and loops, XML, archives, a README with the credits."""

from __future__ import annotations

import gzip
import io
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sonifold.audio.archive import SoundFile
from sonifold.audio.encode import encoded
from sonifold.audio.formats import FORMATS, AudioFormat
from sonifold.audio.resample import resampled
from sonifold.instruments.instrument import Instrument, Zone
from sonifold.instruments.sampler_chunk import SamplerChunk, with_sampler_chunk

USUAL_DEPTH = 24  # bits; samplers that have no more read the upper 16


@dataclass(frozen=True)
class SoundOptions:
    """The files of the sounds in an instrument; None: the format's usual."""

    format: AudioFormat | None = None
    depth: int | None = None


def sound_file(zone: Zone, format: AudioFormat, depth: int | None, folder: str = "") -> SoundFile:
    """The sound of a zone as a file, with its root note and loop in it where that is a WAV."""
    sound = zone.sound
    tags = sound.provenance.tags() if sound.provenance else {}
    depths = FORMATS[format].depths
    depth = depth if depth is not None else USUAL_DEPTH if USUAL_DEPTH in depths else None
    data = encoded(one_or_two(sound.samples), sound.sample_rate, format, depth, tags)
    if format == "wav":
        data = with_sampler_chunk(data, sound.sample_rate, SamplerChunk(zone.root - zone.tune, sound.loop))
    return SoundFile(f"{folder}{zone.stem}.{FORMATS[format].suffixes[0]}", data, sound.provenance)


def one_or_two(samples: np.ndarray) -> np.ndarray:
    """Mono as it is, the first two channels of more: samplers play no others."""
    return samples[:, 0] if samples.shape[1] == 1 else samples[:, :2]


def sound_files(
    instrument: Instrument, format: AudioFormat, depth: int | None, folder: str = ""
) -> list[SoundFile]:
    """The sounds of an instrument as files, in the order of its zones."""
    return [sound_file(zone, format, depth, folder) for zone in instrument.zones]


def at_rate(zone: Zone, sample_rate: int) -> np.ndarray:
    """The samples of a zone in mono at another rate, with its gain in them, (frame,)."""
    mono = zone.sound.samples.mean(axis=1, dtype=np.float32) * np.float32(10 ** (zone.gain_db / 20))
    return np.asarray(resampled(mono, zone.sound.sample_rate, sample_rate), dtype=np.float32)


def xml_bytes(root: ET.Element) -> bytes:
    """A document as indented XML in UTF-8."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'.encode()


def child(parent: ET.Element, tag: str, text: object = "", **attributes: object) -> ET.Element:
    """A new last element under another; underscores in attributes are written as hyphens."""
    names = {name.replace("_", "-"): text_of(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, names)
    if text != "":
        element.text = text_of(text)
    return element


def text_of(value: object) -> str:
    """A value as XML can hold it: numbers without an exponent, text in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".") if value else "0"
    return one_line(str(value))


def one_line(text: str) -> str:
    """Text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    """Files by their paths as a gzipped TAR; the same files make the same bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
