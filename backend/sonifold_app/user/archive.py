"""A pack as one file, and back: a zip archive of exactly what pack.json names.

What comes from elsewhere is trusted in nothing. The names in an archive are those of a pack or it is refused; sizes are
bounded before and while anything is written; every file is compared with its sha256; weights are safetensors, from
which no code can come.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from sonifold import errors
from sonifold.pack import CONFIG, FORMAT, PackConfig, check_name

MEBIBYTE = 1 << 20
#: Largest archive that is taken, and largest pack that may come out of one.
ARCHIVE_BYTES = 512 * MEBIBYTE
PACK_BYTES = 1024 * MEBIBYTE
MOST_FILES = 20_000
#: What a pack is made of, and how large each may be.
NAMES: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"pack\.json|card\.json|CARD\.md|topology\.(md|png)"), 16 * MEBIBYTE),
    (re.compile(r"library\.csv"), 64 * MEBIBYTE),
    (re.compile(r"(weights|coefficients|library|replay|atlas|metric)\.safetensors"), 512 * MEBIBYTE),
    (re.compile(r"audio/[0-9a-f]{12}\.(ogg|flac|wav)"), 2 * MEBIBYTE),
    (re.compile(r"notices/[A-Za-z0-9][A-Za-z0-9._ -]{0,100}\.(txt|md)"), 4 * MEBIBYTE),
)
NEEDED = frozenset(
    {"CARD.md", "card.json", "library.csv"}
    | {f"{name}.safetensors" for name in ("weights", "coefficients", "library", "atlas")}
)
FOLDERS = frozenset({"audio/", "notices/"})
#: Longest sound of a library.
SOUND_SECONDS = 10.0
CHUNK = 1 << 20
#: What reading a damaged or hostile archive raises.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError)
#: Of every entry, so that a pack is always the same file.
WHEN = (1980, 1, 1, 0, 0, 0)


class PackedInvalidError(Exception):
    """An archive that is not a pack; the message is a sentence for the user."""


class Pieces(io.RawIOBase):
    """What is written here is taken away piece by piece."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        self.bytes += len(data)
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._written)
        self._written.clear()
        self.bytes = 0
        return data


def names_of(folder: Path) -> list[str]:
    """The files of a pack, all of them there. Raises PackInvalid."""
    try:
        names = [CONFIG, *sorted(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["files"])]
        for name in names:
            (folder / name).stat()
    except FileNotFoundError as error:
        raise errors.PackInvalid(
            f"{folder.name}: a file of the pack is missing ({error.strerror})."
        ) from error
    return names


def packed(folder: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Files of a pack as a zip archive, in pieces as they are read; nothing is written to the disk."""
    pieces = Pieces()
    with zipfile.ZipFile(pieces, "w") as archive:
        for name in names:
            # stored: weights and audio do not shrink, and nobody has to wait for the rest
            entry = zipfile.ZipInfo(name, WHEN)
            entry.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as file, archive.open(entry, "w") as target:
                while part := file.read(CHUNK):
                    target.write(part)
                    if pieces.bytes >= CHUNK:
                        yield pieces.take()
    yield pieces.take()


def packed_bytes(folder: Path, names: Sequence[str]) -> int:
    """How long that archive is: as one of empty files, and the files."""
    empty = Pieces()
    with zipfile.ZipFile(empty, "w") as archive:
        for name in names:
            archive.open(zipfile.ZipInfo(name, WHEN), "w").close()
    return empty.bytes + sum((folder / name).stat().st_size for name in names)


def name_in(archive: IO[bytes]) -> str:
    """The name of the pack in an archive. Raises PackedInvalidError."""
    return config_in(opened(archive)).name


def unpacked_bytes(archive: IO[bytes]) -> int:
    """How much an archive becomes. Raises PackedInvalidError."""
    return sum(entry.file_size for entry in opened(archive).infolist())


def unpack(file: IO[bytes], folder: Path) -> None:
    """Write the pack in an archive to ``folder``, which is empty. Raises PackedInvalidError; what is in the folder then
    is the caller's to delete.
    """
    archive = opened(file)
    config = config_in(archive)
    entries = {entry.filename: entry for entry in archive.infolist() if entry.filename not in FOLDERS}
    promised = config.files.keys() | {CONFIG}
    if odd := promised ^ entries.keys():
        name = min(odd)
        mismatch = "names it and it is not there" if name in promised else "does not name it"
        raise PackedInvalidError(f"{name[:100]!r}: pack.json {mismatch}. Export the model again.")
    if missing := NEEDED - promised:
        raise PackedInvalidError(f"{min(missing)} is missing: a pack cannot do without. Export it again.")
    check_sizes(config, entries)
    for name, entry in entries.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        digest = write(archive, entry, target)
        if name != CONFIG and digest != config.files[name]:
            raise PackedInvalidError(
                f"{name} differs from what pack.json promises (sha256). The file was damaged on the way: export the "
                "model again, or copy it again."
            )
        if name.startswith("audio/"):
            check_audio(target, name)
    check_library(folder, config)
    check_tensors(folder, config)
    if not isinstance(numbers_of((folder / "card.json").read_bytes(), "card.json"), dict):
        raise PackedInvalidError("card.json is not an object. Export the model again.")


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """An archive whose directory is that of a pack: names, kinds, sizes. Raises PackedInvalidError."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise PackedInvalidError(
            f"this is not a zip file, or only a part of one ({error}). Choose a *.sonifold.zip that "
            "Sonifold saved."
        ) from error
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise PackedInvalidError(
            f"{len(entries):,} files are in it; a pack has at most {MOST_FILES:,}. It is not a pack."
        )
    names = set()
    for entry in entries:
        if entry.filename in names:
            raise PackedInvalidError(f"{entry.filename[:100]!r} is in it twice. It was not made by Sonifold.")
        names.add(entry.filename)
        if entry.filename not in FOLDERS:
            check_entry(entry)
    if (total := sum(entry.file_size for entry in entries)) > PACK_BYTES:
        raise PackedInvalidError(
            f"it would become {total:,} bytes; a pack has at most {PACK_BYTES:,}. It is not a pack."
        )
    return archive


