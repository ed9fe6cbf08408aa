"""A pack that loads, is fine-tuned, saved and sent in a moment: the project's own model, cut down."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from sonifold import Model, pack
from sonifold.pack.library import read_labels, write_labels

REPLAY = "replay.safetensors"
SOUNDS, COEFFICIENTS = 64, 64


def small_pack(source: Path, models: Path) -> Path:
    """The pack ``source``, under the same name in the folder ``models``, with a short library and coarse sound.

    Its network knows the first principal components only; its sounds are drawn evenly from the whole library. The
    map's field stays as it was.
    """
    folder = models / source.name
    (folder / "audio").mkdir(parents=True)
    for name in ("atlas.safetensors", "card.json", "CARD.md"):
        shutil.copyfile(source / name, folder / name)
    labels = read_labels((source / "library.csv").read_text(encoding="utf-8"))
    rows = torch.arange(SOUNDS) * len(labels) // SOUNDS
    write_labels(folder / "library.csv", tuple(labels[row] for row in rows))
    for row in rows:
        shutil.copyfile(
            source / "audio" / f"{labels[row].id}.ogg", folder / "audio" / f"{labels[row].id}.ogg"
        )
    basis = load_file(source / "coefficients.safetensors")
    save_file(
        basis | {"basis": basis["basis"][:COEFFICIENTS].contiguous()}, folder / "coefficients.safetensors"
    )
    save_file(_narrowed(load_file(source / "weights.safetensors")), folder / "weights.safetensors")
    rehearsed = load_file(source / REPLAY)["coefficients"][rows, :COEFFICIENTS]
    save_file({"coefficients": rehearsed.contiguous()}, folder / REPLAY)
    columns = {name: column[rows] for name, column in load_file(source / "library.safetensors").items()}
    save_file(columns, folder / "library.safetensors")
    config = pack.read_config(source).model_dump(exclude={"files", "format"})
    config["vae"]["coefficients"] = COEFFICIENTS
    pack.write_config(folder, config)
    coordinates = Model.load(folder).coordinates(columns["z"])
    save_file(columns | {"coordinates": coordinates.half()}, folder / "library.safetensors")
    pack.write_config(folder, config)
    return folder


def _narrowed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A network that reads and writes the first coefficients only."""
    last = max(
        name for name in weights if name.startswith("decoder.") and name.endswith(".bias")
    ).removesuffix(".bias")
    narrow = {"encoder.0.weight": weights["encoder.0.weight"][:, :COEFFICIENTS].contiguous()}
    for name in (f"{last}.weight", f"{last}.bias"):
        narrow[name] = weights[name][:COEFFICIENTS].contiguous()
    return weights | narrow
