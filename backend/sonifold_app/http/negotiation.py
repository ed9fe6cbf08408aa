"""Content negotiation (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sonifold.audio.formats import FORMATS, AudioFormat
from sonifold_app.http import problems

#: Media types of each audio format; the first is the one we send. In order of preference where a request
#: has none.
AUDIO_TYPES: Mapping[AudioFormat, tuple[str, ...]] = {
    name: file_format.media_types for name, file_format in FORMATS.items()
}


@dataclass(frozen=True)
class MediaRange:
    """One entry of an Accept header: ``audio/*;q=0.5``."""

    type: str
    subtype: str
    quality: float

    def precision(self, media_type: str) -> int:
        """How precisely this names a media type: 2 fully, 1 ``audio/*``, 0 ``*/*``, -1 not at all."""
        kind, _, subtype = media_type.partition("/")
        if self.type == "*":
            return 0
        if self.type != kind:
            return -1
        return 1 if self.subtype == "*" else 2 if self.subtype == subtype else -1


def parse_accept(header: str) -> list[MediaRange]:
    """The entries of an Accept header; what cannot be read is left out."""
    ranges = []
    for entry in header.lower().split(",")[:64]:
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        kind, slash, subtype = media_type.partition("/")
        if not (slash and kind and subtype) or (kind == "*" and subtype != "*"):
            continue
        quality = next((p[2:].strip() for p in parameters if p.startswith("q=")), "1")
        try:
            ranges.append(MediaRange(kind, subtype, min(max(float(quality), 0.0), 1.0)))
        except ValueError:
            continue
    return ranges


def choose(header: str | None, offers: Sequence[str]) -> str | None:
    """The offer that an Accept header likes best, the earlier of equals; None if it likes none."""
    ranges = parse_accept(header or "")
    if not ranges:
        return offers[0]

    def quality(offer: str) -> float:
        fits = [(r.precision(offer), r.quality) for r in ranges if r.precision(offer) >= 0]
        return max(fits)[1] if fits else 0.0

    best = max(offers, key=quality)  # the first of equals
    return best if quality(best) > 0 else None


def audio_format(accept: str | None, named: AudioFormat | None = None) -> AudioFormat:
    """The format to send sound in: the one asked for by name, else by Accept. Raises 406 if there is none."""
    if named is not None:
        return named
    formats = {media_type: name for name, types in AUDIO_TYPES.items() for media_type in types}
    chosen = choose(accept, list(formats))
    if chosen is None:
        raise problems.not_acceptable(accept or "", [types[0] for types in AUDIO_TYPES.values()])
    return formats[chosen]
