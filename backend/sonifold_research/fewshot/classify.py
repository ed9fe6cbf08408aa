"""Geometry for a classifier: synthetic sounds added to a few real ones per class.

The protocol of Chadebec, Thibeau-Sutre, Burgos and Allassonnière, "Data augmentation in high dimensional low sample
size setting using a geometry-based variational autoencoder" (TPAMI 2022), carried to sounds: three classes, N real
sounds of each, synthetic ones added, balanced accuracy on a fixed test set of real sounds, and on a second one by other
makers. And the classifier that needs no synthetic sounds: the nearest known one, by one distance or another.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sonifold.audio.timbre import timbre_features
from sonifold.morph.render import POINT_ITERATIONS
from sonifold.representation.spectral import ONSET
from sonifold.training.datasets import table
from sonifold.types import AudioBatch, Points
from sonifold_research.fewshot import classifiers, making, nearness
from sonifold_research.fewshot.bench import Bench
from sonifold_research.fewshot.groups import KITS

CLASSES = ("Snare", "Tom", "Percussion")
COUNTS = (5, 10, 20, 40, 50)
SEEDS = 10
TEST = 24  # real sounds of each class, the same for every cell
CLAIM = 600  # seconds for which a cell that another process has begun is left to it
RENDERED = "rendered.json"  # some cells in rendered sound
RENDERED_CELLS = ((10, 0), (50, 0))  # (N, draw)
RENDERED_WAYS = ("real only", "linear interpolation", "geodesic")
BLOCK = 16
TESTS = ("test", "elsewhere")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Material:
    """Real sounds by class: indices into the bench's sounds to draw from and to test on, and the other test set."""

    pool: tuple[list[int], ...]
    test: tuple[list[int], ...]
    elsewhere: tuple[Tensor, ...]  # coefficients (sound, K)
    recorded: tuple[AudioBatch, ...]  # the same, as audio

    @classmethod
    def of(cls, bench: Bench, dataset: Path) -> Material:
        """Foreign kits for training and the first test; for the second, kits of other makers that were held out."""
        families = []
        rows = table.read(dataset)
        for group in KITS:
            families += [row.family if row.split == "foreign" else "" for row in rows if row.group == group]
        held_out = [row for row in rows if row.split in ("held_out_sounds", "held_out_kits")]
        pool, test, recorded = [], [], []
        for number, name in enumerate(CLASSES):
            draw = np.random.default_rng(number)
            indices = draw.permutation([i for i, family in enumerate(families) if family == name]).tolist()
            test.append(indices[:TEST])
            pool.append(indices[TEST:])
            recorded.append(table.load_audio(dataset, [row for row in held_out if row.family == name]))
        elsewhere = tuple(_analysed(bench, audio) for audio in recorded)
        return cls(tuple(pool), tuple(test), elsewhere, tuple(recorded))

    def nearness(self, bench: Bench, cache: Path, progress: Progress) -> dict[str, Tensor]:
        """Distances (query, reference): first test sets in order, the pools in order."""
        tested = [index for indices in self.test for index in indices]
        pool = [index for indices in self.pool for index in indices]
        others = torch.cat(self.elsewhere)
        values, z = bench.encodings.coefficients, bench.encodings.z
        queries: tuple[Tensor, Points] = (
            torch.cat([values[tested], others]),
            torch.cat([z[tested], bench.model.inverted(others)]),
        )
        return nearness.tables(bench, queries, (values[pool], z[pool]), cache, progress)


def run(bench: Bench, dataset: Path, folder: Path, progress: Progress) -> None:
    """Every cell that is not there yet, one file each; several processes may share the work."""
    folder.mkdir(parents=True, exist_ok=True)
    material = Material.of(bench, dataset)
    cells = [(count, seed) for seed in range(SEEDS) for count in COUNTS]
    for number, (count, seed) in enumerate(cells, 1):
        path = folder / f"{count}-{seed}.json"
        claimed = path.with_suffix(".part")
        is_claimed = claimed.exists() and time.time() - claimed.stat().st_mtime < CLAIM
        measured = json.loads(path.read_text(encoding="utf-8"))["arms"] if path.exists() else {}
        missing = [name for name in making.WAYS if name not in measured]
        if missing and not is_claimed:
            claimed.touch()
            arms = measured | measure(bench, material, count, seed, missing)
            claimed.write_text(json.dumps({"count": count, "seed": seed, "arms": arms}), encoding="utf-8")
            claimed.rename(path)
        progress(f"classifier: {count} of each class", number, len(cells))
    distances = material.nearness(bench, folder / "nearness.safetensors", progress)
    for count, seed in cells:
        path = folder / f"nearest-{count}-{seed}.json"
        if not path.exists():
            record = {"count": count, "seed": seed, "nearest": by_distance(distances, material, count, seed)}
            path.write_text(json.dumps(record), encoding="utf-8")
    if not (folder / RENDERED).exists():
        record = {"cells": [rendered(bench, material, count, seed) for count, seed in RENDERED_CELLS]}
        (folder / RENDERED).write_text(json.dumps(record), encoding="utf-8")


def chosen(material: Material, count: int, seed: int) -> list[list[int]]:
    """Indices of the real sounds of each class that a cell may train on."""
    draw = np.random.default_rng([seed, count])
    return [draw.permutation(pool)[:count].tolist() for pool in material.pool]


