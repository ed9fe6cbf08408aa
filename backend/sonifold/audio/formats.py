"""The kinds of sound file that are written: one table for Python, the command line, the service and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

AudioFormat = Literal["wav", "flac", "aiff", "ogg"]
BitDepth = Literal[16, 24, 32]
BIT_DEPTHS: tuple[BitDepth, ...] = get_args(BitDepth)


@dataclass(frozen=True)
class FileFormat:
    """One kind of sound file. ``subtypes``: what libsndfile calls each bit depth, the default first."""

    title: str
    container: str  # libsndfile's name
    subtypes: Mapping[BitDepth | None, str]  # 32 bits are floats; None: the format has no bit depth
    media_types: tuple[str, ...]  # the first is the one that is sent
    suffixes: tuple[str, ...]  # of file names; the first is the one that is written

    @property
    def depths(self) -> tuple[BitDepth, ...]:
        """The bit depths that can be chosen."""
        return tuple(depth for depth in self.subtypes if depth is not None)


#: In order of preference where nobody says which.
FORMATS: Mapping[AudioFormat, FileFormat] = {
    "wav": FileFormat(
        "WAV",
        "WAV",
        {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"},
        ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        ("wav",),
    ),
    # FLAC of 32 bits is left out: several players decode it to nothing
    "flac": FileFormat(
        "FLAC", "FLAC", {16: "PCM_16", 24: "PCM_24"}, ("audio/flac", "audio/x-flac"), ("flac",)
    ),
    "aiff": FileFormat(
        "AIFF",
        "AIFF",
        {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"},
        ("audio/aiff", "audio/x-aiff"),
        ("aiff", "aif"),
    ),
    "ogg": FileFormat(
        "Ogg Vorbis", "OGG", {None: "VORBIS"}, ("audio/ogg", "application/ogg", "audio/vorbis"), ("ogg",)
    ),
}


def format_of_suffix(suffix: str) -> AudioFormat:
    """The format that a file name's ending stands for; ``""`` is a WAV.

    Raises:
        ValueError: no format has that ending.
    """
    ending = suffix.lstrip(".").lower()
    if not ending:
        return "wav"
    for name, file_format in FORMATS.items():
        if ending in file_format.suffixes:
            return name
    raise ValueError(f"cannot write {ending!r}; choose one of {', '.join(FORMATS)}.")


def subtype_of(name: str, depth: int | None = None) -> tuple[str, str]:
    """libsndfile's names of a format and of a bit depth in it; None: the format's usual one.

    Raises:
        ValueError: no such format, or it has no such bit depth.
    """
    file_format = {str(key): value for key, value in FORMATS.items()}.get(name)
    if file_format is None:
        raise ValueError(f"cannot write {name!r}; choose one of {', '.join(FORMATS)}.")
    subtypes = list(file_format.subtypes.items())
    if depth is None:
        return file_format.container, subtypes[0][1]
    for bits, subtype in subtypes:
        if bits == depth:
            return file_format.container, subtype
    if not file_format.depths:
        raise ValueError(f"{file_format.title} has no bit depth; leave it out.")
    raise ValueError(
        f"{file_format.title} is written with {_either(file_format.depths)} bits, not {depth}. {_elsewhere(depth)}"
    )


def _elsewhere(depth: int) -> str:
    able = [audio_format.title for audio_format in FORMATS.values() if depth in audio_format.depths]
    return f"{_either(able)} can have {depth}." if able else f"Choose {_either(BIT_DEPTHS)}."


def _either(choices: tuple[object, ...] | list[str]) -> str:
    *others, last = (str(choice) for choice in choices)
    return f"{', '.join(others)} or {last}" if others else last