def check_entry(entry: zipfile.ZipInfo) -> None:
    """Raises PackedInvalidError where an entry has no place in a pack."""
    name = entry.filename
    most = next((bytes_ for pattern, bytes_ in NAMES if pattern.fullmatch(name)), None)
    if most is None or entry.orig_filename != name:
        raise PackedInvalidError(
            f"{name[:100]!r} is no file of a pack. An archive holds pack.json, what it names, and nothing else."
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise PackedInvalidError(f"{name} is a link or something else that is not a file. It is not taken.")
    if entry.flag_bits & 1:
        raise PackedInvalidError(f"{name} is encrypted. Make the archive without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PackedInvalidError(f"{name} is compressed in a way that is not read here. Use plain zip.")
    if entry.file_size > most:
        raise PackedInvalidError(
            f"{name} would become {entry.file_size:,} bytes; at most {most:,} are taken. It is not a pack."
        )


def config_in(archive: zipfile.ZipFile) -> PackConfig:
    """Its pack.json. Raises PackedInvalidError."""
    try:
        with archive.open(CONFIG) as file:
            data = numbers_of(file.read(NAMES[0][1] + 1), CONFIG)
    except KeyError as error:
        raise PackedInvalidError(
            "there is no pack.json in it, at its top. Choose a *.sonifold.zip that Sonifold saved."
        ) from error
    except UNREADABLE as error:
        raise PackedInvalidError(
            f"its pack.json cannot be read ({error}). Export the model again."
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PackedInvalidError(
            f"its pack.json is not of format {FORMAT}, which this version reads. Update Sonifold, or export the model "
            "again."
        )
    try:
        config = PackConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(str(part)[:40] for part in first["loc"])
        raise PackedInvalidError(f"its pack.json, field {location}: {first['msg']}.") from error
    try:
        check_name(config.name)
    except errors.PackInvalid as error:
        raise PackedInvalidError(str(error)) from error
    return config


def numbers_of(data: bytes, name: str) -> Any:
    """JSON whose numbers are all finite. Raises PackedInvalidError."""

    def finite(text: str) -> float:
        if not math.isfinite(value := float(text)):
            raise ValueError(f"{text[:20]} is not a number")
        return value

    try:
        return json.loads(data, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise PackedInvalidError(f"its {name} cannot be read ({error}). Export the model again.") from error


def check_sizes(config: PackConfig, entries: dict[str, zipfile.ZipInfo]) -> None:
    """Raises PackedInvalidError where the networks would be larger than their weights: they are built first, and a
    number is quickly written.
    """
    sizes = config.vae
    ends = sizes.width * (2 * sizes.coefficients + 3 * sizes.latent_dim)
    blocks = 2 * sizes.width * sizes.hidden * (sizes.encoder_blocks + sizes.decoder_blocks)
    stored = entries["weights.safetensors"].file_size
    if 4 * (ends + blocks) > 2 * stored:
        raise PackedInvalidError(
            "its pack.json describes networks larger than weights.safetensors. Export the model again."
        )


def write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> str:
    """Unpack one entry; returns its sha256. Raises PackedInvalidError."""
    digest, remaining = hashlib.sha256(), entry.file_size
    try:
        with archive.open(entry) as source, target.open("xb") as out:
            while chunk := source.read(CHUNK):
                remaining -= len(chunk)
                if remaining < 0:
                    raise PackedInvalidError(f"{entry.filename} is larger than it says. It is not taken.")
                digest.update(chunk)
                out.write(chunk)
    except UNREADABLE as error:
        raise PackedInvalidError(
            f"{entry.filename} is damaged in the archive ({error}). Export the model again."
        ) from error
    return digest.hexdigest()


def check_library(folder: Path, config: PackConfig) -> None:
    """Raises PackedInvalidError where the labels are not those of the sounds: an id becomes the name of a file."""
    from sonifold.pack.library import read_labels

    try:
        labels = read_labels((folder / "library.csv").read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise PackedInvalidError(f"library.csv cannot be read ({error}). Export the model again.") from error
    sounds = {
        name.partition(".")[0].removeprefix("audio/") for name in config.files if name.startswith("audio/")
    }
    ids = [label.id for label in labels]
    if not ids or len(set(ids)) < len(ids) or not set(ids) <= sounds:
        raise PackedInvalidError(
            "library.csv and audio/ do not name the same sounds. Export the model again."
        )
    for label in labels:
        numbers = (label.seconds, label.pitch_hz or 0.0)
        if label.family not in config.family_names or not all(math.isfinite(number) for number in numbers):
            raise PackedInvalidError(
                f"library.csv: {label.id} has a family that pack.json does not name, or a number that is none. Export "
                "the model again."
            )


def check_tensors(folder: Path, config: PackConfig) -> None:
    """Raises PackedInvalidError where weights or columns are not numbers of the shape that they must have."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights, coefficients, library, atlas = (
            load_file(folder / f"{name}.safetensors")
            for name in ("weights", "coefficients", "library", "atlas")
        )
        for tensors in (weights, coefficients, library):
            if not all(bool(torch.isfinite(tensor.float()).all()) for tensor in tensors.values()):
                raise ValueError("a weight or a latent point is not a finite number")
        count, latent = len(library["z"]), config.vae.latent_dim
        for name, columns in (("z", latent), ("log_variance", latent), ("positions", 2), ("timbre", 512)):
            if library[name].shape != (count, columns):
                raise ValueError(f"{name} is of shape {tuple(library[name].shape)}")
        with (folder / "library.csv").open(encoding="utf-8", newline="") as file:
            labels = sum(1 for _ in csv.DictReader(file))
        if count != labels or len(library["coordinates"]) != count:
            raise ValueError(f"{count} points for {labels} sounds")
        check_metric(folder, config, count)
        if atlas["values"].shape != (len(atlas["y"]), len(atlas["x"])):
            raise ValueError(f"the map's field is of shape {tuple(atlas['values'].shape)}")
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise PackedInvalidError(
            f"its weights, its points or its map do not fit together ({error}). Export the model again."
        ) from error


def check_metric(folder: Path, config: PackConfig, count: int) -> None:
    """Raises ValueError where a learned metric has not one finite kernel for each of ``count`` sounds."""
    import torch
    from safetensors.torch import load_file

    from sonifold.pack.write import METRIC_NETWORK, REPLAY
    from sonifold.vae.metric_network import MetricNetwork

    if config.hamiltonian is None:
        return
    if not {METRIC_NETWORK, REPLAY} <= config.files.keys():
        raise ValueError(f"a learned metric needs {METRIC_NETWORK} and {REPLAY}")
    coefficients = load_file(folder / REPLAY)["coefficients"].float()
    network = MetricNetwork.from_tensors(load_file(folder / METRIC_NETWORK), config.vae.latent_dim)
    factors = network(coefficients).detach()
    if len(factors) != count or not torch.isfinite(factors).all():
        raise ValueError(f"the learned metric has {len(factors)} finite kernels for {count} sounds")


def check_audio(file: Path, name: str) -> None:
    """Raises PackedInvalidError where a file is no sound of a library: little may unpack to a lot."""
    import soundfile

    try:
        about = soundfile.info(file)
    except (RuntimeError, ValueError) as error:
        raise PackedInvalidError(f"{name} is not a sound. Export the model again.") from error
    if about.channels != 1 or not 0 < about.frames <= SOUND_SECONDS * about.samplerate:
        raise PackedInvalidError(
            f"{name} has {about.channels} channels and {about.frames} samples; a library's sounds are mono and at most "
            f"{SOUND_SECONDS:.0f} s long."
        )
