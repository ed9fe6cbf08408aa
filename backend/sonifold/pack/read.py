"""Read a pack: its files as the parts of a model."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from safetensors.torch import load_file

from sonifold.atlas import Atlas, Field
from sonifold.device import is_on
from sonifold.errors import PackInvalid
from sonifold.files import may_pass
from sonifold.pack.format import PackConfig, read_config, verify
from sonifold.pack.library import Library, read_labels
from sonifold.pack.write import METRIC_NETWORK
from sonifold.representation.registry import representation_named
from sonifold.representation.spectral import Spectral
from sonifold.vae.coefficients import Coefficients
from sonifold.vae.metric_network import MetricNetwork
from sonifold.vae.network import VAE, freeze

#: By the sha256 of their file: a pack fine-tuned from another one has the same 120 MB.
_shared_coefficients: WeakValueDictionary[str, Coefficients] = WeakValueDictionary()


@dataclass(frozen=True)
class PackOutline:
    """What there is to know about a pack without computing with it; nothing in it changes after loading."""

    config: PackConfig
    representation: Spectral
    library: Library
    atlas: Atlas
    card: dict[str, Any]
    card_markdown: str


@dataclass(frozen=True)
class PackParts(PackOutline):
    """The contents of a pack in memory."""

    vae: VAE
    coefficients: Coefficients
    metric_network: MetricNetwork | None  #: of a model whose metric was trained with it

    def on(self, device: torch.device) -> PackParts:
        """What computes of it on a device: itself, or with copies; the library and the map stay where they are."""
        vae = self.vae
        if not is_on(device, next(vae.parameters())):
            vae = copy.deepcopy(vae).to(device)
        return replace(
            self,
            representation=self.representation.on(device),
            vae=vae,
            coefficients=self.coefficients.on(device),
        )


def read_pack(folder: Path) -> PackParts:
    """The parts of a pack whose files were verified.

    Raises:
        PackInvalid, ArtifactCorrupt: the folder is not a whole pack.
    """
    outline = read_outline(folder)
    with _fitting(folder):
        config = outline.config
        return PackParts(
            **vars(outline),
            vae=VAE.from_tensors(config.vae, load_file(folder / "weights.safetensors")),
            coefficients=_coefficients(
                folder, config.files["coefficients.safetensors"], outline.representation
            ),
            metric_network=_metric_network(folder, config),
        )


def read_outline(folder: Path) -> PackOutline:
    """The same without the networks, all files verified.

    Raises:
        PackInvalid, ArtifactCorrupt: the folder is not a whole pack.
    """
    config = read_config(folder)
    verify(folder, config)
    try:
        representation = representation_named(config.representation)
    except PackInvalid as error:
        raise PackInvalid(f"{folder.name}: {error}") from error
    with _fitting(folder):
        return _outline(folder, config, representation)


@contextmanager
def _fitting(folder: Path) -> Iterator[None]:
    """Files that are whole, and do not go together, make a pack invalid."""
    try:
        yield
    except (KeyError, ValueError, RuntimeError, OSError) as error:
        if may_pass(error):
            raise
        raise PackInvalid(
            f"{folder.name}: its files do not fit this version ({error}). Update Sonifold, or train the pack again."
        ) from error


def _outline(folder: Path, config: PackConfig, representation: Spectral) -> PackOutline:
    columns = load_file(folder / "library.safetensors")
    library = Library(
        read_labels((folder / "library.csv").read_text(encoding="utf-8")),
        config.family_names,
        columns["z"],
        columns["log_variance"],
        columns["timbre"].float(),
        columns["positions"],
        folder,
    )
    grid = load_file(folder / "atlas.safetensors")
    atlas = Atlas(
        columns["coordinates"].float(),
        library.z,
        library.positions,
        Field(grid["x"], grid["y"], grid["values"], config.coast),
        config.placement_error,
    )
    return PackOutline(
        config,
        representation,
        library,
        atlas,
        json.loads((folder / "card.json").read_text(encoding="utf-8")),
        (folder / "CARD.md").read_text(encoding="utf-8"),
    )


def _metric_network(folder: Path, config: PackConfig) -> MetricNetwork | None:
    if config.hamiltonian is None:
        return None
    tensors = load_file(folder / METRIC_NETWORK)
    return freeze(MetricNetwork.from_tensors(tensors, config.vae.latent_dim))


def _coefficients(folder: Path, sha256: str, representation: Spectral) -> Coefficients:
    """A pack's coefficients; those of another pack in memory if the file is the same."""
    coefficients = _shared_coefficients.get(sha256)
    if coefficients is None:
        tensors = load_file(folder / "coefficients.safetensors")
        coefficients = _shared_coefficients[sha256] = Coefficients.from_tensors(tensors, representation)
    return coefficients
