"""From a data set to a pack: features, training, latent inversion, map, library, card. One resumable command."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from sonifold.atlas import layout
from sonifold.audio.clip import Clip
from sonifold.audio.levels import mel_levels
from sonifold.audio.timbre import timbre_features
from sonifold.device import choose
from sonifold.metric import Blend, KernelMetric, Pullback, ResidualMLPTangents
from sonifold.model import Model
from sonifold.pack.library import Label
from sonifold.pack.write import LibraryColumns, write_pack
from sonifold.representation.spectral import ONSET, Spectral
from sonifold.training.datasets import table
from sonifold.training.prepare import prepare
from sonifold.training.train import StepInfo, train
from sonifold.types import AudioBatch, Points, Positions, Timbre
from sonifold.vae.coefficients import Coefficients
from sonifold.vae.config import HamiltonianConfig, TrainingConfig, VAEConfig
from sonifold.vae.inversion import invert
from sonifold.vae.metric_network import MetricNetwork
from sonifold.vae.network import VAE, freeze

UNIT = "tdB"  # timbre decibel
#: Of the data term. From 1 to 3 mid points come nearer to real sounds (4.8 against 5.1 in Phi) for paths 4 % longer;
#: from 3 to 10 they gain as much again for another 5 %.
DATA_WEIGHT = 3.0
BLOCK = 16  # sounds analysed at once
TAIL_DB = -72.0  # shipped sounds end where they have fallen this far for good
ABOUT = {
    "title": "One-shots",
    "description": "Drums, percussion, plucked strings, bells and textures, up to 1.5 s.",
    "version": "1",
}

Progress = Callable[[str, int, int], None]


def build(
    dataset: Path,
    work: Path,
    out: Path,
    network: VAEConfig,
    config: TrainingConfig,
    progress: Progress,
    device: torch.device | str = "auto",
    workers: int = 2,
) -> Model:
    """Train on the ``train`` split of a data set and write the pack of its shippable sounds to ``out``.

    Interrupted and started again with the same arguments it goes on where it stopped; ``work`` keeps what it needs.
    """
    device = choose(device)
    rows = [row for row in table.read(dataset) if row.shippable]
    audio = table.load_audio(dataset, rows)
    training = [i for i, row in enumerate(rows) if row.split == "train"]
    data = prepare(audio[training], work, config, network.coefficients, progress, workers)

    def report(info: StepInfo) -> None:
        progress(f"training: error {info.error:.4f}, {info.divergence:.1f} nats", info.step, info.steps)

    vae = freeze(train(data, network, config, work / "checkpoint.safetensors", report, device)).cpu()

    def write_into(folder: Path) -> None:
        shutil.copytree(
            dataset / "notices", folder / "notices"
        )  # MIT and CC-BY ask for their text to go along
        (folder / "audio").mkdir()
        progress("library", 0, 4)
        _write_audio(folder / "audio", rows, audio, Spectral().sample_rate)
        labels = [_label(row) for row in rows]
        trained = Trained(network, config, vae, data.coefficients)
        write(folder, {**ABOUT, "name": out.name}, labels, audio, trained, progress)

    replace_whole(out, write_into)
    return Model.load(out)


def replace_whole(out: Path, write_into: Callable[[Path], None]) -> None:
    """Write a pack beside the one there is, and put it in its place when it is whole."""
    scratch, before = (out.with_name(f".{out.name}.{state}") for state in ("part", "before"))
    for folder in (scratch, before):  # no pack's name begins with a dot
        shutil.rmtree(folder, ignore_errors=True)
    scratch.mkdir(parents=True)
    write_into(scratch)
    if out.exists():
        out.replace(before)
    scratch.replace(out)
    shutil.rmtree(before, ignore_errors=True)


class Trained(NamedTuple):
    """The networks of a pack, and how they came to be."""

    network: VAEConfig
    config: TrainingConfig
    vae: VAE
    coefficients: Coefficients
    hamiltonian: HamiltonianConfig | None = None
    metric_network: MetricNetwork | None = None


def write(
    folder: Path,
    about: Mapping[str, str],
    labels: Sequence[Label],
    audio: AudioBatch,
    trained: Trained,
    progress: Progress,
    temperature: float | None = None,
) -> None:
    """Write a pack whose card is empty: ``sonifold evaluate`` fills it.

    Args:
        folder: holds the sounds under ``audio/`` already.
        about: the pack's name, title, description and version.
        temperature: of the kernel metric; by default what suits the distances of the sounds.
    """
    spectral, vae = Spectral(), trained.vae
    tensors = trained.coefficients.tensors()
    coefficients = Coefficients.from_tensors(tensors, spectral)  # as they will be read
    progress("library", 1, 4)
    encoded = _encode(audio, vae, coefficients, spectral)
    pullback = Pullback(ResidualMLPTangents(vae.decoder, coefficients.timbre_map[0]))
    kernel = KernelMetric.posterior(encoded.z, encoded.log_variance.exp(), temperature)
    coordinates = pullback.decode(encoded.z)
    progress("map", 2, 4)
    positions = _positions(encoded.z, coordinates, trained.config.seed)
    field = layout.field(positions, encoded.z, coordinates, pullback.decode)
    progress("map", 3, 4)
    pack_config = {
        **about,
        "representation": "spectral",
        "vae": trained.network.model_dump(),
        "training": trained.config.model_dump(),
        "hamiltonian": trained.hamiltonian and trained.hamiltonian.model_dump(),
        "metric": _metric_config(pullback, kernel, encoded.z),
        "unit": UNIT,
        "unit_per_phi": unit_per_phi(audio, encoded.timbre, spectral.sample_rate),
        "level": encoded.level,
        "placement_error": layout.placement_error(coordinates, positions),
        "family_names": sorted({label.family for label in labels}, key=family_order),
    }
    columns = LibraryColumns(
        encoded.z, encoded.log_variance, encoded.timbre, coordinates, positions, encoded.coefficients
    )
    write_pack(folder, pack_config, vae, tensors, labels, columns, field, {}, "", trained.metric_network)
    progress("map", 4, 4)


def _positions(z: Points, coordinates: Tensor, seed: int) -> Positions:
    """The map: of a latent space of two dimensions itself."""
    return z.clone() if z.shape[1] == 2 else layout.layout(coordinates, seed)


def _metric_config(pullback: Pullback, kernel: KernelMetric, z: Points) -> dict[str, float]:
    """The ``metric`` of pack.json."""
    return {
        "temperature": kernel.temperature,
        "ridge": kernel.ridge,
        "scale": Blend.typical_scale(pullback, z),
        "weight": DATA_WEIGHT,
    }


def family_order(family: str) -> int:
    """Rank of a family in legends: the data set's order, others last."""
    from sonifold.training.datasets.labels import FAMILIES

    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)


