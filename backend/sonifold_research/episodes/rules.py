"""From distances to classes: the rules of few-shot classification that need nothing but a distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sonifold_research.episodes.draw import Episode

NEAREST_FEW = 3
Rule = Callable[[np.ndarray, Episode], np.ndarray]


def nearest(table: np.ndarray, episode: Episode) -> np.ndarray:
    """The class of the nearest sound, (query,)."""
    labels: np.ndarray = episode.support_labels[_between(table, episode).argmin(1)]
    return labels


def nearest_few(table: np.ndarray, episode: Episode) -> np.ndarray:
    """The class of most of the three nearest sounds; of as many, the one of the nearest."""
    away = _between(table, episode)
    order = away.argsort(1)[:, :NEAREST_FEW]
    labels = episode.support_labels[order]
    votes = (labels[:, :, None] == labels[:, None, :]).sum(2)
    chosen: np.ndarray = np.take_along_axis(labels, votes.argmax(1)[:, None], 1)[:, 0]
    return chosen


def mean_distance(table: np.ndarray, episode: Episode) -> np.ndarray:
    """The class whose sounds are nearest on average."""
    return _least(_between(table, episode), episode)


def prototype(table: np.ndarray, episode: Episode) -> np.ndarray:
    """The class whose mean is nearest, from distances alone.

    That is the mean square of the distances to its sounds, less half of that among themselves. In a Euclidean
    space that is the squared distance to the mean of the class (Snell, Swersky and Zemel 2017).
    """
    squares = _between(table, episode) ** 2
    spread = np.empty(len(episode.support))
    for label in np.unique(episode.support_labels):
        rows = episode.support_labels == label
        members = episode.support[rows]
        spread[rows] = (table[np.ix_(members, members)] ** 2).mean() / 2
    return _least(squares - spread, episode)


RULES: dict[str, Rule] = {
    "1-NN": nearest,
    "3-NN": nearest_few,
    "mean distance": mean_distance,
    "prototype": prototype,
}


def accuracy(predicted: np.ndarray, episode: Episode) -> float:
    """Percent of the queries recognised, the mean over classes."""
    classes = np.unique(episode.query_labels)
    shares = [(predicted[episode.query_labels == label] == label).mean() for label in classes]
    return 100 * float(np.mean(np.array(shares, float)))


def _between(table: np.ndarray, episode: Episode) -> np.ndarray:
    chosen: np.ndarray = table[np.ix_(episode.queries, episode.support)]
    return chosen


def _least(away: np.ndarray, episode: Episode) -> np.ndarray:
    classes = np.unique(episode.support_labels)
    means = np.stack([away[:, episode.support_labels == label].mean(1) for label in classes], 1)
    labels: np.ndarray = classes[means.argmin(1)]
    return labels
