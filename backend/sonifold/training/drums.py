"""The pack of drums: an RHVAE of two latent dimensions, on drums of another pack.

Its latent space is its map, and its metric was trained with it. The sounds are copied from the pack that they come
from, file by file, with their licences and credits.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from sonifold.device import choose as choose_device
from sonifold.model import Model
from sonifold.pack.library import Label, Library
from sonifold.pack.read import read_pack
from sonifold.representation.spectral import Spectral
from sonifold.training.build import Progress, Trained, replace_whole, write
from sonifold.training.prepare import prepare
from sonifold.training.train import StepInfo, train_riemannian
from sonifold.types import AudioBatch
from sonifold.vae.config import HamiltonianConfig, TrainingConfig, VAEConfig
from sonifold.vae.network import freeze

NAME = "drums"
ABOUT = {
    "title": "Drums",
    "description": "Kicks, snares, toms and cymbals in two latent dimensions, with a metric trained along with them.",
    "version": "1",
}
FAMILIES = ("Kick", "Snare", "Tom", "Cymbal")
#: Beginnings of the groups that are drum kits: timpani, reversed cymbals and the like are none.
KITS = ("Kit ", "Sonic Pi ", "Hydrogen ")
#: Sounds of each family that are trained on; those held out come on top.
MOST_TRAINED = 60

NETWORK = VAEConfig(coefficients=64, latent_dim=2, width=128, hidden=256, encoder_blocks=2, decoder_blocks=3)
#: T about the distance at which the ways of two drums part; ridge and Hamiltonian as published.
HAMILTONIAN = HamiltonianConfig(metric=(64,), temperature=0.4, ridge=1e-2, leapfrogs=3, step=0.01)
TRAINING = TrainingConfig(
    steps=3400,
    batch=160,
    reconstruction=400.0,
    augmentations=6,
    noise=0.0,
    mix_share=0.15,
    checkpoint_every=200,
)


def build(
    source: Path,
    work: Path,
    out: Path,
    progress: Progress,
    config: TrainingConfig = TRAINING,
    device: torch.device | str = "cpu",
    workers: int = 1,
) -> Model:
    """Train on drums of the pack in ``source`` and write a pack of them to ``out``.

    Interrupted and started again with the same arguments it goes on where it stopped; ``work`` keeps what it needs.

    Raises:
        PackError: ``source`` is not a whole pack.
    """
    library = read_pack(source).library
    labels = choose(library)
    audio = load_audio(library, labels, Spectral().samples)
    training = [row for row, label in enumerate(labels) if label.split == "train"]
    data = prepare(audio[training], work, config, NETWORK.coefficients, progress, workers)

    def report(info: StepInfo) -> None:
        progress(f"training: error {info.error:.4f}, {info.divergence:.1f} nats", info.step, info.steps)

    checkpoint, on = work / "checkpoint.safetensors", choose_device(device)
    model = train_riemannian(data, NETWORK, HAMILTONIAN, config, checkpoint, report, on).cpu()
    trained = Trained(
        NETWORK,
        config,
        freeze(model.vae()),
        data.coefficients,
        HAMILTONIAN,
        freeze(model.metric_network),
    )

    def write_into(folder: Path) -> None:
        shutil.copytree(library.folder / "notices", folder / "notices")
        (folder / "audio").mkdir()
        for label in labels:
            file = library.audio_path(label.id)
            shutil.copyfile(file, folder / "audio" / file.name)
        about = {**ABOUT, "name": out.name}
        write(folder, about, labels, audio, trained, progress, HAMILTONIAN.temperature)

    replace_whole(out, write_into)
    return Model.load(out)


def choose(library: Library) -> list[Label]:
    """The drums of a library: all that are held out, and so many of each family that are trained on."""
    drums = [label for label in library.labels if label.family in FAMILIES and label.group.startswith(KITS)]
    trained = {
        family: sorted(label.id for label in drums if label.family == family and label.split == "train")
        for family in FAMILIES
    }
    chosen = {id for ids in trained.values() for id in ids[:MOST_TRAINED]}
    return [label for label in drums if label.split != "train" or label.id in chosen]


def load_audio(library: Library, labels: list[Label], samples: int) -> AudioBatch:
    """Sounds of a library (sound, sample)."""
    return torch.stack([library.audio(label.id, samples) for label in labels])