def unit_per_phi(audio: AudioBatch, timbre: Tensor, sample_rate: int, pairs: int = 1000) -> float:
    """Units in one of Phi: median RMS log-mel distance (dB) over median |Phi_a - Phi_b|, of random library pairs."""
    draw = torch.Generator().manual_seed(0)
    first, second = torch.randint(len(audio), (2, pairs), generator=draw)
    levels = torch.cat([mel_levels(part, sample_rate) for part in audio.split(BLOCK)])
    decibels = torch.stack(
        [(levels[a] - levels[b]).square().mean().sqrt() for a, b in zip(first, second, strict=True)]
    )
    phi = (timbre[first] - timbre[second]).norm(dim=1)
    different = first != second
    return float(decibels[different].median() / phi[different].median())


class _Encoded(NamedTuple):
    """What the networks make of the library's sounds."""

    coefficients: Tensor  # (sound, K)
    z: Points
    log_variance: Tensor
    timbre: Timbre  # of the original audio
    level: float  # dB, the median loudest frame


def _encode(audio: AudioBatch, vae: VAE, coefficients: Coefficients, spectral: Spectral) -> _Encoded:
    values, levels, timbre = [], [], []
    for part in audio.split(BLOCK):
        features, level = spectral.analyse(part)
        values.append(coefficients.analyse(features))
        levels.append(level)
        timbre.append(timbre_features(part, spectral.sample_rate, ONSET / spectral.sample_rate))
    analysed = torch.cat(values)
    with torch.no_grad():
        _, log_variance = vae.encode(analysed)
    median = float(torch.cat(levels).median())
    return _Encoded(analysed, invert(vae, analysed), log_variance, torch.cat(timbre), median)


def _label(row: table.Row) -> Label:
    return Label(
        row.id,
        row.name,
        row.family,
        round(row.seconds, 3),
        row.pitch_hz,
        row.source,
        row.licence,
        row.credit,
        row.group,
        row.split,
    )


def _write_audio(folder: Path, rows: list[table.Row], audio: AudioBatch, sample_rate: int) -> None:
    def one(index: int) -> None:
        sound = audio[index]
        loud = (sound.abs() > sound.abs().max() * 10 ** (TAIL_DB / 20)).nonzero()
        length = min(len(sound), int(loud[-1]) + round(0.02 * sample_rate))
        Clip(sound[:length], sample_rate).write(folder / f"{rows[index].id}.ogg")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(len(rows))))
