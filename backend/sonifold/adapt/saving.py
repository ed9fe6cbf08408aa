"""An adapted model as a pack of its own: the base's library with the uploads in it, loaded like any other."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from sonifold import pack
from sonifold.adapt import replay
from sonifold.adapt.instant import AdaptedModel
from sonifold.atlas import layout
from sonifold.audio.clip import Clip
from sonifold.audio.timbre import timbre_features
from sonifold.errors import PackInvalid
from sonifold.model import Model
from sonifold.pack import CONFIG
from sonifold.pack.library import Label, write_labels
from sonifold.representation.spectral import ONSET
from sonifold.vae.inversion import refine

STEPS = 1  # of latent refinement for library sounds, from where the base had them


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
    base, library = adapted.base, adapted.base.library
    for kept in ("audio", "notices"):
        if (library.folder / kept).is_dir():
            shutil.copytree(library.folder / kept, folder / kept)
    shutil.copyfile(library.folder / "coefficients.safetensors", folder / "coefficients.safetensors")
    save_file(
        {k: v.contiguous() for k, v in adapted.vae.state_dict().items()}, folder / "weights.safetensors"
    )

    given = adapted.adaptation.uploads
    labels = list(library.labels)
    new = []  # places among the uploads of those that the library does not have yet
    for place, sound in enumerate(given.sounds):
        label = _label(adapted, place, name)
        if label.id not in {known.id for known in labels}:
            labels.append(label)
            new.append(place)
            assert sound.audio is not None  # an upload is a recording
            Clip(sound.audio, base.sample_rate).write(folder / "audio" / f"{label.id}.{library.audio_format}")
    values = torch.cat([replay.coefficients(base), given.coefficients[new]])
    start = torch.cat([library.z, given.z[new]])
    z = torch.cat(
        [refine(adapted.vae, c, p, STEPS) for c, p in zip(values.split(256), start.split(256), strict=True)]
    )
    coordinates = adapted.coordinates(z)
    positions = torch.cat([library.positions, adapted.atlas.place(coordinates[len(library) :])])
    timbre = [
        timbre_features(sound.audio, base.sample_rate, ONSET / base.sample_rate)
        for sound in (given.sounds[place] for place in new)
        if sound.audio is not None
    ]
    grid = layout.field(positions, z, coordinates, adapted.coordinates)
    save_file(
        {
            "z": z.contiguous(),
            "log_variance": adapted.vae.encode(values)[1].contiguous(),
            "timbre": torch.cat([library.timbre, *[row[None] for row in timbre]]).half().contiguous(),
            "coordinates": coordinates.half().contiguous(),
            "positions": positions.contiguous(),
        },
        folder / "library.safetensors",
    )
    save_file({"x": grid.x, "y": grid.y, "values": grid.values.contiguous()}, folder / "atlas.safetensors")
    write_labels(folder / "library.csv", tuple(labels))
    replay.write(folder, values)
    card = base.card | _about(adapted, name, len(labels))
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text(_markdown(card), encoding="utf-8")
    config = base.config.model_dump(exclude={"files", "format"})
    config |= {
        "name": name,
        "title": title or name,
        "description": card["description"],
        "coast": grid.coast,
        "family_names": base.config.family_names,
    }
    pack.write_config(folder, config)


def _label(adapted: AdaptedModel, place: int, name: str) -> Label:
    """An upload in the library: of the family of the sound it is nearest to."""
    sound = adapted.adaptation.uploads.sounds[place]
    assert sound.audio is not None  # an upload is a recording
    if sound.id is not None:
        return adapted.base.library.labels[adapted.base.library.index(sound.id)]
    identity = hashlib.sha256(sound.audio.numpy().astype("<f4").tobytes()).hexdigest()[:12]
    near, _ = adapted.base.neighbours(sound, 1, "perceptual")[0]
    family = adapted.base.library.labels[adapted.base.library.index(near)].family
    return Label(
        identity, sound.name or identity, family, round(sound.seconds or 0.0, 3), None, "Uploads", "your own", "",
        name, "uploaded",
    )  # fmt: skip


def _about(adapted: AdaptedModel, name: str, sounds: int) -> dict:
    told = adapted.forecast
    return {
        "name": name,
        "description": f"{adapted.base.title}, refined on {told.uploads} sounds.",
        "sounds": sounds,
        "adapted": {
            "base": adapted.base.name,
            "base_sha256": pack.sha256(adapted.base.library.folder / CONFIG),
            "uploads": told.uploads,
            "coherence": told.coherence,
            "expected_gain": told.gain,
        },
    }


def _markdown(card: dict) -> str:
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