def measure(
    bench: Bench, material: Material, count: int, seed: int, ways: Iterable[str] = making.WAYS
) -> dict[str, dict[str, float]]:
    """Balanced accuracies of both classifiers on both test sets, for ways of adding sounds."""
    class_indices = chosen(material, count, seed)
    real = [bench.encodings.coefficients[indices] @ bench.timbre_weight.T for indices in class_indices]
    tests = (
        [bench.encodings.coefficients[indices] @ bench.timbre_weight.T for indices in material.test],
        [rows @ bench.timbre_weight.T for rows in material.elsewhere],
    )
    scores = {}
    for name in ways:
        make = making.WAYS[name]
        synthetic = (
            [rows[:0] for rows in real]
            if make is None
            else [make(bench, indices, seed) @ bench.timbre_weight.T for indices in class_indices]
        )
        scores[name] = accuracies(real, synthetic, tests, seed)
    return scores


@torch.no_grad()
def accuracies(
    real: list[Tensor], synthetic: list[Tensor], tests: tuple[list[Tensor], ...], seed: int
) -> dict[str, float]:
    """Of both classifiers on every test set, from rows (sound, feature) by class."""
    centre, spread = torch.cat(real).mean(0), torch.cat(real).std()

    def inputs(rows: list[Tensor]) -> Tensor:
        return (torch.cat(rows) - centre) / spread

    train = torch.cat([inputs(real), inputs(synthetic)])
    train_labels = torch.cat([_labels(real), _labels(synthetic)])
    fitted = classifiers.tuned(inputs(real), _labels(real), train, train_labels, seed)
    scores = {}
    for name, rows in zip(TESTS, tests, strict=True):
        queries, truth = inputs(rows), _labels(rows)
        predicted = classifiers.nearest(torch.cdist(queries, train), train_labels)
        scores[f"weak, {name}"] = classifiers.balanced_accuracy(predicted, truth)
        scores[f"tuned, {name}"] = classifiers.balanced_accuracy(fitted(queries), truth)
    return scores


def by_distance(
    distances: dict[str, Tensor], material: Material, count: int, seed: int
) -> dict[str, dict[str, float]]:
    """Balanced accuracy of the nearest known sound under every distance, on both test sets."""
    order = [index for indices in material.pool for index in indices]
    train_indices = [index for indices in chosen(material, count, seed) for index in indices]
    columns = torch.tensor([order.index(index) for index in train_indices])
    labels = torch.arange(len(CLASSES)).repeat_interleave(count)
    tested = _labels(material.test)
    others = _labels(material.elsewhere)
    scores: dict[str, dict[str, float]] = {}
    for name in nearness.NAMES:
        predicted = classifiers.nearest(distances[name][:, columns], labels)
        scores[name] = {
            "test": classifiers.balanced_accuracy(predicted[: len(tested)], tested),
            "elsewhere": classifiers.balanced_accuracy(predicted[len(tested) :], others),
        }
    return scores


def rendered(bench: Bench, material: Material, count: int, seed: int) -> dict[str, Any]:
    """One cell in features and in rendered sound, real sounds as recorded: is it the same?"""
    class_indices = chosen(material, count, seed)
    timbres = [_heard(bench, bench.sounds.audio[indices]) for indices in class_indices]
    tests = (
        [_heard(bench, bench.sounds.audio[indices]) for indices in material.test],
        [_heard(bench, audio) for audio in material.recorded],
    )
    cell: dict[str, Any] = {"count": count, "seed": seed, "ways": {}}
    in_features = measure(bench, material, count, seed, RENDERED_WAYS)
    for name in RENDERED_WAYS:
        make = making.WAYS[name]
        sounding = (
            [rows[:0] for rows in timbres]
            if make is None
            else [_heard(bench, _sounding(bench, make(bench, indices, seed))) for indices in class_indices]
        )
        cell["ways"][name] = {
            "features": in_features[name],
            "rendered": accuracies(timbres, sounding, tests, seed),
        }
    return cell


def read(folder: Path) -> list[dict[str, Any]]:
    """All cells measured so far, those of the nearest sounds among them."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*-*.json"))]


def read_rendered(folder: Path) -> dict[str, Any] | None:
    """The cells in rendered sound, if they were measured."""
    path = folder / RENDERED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _analysed(bench: Bench, audio: AudioBatch) -> Tensor:
    parts = [bench.model.representation.analyse(part)[0] for part in audio.split(BLOCK)]
    return bench.model.coefficients.analyse(torch.cat(parts))


@torch.no_grad()
def _sounding(bench: Bench, coefficients: Tensor) -> AudioBatch:
    spectral = bench.model.representation
    maps = spectral.normalise(bench.model.coefficients.synthesise(coefficients))
    return torch.cat([spectral.synthesise(part, iterations=POINT_ITERATIONS) for part in maps.split(BLOCK)])


def _heard(bench: Bench, audio: AudioBatch) -> Tensor:
    rate = bench.model.sample_rate
    return torch.cat([timbre_features(part, rate, ONSET / rate) for part in audio.split(BLOCK)])


def _labels(rows: list[Tensor] | tuple[Any, ...]) -> Tensor:
    return torch.cat([torch.full((len(part),), number) for number, part in enumerate(rows)])
