"""All episodes, a file each for what is cheap and what is not: stopped and started again, it goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from sonifold import geodesic, pack
from sonifold.files import write_whole
from sonifold.model import Model
from sonifold_research.episodes import distances, network, page, sounds, spaces
from sonifold_research.episodes.distances import LENGTHS, Tables
from sonifold_research.episodes.draw import COUNTS, PROTOCOLS, WAYS, Episode, Protocol, draw
from sonifold_research.episodes.rules import RULES, accuracy
from sonifold_research.episodes.sounds import ForeignSounds
from sonifold_research.episodes.spaces import Spaces

EPISODES = 200  # of each protocol
DEAR = 40  # the first of them, for geodesics, their means and the network
FEW = 5  # sounds of a class up to which geodesics are measured
MEANS = (3, 5)  # sounds of a class of which Frechet means are taken
NETWORK, FRECHET = "network on log-mel", "pull-back geodesic, Frechet mean"
Progress = Callable[[str, int, int], None]
Scores = dict[str, float]


def reproduce(out: Path, docs: Path | None, sources: Path | None, progress: Progress) -> list[Path]:
    """Measure what has not been measured yet, and write the page and its figure; the files written.

    Raises:
        DatasetError: a package, fluidsynth or mido is missing.
    """
    model = Model.load(pack.find("oneshots", None))
    foreign = sounds.build(model, sources, out / "sounds.safetensors", progress)
    embedded = spaces.build(model, foreign, out / "copies", progress)
    whole = distances.tables(embedded)
    for protocol in PROTOCOLS:
        _each(out, "plain", foreign, protocol, EPISODES, lambda e, _: scored(e, whole), progress)
    first = [draw(foreign, protocol, seed) for protocol in PROTOCOLS for seed in range(DEAR)]
    wanted = distances.pairs([part for e in first if (part := _few(e)) is not None])
    for name in LENGTHS:
        table = distances.lengths(model, embedded, name, wanted, out / "lengths", progress)
        for protocol in PROTOCOLS:
            stage = LENGTHS[name] if name != distances.PULLBACK_MODULO else "pullback-modulo"
            _each(out, stage, foreign, protocol, DEAR, _scorer({name: table}), progress)
    inputs = network.pooled(embedded.maps)
    for protocol in PROTOCOLS:
        _each(out, "network", foreign, protocol, DEAR, lambda e, seed: _network(e, seed, inputs), progress)
    for protocol in PROTOCOLS:
        _each(out, "means", foreign, protocol, DEAR, lambda e, _: _means(model, embedded, e), progress)
    return page.write(list(read(out)), foreign, out, docs)


def scored(episode: Episode, tables: Tables, counts: tuple[int, ...] = COUNTS) -> Scores:
    """Accuracy in percent by "ways / count / distance / rule"."""
    scores = {}
    for ways in WAYS:
        for count in counts:
            part = episode.part(ways, count)
            if part is None:
                continue
            for name, table in tables.items():
                for rule, predict in RULES.items():
                    scores[f"{ways} / {count} / {name} / {rule}"] = accuracy(predict(table, part), part)
    return scores


def read(out: Path) -> Iterator[dict[str, Any]]:
    """All that was measured so far: protocol, seed and scores."""
    for path in sorted((out / "episodes").glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def _few(episode: Episode) -> Episode | None:
    """The part that geodesics are measured for: of as many sounds of each class as there are, up to five."""
    return next(
        (part for count in range(FEW, 0, -1) if (part := episode.part(max(WAYS), count)) is not None), None
    )


def _scorer(tables: Tables) -> Callable[[Episode, int], Scores]:
    counts = tuple(count for count in COUNTS if count <= FEW)
    return lambda episode, _: scored(episode, tables, counts)


def _each(
    out: Path,
    stage: str,
    foreign: ForeignSounds,
    protocol: Protocol,
    episodes: int,
    measure: Callable[[Episode, int], Scores],
    progress: Progress,
) -> None:
    """Measure every episode of which there is no file."""
    folder = out / "episodes"
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(episodes):
        path = folder / f"{stage}-{protocol}-{seed:03d}.json"
        if path.exists():
            continue
        scores = measure(draw(foreign, protocol, seed), seed)
        cell = {"protocol": protocol, "seed": seed, "scores": scores}
        write_whole(path, json.dumps(cell).encode(), durable=False)
        progress(f"episodes: {stage}, {protocol}", seed + 1, episodes)


def _network(episode: Episode, seed: int, inputs: torch.Tensor) -> Scores:
    scores = {}
    for ways in WAYS:
        for count in COUNTS:
            part = episode.part(ways, count)
            if part is not None:
                classes = network.predicted(inputs, part, seed)
                scores[f"{ways} / {count} / {NETWORK} / trained"] = accuracy(classes, part)
    return scores


def _means(model: Model, embedded: Spaces, episode: Episode) -> Scores:
    """The nearest Frechet mean under the pull-back, by geodesic length."""
    metric, latent, ways = model.metric("pullback"), embedded.latent.base, max(WAYS)
    scores = {}
    for count in MEANS:
        part = episode.part(ways, count)
        if part is None:
            continue
        classes = [part.support[part.support_labels == label] for label in range(ways)]
        means = torch.stack([geodesic.frechet_mean(metric, latent[rows]).point for rows in classes])
        starts = latent[part.queries].repeat_interleave(ways, 0)
        away = geodesic.lengths(metric, starts, means.repeat(len(part.queries), 1)).view(-1, ways)
        scores[f"{ways} / {count} / {FRECHET} / prototype"] = accuracy(away.argmin(1).numpy(), part)
    return scores
