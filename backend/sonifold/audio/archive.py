"""Several sounds as files with good names, and beside them what each was made from."""

from __future__ import annotations

import csv
import io
import itertools
import json
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sonifold.audio.provenance import Provenance, unique

TABLE = "sounds.csv"
README = "README.txt"
LONGEST_NAME = 40  # characters of a sound's name in a file name
COLUMNS = ("file", "title", "model", "model_version", "made_from", "licences", "credits", "record")
#: Of files in an archive: the same sounds make the same archive. The earliest that ZIP can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)

ABOUT = """These sounds were made with Sonifold.

{table} says of each file what it was made from, under which licences, with which credits; its last column
holds everything that is needed to make the sound again, as JSON. The same is in the files' own metadata.

{credits}
"""


@dataclass(frozen=True)
class SoundFile:
    """A file by its name, ending included."""

    name: str
    data: bytes = field(repr=False)
    provenance: Provenance | None = field(default=None, repr=False)


def file_stem(name: str) -> str:
    """A sound's name as file names have it: small letters and digits of any script, with dashes between."""
    plain = unicodedata.normalize("NFC", name).lower()
    words = "".join(c if c.isalnum() or unicodedata.category(c) == "Mn" else " " for c in plain).split()
    return "-".join(words)[:LONGEST_NAME].strip("-") or "sound"


def numbered(stem: str, index: int, count: int) -> str:
    """``kick-to-koto-05``: every number as long as the last, two digits at least."""
    return f"{stem}-{index + 1:0{max(2, len(str(count)))}d}"


def distinct(stems: Sequence[str]) -> list[str]:
    """The stems, each once: those that came before get a number behind."""
    names: list[str] = []
    for stem in stems:
        choices = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
        names.append(next(name for name in choices if name not in names))
    return names


def zipped(files: Sequence[SoundFile]) -> bytes:
    """The files as one ZIP, with a table and a README of what they were made from."""
    return zip_bytes(with_credits(files))


def with_credits(
    files: Sequence[SoundFile], beside: Mapping[str, bytes] | None = None, folder: str = ""
) -> dict[str, bytes]:
    """Everything in an archive by its path: what stands ``beside``, the sounds, and what they were made from."""
    return {
        **(beside or {}),
        **{file.name: file.data for file in files},
        f"{folder}{TABLE}": table(files).encode(),
        f"{folder}{README}": about(files).encode(),
    }


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Files by their paths as a ZIP that stores them as they are, so that samplers can stream from it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, EPOCH), data)
    return buffer.getvalue()


def table(files: Sequence[SoundFile]) -> str:
    """One row a file, RFC 4180."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for file in files:
        writer.writerow([cell(value) for value in row_of(file)])
    return out.getvalue()


def row_of(file: SoundFile) -> list[str]:
    about = file.provenance
    if about is None:
        return [file.name, *[""] * (len(COLUMNS) - 1)]
    sources = about.sources
    return [
        file.name,
        about.title,
        about.model,
        about.version,
        "; ".join(source.sentence() for source in sources),
        "; ".join(unique(source.licence for source in sources)),
        "; ".join(unique(source.credit for source in sources)),
        json.dumps(about.record(), ensure_ascii=False),
    ]


def cell(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def about(files: Sequence[SoundFile]) -> str:
    """The README of an archive."""
    sources = [source for file in files if file.provenance for source in file.provenance.sources]
    credits = "\n".join(unique(source.sentence() for source in sources))
    return ABOUT.format(table=TABLE, credits=credits)
