"""Provenance of sounds, written into every exported file as far as its format has room.

A file holds a title, credits, licences, and the whole record as JSON in its comment, by which the sound can be made
again. Tags survive in WAV (LIST INFO), FLAC and Ogg (Vorbis comments) and AIFF (text chunks).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sonifold.version import __version__

#: Bytes of one tag. libsndfile (1.2.2) reads no WAV tag of 2,048 bytes or more, nor any that follows it, and cannot
#: open an AIFF with one of 8,192 that it has written itself.
LONGEST_TAG = 2000


@dataclass(frozen=True)
class Source:
    """A sound that another one was made from."""

    name: str
    role: str = ""  # "A", "B"; "" where there is one
    id: str | None = None  # in the model's library
    origin: str = ""  # the collection it belongs to
    licence: str = ""
    credit: str = ""
    file: Path | None = field(default=None, compare=False)  # it was read from; stays on this machine

    def record(self) -> dict[str, str]:
        """Its fields for the comment, without the empty ones."""
        fields = {
            "role": self.role,
            "name": self.name,
            "id": self.id or "",
            "origin": self.origin,
            "licence": self.licence,
            "credit": self.credit,
        }
        return {key: value for key, value in fields.items() if value}

    def sentence(self) -> str:
        """``Kick 808: CC0-1.0, Sonic Pi, by Somebody``."""
        about = [self.licence, self.origin, f"by {self.credit}" if self.credit else ""]
        return f"{self.name}: {', '.join(part for part in about if part) or 'a recording of your own'}"


@dataclass(frozen=True)
class Provenance:
    """Origin of a sound, or of the sounds of one clip."""

    title: str
    model: str
    version: str  # of the model
    sources: tuple[Source, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)  # plain JSON: kind of path, metric, weight ...
    parts: tuple[Mapping[str, Any], ...] = ()  # more facts of each sound of several

    def of_part(self, index: int) -> Provenance:
        """That of one sound of several."""
        if not self.parts:
            return self
        part = self.parts[index]
        title = f"{self.title}, {part['step']} of {len(self.parts)}" if "step" in part else self.title
        return replace(self, title=title, facts={**self.facts, **part}, parts=())

    def record(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "sonifold": __version__,
            "title": self.title,
            "model": self.model,
            "model_version": self.version,
            **self.facts,
            "sources": [source.record() for source in self.sources],
        }

    def tags(self) -> dict[str, str]:
        """The record as the text fields of a sound file, by soundfile's names for them."""
        credits = unique(source.credit for source in self.sources)
        licences = unique(source.licence for source in self.sources)
        texts = {
            "title": self.title,
            "artist": "; ".join(credits),
            "copyright": "; ".join(unique(source.sentence() for source in self.sources)),
            "license": "; ".join(licences),
            "software": f"Sonifold {__version__}",
            "comment": self.comment(),
        }
        return {name: shortened(text) for name, text in texts.items() if text}

    def comment(self) -> str:
        """The record as JSON in at most LONGEST_TAG bytes; what does not fit is left out and said to be."""
        record = self.record()
        sources = list(record["sources"])
        while len(text := json.dumps(record, separators=(",", ":"))) > LONGEST_TAG:
            if sources:
                sources.pop()
                record |= {"sources": sources, "sources_left_out": len(self.sources) - len(sources)}
            else:
                longest = max(
                    (key for key in record if key not in REQUIRED_FACTS),
                    key=lambda key: len(str(record[key])),
                )
                record = {
                    **{key: value for key, value in record.items() if key != longest},
                    "shortened": True,
                }
        return text


#: Never left out of a comment, however long the rest.
REQUIRED_FACTS = frozenset({"sonifold", "model", "model_version", "sources", "sources_left_out", "shortened"})


def provenance_of(comment: str) -> Provenance | None:
    """The provenance in a comment that :meth:`Provenance.comment` wrote; None for another comment."""
    try:
        record = json.loads(comment)
    except ValueError:
        return None
    if not isinstance(record, dict) or "sonifold" not in record:
        return None
    reserved = {"sonifold", "title", "model", "model_version", "sources"}
    return Provenance(
        title=str(record.get("title", "")),
        model=str(record.get("model", "")),
        version=str(record.get("model_version", "")),
        sources=tuple(source_of(item) for item in record.get("sources", []) if isinstance(item, dict)),
        facts={key: value for key, value in record.items() if key not in reserved},
    )


def source_of(record: Mapping[str, Any]) -> Source:
    """Inverse of :meth:`Source.record`."""
    texts = {key: str(value) for key, value in record.items()}
    return Source(
        texts.get("name", ""),
        texts.get("role", ""),
        texts.get("id"),
        texts.get("origin", ""),
        texts.get("licence", ""),
        texts.get("credit", ""),
    )


def unique(texts: Iterable[str]) -> list[str]:
    """Each text once, in their order, without the empty ones."""
    return list(dict.fromkeys(text for text in texts if text))


def shortened(text: str) -> str:
    """One line of text in at most LONGEST_TAG bytes of UTF-8."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    data = line.encode("utf-8", "ignore")
    if len(data) <= LONGEST_TAG:
        return data.decode()
    return data[: LONGEST_TAG - 3].decode("utf-8", "ignore") + "…"


def of_recording(model: str, version: str, source: Source) -> Provenance:
    """That of a sound as it is: of a model's library, or kept with it."""
    return Provenance(source.name, model, version, (source,), {"mode": "recording"})


def short(value: float) -> float | None:
    """A number to six digits; None for what JSON has no word for."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
