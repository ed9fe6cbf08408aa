"""Write a pack: everything but the sounds' own files, and last pack.json with the sha256 of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from sonifold.atlas import Field
from sonifold.files import write_whole
from sonifold.pack.format import PackConfig, read_config, write_config
from sonifold.pack.library import Label, write_labels
from sonifold.tensor_files import save_tensors
from sonifold.types import Points, Positions, Timbre
from sonifold.vae.metric_network import MetricNetwork
from sonifold.vae.network import VAE

REPLAY = "replay.safetensors"
METRIC_NETWORK = "metric.safetensors"


@dataclass(frozen=True)
class LibraryColumns:
    """Columns of a pack's library, a row a sound, in the order of its labels."""

    z: Points
    log_variance: Tensor  # (sound, latent) of the posteriors
    timbre: Timbre
    coordinates: Tensor  # (sound, m) decoded timbre
    positions: Positions
    coefficients: Tensor  # (sound, K), for replay

    def write(self, folder: Path) -> None:
        """``library.safetensors`` and ``replay.safetensors``; half precision where that is enough."""
        columns = {
            "z": self.z,
            "log_variance": self.log_variance,
            "timbre": self.timbre.half(),
            "coordinates": self.coordinates.half(),
            "positions": self.positions,
        }
        save_tensors(folder / "library.safetensors", columns)
        save_tensors(folder / REPLAY, {"coefficients": self.coefficients.half()})


def write_pack(
    folder: Path,
    config: Mapping[str, Any],
    vae: VAE,
    coefficients: Mapping[str, Tensor] | Path,
    labels: Sequence[Label],
    columns: LibraryColumns,
    field: Field,
    card: Mapping[str, Any],
    card_markdown: str,
    metric_network: MetricNetwork | Path | None = None,
) -> PackConfig:
    """Write a pack into a folder that has its sounds under ``audio/`` already.

    Args:
        config: fields of pack.json but ``format``, ``files`` and ``coast``.
        coefficients: their tensors, or the file of another pack to copy.
        metric_network: of a model whose metric was trained with it; or the file of another pack to copy.
    """
    weights = {name: tensor.cpu() for name, tensor in vae.state_dict().items()}
    save_tensors(folder / "weights.safetensors", weights)
    target = folder / "coefficients.safetensors"
    if isinstance(coefficients, Path):
        shutil.copyfile(coefficients, target)
    else:
        save_tensors(target, coefficients)
    if isinstance(metric_network, Path):
        shutil.copyfile(metric_network, folder / METRIC_NETWORK)
    elif metric_network is not None:
        save_tensors(folder / METRIC_NETWORK, metric_network.state_dict())
    write_labels(folder / "library.csv", tuple(labels))
    columns.write(folder)
    save_tensors(folder / "atlas.safetensors", {"x": field.x, "y": field.y, "values": field.values})
    _write_card(folder, card, card_markdown)
    return write_config(folder, {**config, "coast": field.coast})


def write_card(folder: Path, card: Mapping[str, Any], card_markdown: str) -> None:
    """Give a pack another model card, and name it in pack.json."""
    _write_card(folder, card, card_markdown)
    write_config(folder, read_config(folder).model_dump(exclude={"files", "format"}))


def _write_card(folder: Path, card: Mapping[str, Any], card_markdown: str) -> None:
    text = json.dumps(card, indent=1) + "\n"
    write_whole(folder / "card.json", text.encode(), durable=False)
    write_whole(folder / "CARD.md", card_markdown.encode(), durable=False)
