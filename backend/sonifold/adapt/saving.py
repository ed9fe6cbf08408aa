"""An adapted model as a pack of its own: the base's library with the uploads in it, loaded like any other."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonifold import pack
from sonifold.adapt import replay
from sonifold.adapt.instant import AdaptedModel
from sonifold.atlas import layout
from sonifold.audio.clip import Clip
from sonifold.errors import PackInvalid
from sonifold.model import Model
from sonifold.pack import CONFIG
from sonifold.pack.library import Label
from sonifold.pack.write import METRIC_NETWORK, LibraryColumns, write_pack
from sonifold.sound import Sound
from sonifold.types import Audio, Points, Positions
from sonifold.vae.inversion import invert

STEPS = 1  # of latent inversion for library sounds, from where the base had them


def save(adapted: AdaptedModel, folder: Path, title: str | None = None) -> Model:
    """Write a pack to ``folder`` and load it.

    The map keeps its shape, so that people find their way; the uploads are placed on it by what they sound like.

    Raises:
        PackInvalid: the folder is there already, or its name cannot be that of a pack.
    """
    write(adapted, folder, title)
    return Model.load(folder)


def write(adapted: AdaptedModel, folder: Path, title: str | None = None) -> None:
    """The same without loading it.

    Raises:
        PackInvalid: the folder is there already, or its name cannot be that of a pack.
    """
    folder = Path(folder)
    check_folder(folder)
    scratch = folder.with_name(f".{folder.name}.part")  # no pack's name begins with a dot
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    _write(adapted, scratch, folder.name, title)
    scratch.replace(folder)


def check_folder(folder: Path) -> None:
    """Whether a pack may be written there.

    Raises:
        PackInvalid: the folder is there already, or its name cannot be that of a pack.
    """
    pack.check_name(folder.name)
    if folder.exists():
        raise PackInvalid(
            f"{folder.name}: there is such a pack already; choose another name, or delete it first."
        )


@torch.no_grad()
def _write(adapted: AdaptedModel, folder: Path, name: str, title: str | None) -> None:
    base, library, uploads = adapted.base, adapted.base.library, adapted.adaptation.uploads
    for part in ("audio", "notices"):
        if (library.folder / part).is_dir():
            shutil.copytree(library.folder / part, folder / part)
    labels, added = _labels(adapted, name)
    for label, index in zip(labels[len(library) :], added, strict=True):
        audio = _recording(uploads.sounds[index])
        Clip(audio, base.sample_rate).write(folder / "audio" / f"{label.id}.{library.audio_format}")
    columns = _columns(adapted, added)
    field = layout.field(columns.positions, columns.z, columns.coordinates, adapted.coordinates)
    card = base.card | _about(adapted, name, len(labels))
    config = base.config.model_dump(exclude={"files", "format"})
    config |= {"name": name, "title": title or name, "description": card["description"]}
    coefficients = library.folder / "coefficients.safetensors"
    learned = library.folder / METRIC_NETWORK if base.config.hamiltonian else None
    write_pack(
        folder, config, adapted.vae, coefficients, labels, columns, field, card, _markdown(card), learned
    )


def _columns(adapted: AdaptedModel, added: list[int]) -> LibraryColumns:
    """The base's library and the ``added`` uploads, by number, as the adapted networks encode them."""
    base, library, uploads = adapted.base, adapted.base.library, adapted.adaptation.uploads
    values = torch.cat([replay.coefficients(base), uploads.coefficients[added].cpu()])
    start = torch.cat([library.z, uploads.z[added].cpu()])
    parts = zip(values.split(256), start.split(256), strict=True)
    z = torch.cat([invert(adapted.vae, *part, STEPS) for part in parts]).cpu()
    coordinates = adapted.coordinates(z)
    timbre = [base.timbre_of(_recording(uploads.sounds[index]))[None] for index in added]
    return LibraryColumns(
        z,
        adapted.vae.encode(values.to(adapted.device))[1].cpu(),
        torch.cat([library.timbre, *timbre]),
        coordinates,
        _positions(adapted, z, coordinates),
        values,
    )


def _positions(adapted: AdaptedModel, z: Points, coordinates: Tensor) -> Positions:
    """Map positions of the library's sounds, where they were, and of the uploads after them."""
    library, atlas = adapted.base.library, adapted.atlas
    if atlas.is_latent_space:
        return z.clone()  # a file's tensors share no memory
    return torch.cat([library.positions, atlas.project(coordinates[len(library) :])])


def _labels(adapted: AdaptedModel, name: str) -> tuple[list[Label], list[int]]:
    """Labels of the base's library and of the uploads it does not have yet, and the numbers of these uploads."""
    labels, added = list(adapted.base.library.labels), []
    ids = {label.id for label in labels}
    for index in range(len(adapted.adaptation.uploads.sounds)):
        label = _label(adapted, index, name)
        if label.id not in ids:
            ids.add(label.id)
            labels.append(label)
            added.append(index)
    return labels, added


def _recording(sound: Sound) -> Audio:
    assert sound.audio is not None  # an upload is a recording
    return sound.audio


def _label(adapted: AdaptedModel, index: int, name: str) -> Label:
    """An upload in the library: of the family of the sound it is nearest to."""
    sound = adapted.adaptation.uploads.sounds[index]
    if sound.id is not None:
        label: Label = adapted.base.library.labels[adapted.base.library.index(sound.id)]
        return label
    identity = hashlib.sha256(_recording(sound).numpy().astype("<f4").tobytes()).hexdigest()[:12]
    near, _ = adapted.base.neighbours(sound, 1)[0]
    family = adapted.base.library.labels[adapted.base.library.index(near)].family
    return Label(
        identity, sound.name or identity, family, round(sound.seconds or 0.0, 3), None, "Uploads", "your own", "",
        name, "uploaded",
    )  # fmt: skip


def _about(adapted: AdaptedModel, name: str, sounds: int) -> dict[str, Any]:
    forecast = adapted.forecast
    return {
        "name": name,
        "description": f"{adapted.base.title}, fine-tuned on {forecast.uploads} sounds.",
        "sounds": sounds,
        "adapted": {
            "base": adapted.base.name,
            "base_sha256": pack.sha256(adapted.base.library.folder / CONFIG),
            "uploads": forecast.uploads,
            "coherence": forecast.coherence,
            "expected_gain": forecast.gain,
        },
    }


def _markdown(card: dict[str, Any]) -> str:
    about = card["adapted"]
    lines = [
        f"# {card['name']}",
        "",
        card["description"],
        "",
        f"Base: {about['base']} (pack.json sha256 {about['base_sha256'][:12]}...). The measures in card.json are the "
        "base's: this pack has not been measured.",
    ]
    if about["expected_gain"] is not None:
        lines += [
            "",
            f"Expected of sounds like the uploads: {100 * about['expected_gain']:.0f} % less Phi error, told from "
            f"leaving out one upload at a time (coherence {about['coherence']:.2f}).",
        ]
    lines += ["", "The library's sounds keep their licences and credits: see library.csv and notices/.", ""]
    return "\n".join(lines)
