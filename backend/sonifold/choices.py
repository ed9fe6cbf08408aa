"""Choices by name, with the words that the command line, the service and the page show."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """A name and its words; equal to the plain string of the name.

    ``label`` names it on a button, ``term`` is the field's word, ``sentence`` says what it does.
    """

    label: str
    term: str
    sentence: str

    def __new__(cls, name: str, label: str, term: str, sentence: str) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.label, member.term, member.sentence = label, term, sentence
        return member

    @classmethod
    def of(cls, name: str) -> Self:
        """The choice of a name.

        Raises:
            ValueError: there is none of that name; the sentence lists those there are.
        """
        for choice in cls:
            if choice == name:
                return choice
        raise ValueError(f"no {NOUNS[cls.__name__]} {name!r}; choose one of {', '.join(cls)}.")


class PathKind(Choice):
    """Kinds of paths from A to B."""

    GEODESIC = "geodesic", "Geodesic", "geodesic", "shortest under the metric, at constant perceptual speed"
    LINEAR = "linear", "Straight line", "linear interpolation", "the straight line in latent space"
    RETIMED = (
        "retimed",
        "Straight line, timed",
        "linear, re-timed",
        "the straight line at constant perceptual speed",
    )
    GRAPH = "graph", "Through sounds", "neighbour graph", "through real neighbours of the library"


class MetricName(Choice):
    """Metrics of a model, which measure lengths."""

    BLEND = (
        "blend",
        "By ear, near known sounds",
        "blend",
        "the pull-back of the perceptual distance plus a data term, whose weight can be set",
    )
    PULLBACK = "pullback", "By ear only", "pull-back", "the pull-back of the perceptual distance alone"
    KERNEL = (
        "kernel",
        "By known sounds only",
        "kernel",
        "the data term alone: near known sounds, whatever is heard on the way",
    )
    FLAT = "flat", "Plain, as a control", "Euclidean", "Euclidean in latent space"


class SamplerName(Choice):
    """Samplers, which draw new points."""

    IMPORTANCE = (
        "importance",
        "Known sounds, quick",
        "importance resampling",
        "by the metric's volume, in one pass; in many dimensions a few dense groups take all",
    )
    HMC = (
        "hmc",
        "Known sounds",
        "Hamiltonian Monte Carlo on the metric's volume",
        "by the metric's volume: Hamiltonian Monte Carlo, one short chain from a sound for each",
    )
    MIXTURE = (
        "mixture",
        "Near the library",
        "Gaussian mixture",
        "from Gaussians fitted to the sounds: the baseline to beat",
    )
    AGGREGATED = (
        "aggregated",
        "Like one of the library",
        "aggregated posterior",
        "near one of the sounds, as far as the encoder was unsure of it",
    )
    PRIOR = "prior", "Anywhere", "prior", "from the normal distribution the model was trained towards"
    WALK = (
        "walk",
        "Wander from a sound",
        "Riemannian random walk",
        "wandering from a sound, in steps as long as the metric allows",
    )


#: What a choice is called in a sentence.
NOUNS = {"PathKind": "path of kind", "MetricName": "metric", "SamplerName": "sampler"}
