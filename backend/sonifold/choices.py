"""Choices by name, with the words that the command line, the service and the page show.

The first of each is the one that is taken where none is named.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self


class Words(NamedTuple):
    """What is shown for a choice: on the page label, term and meaning, elsewhere the sentence."""

    label: str  #: names it on a button
    term: str  #: the field's word, or a second word beside the label
    meaning: str  #: what it means for what is heard, in plain words
    sentence: str  #: what it computes


class Choice(StrEnum):
    """A name and its words; equal to the plain string of the name."""

    words: Words

    def __new__(cls, name: str, words: Words) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.words = words
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

    GEODESIC = (
        "geodesic",
        Words(
            label="Curved",
            term="geodesic",
            meaning="Bends towards known sounds, as far as the slider says",
            sentence="shortest under the metric, at constant perceptual speed",
        ),
    )
    GRAPH = (
        "graph",
        Words(
            label="Via sounds",
            term="graph path",
            meaning="Goes from known sound to known sound",
            sentence="through real neighbours of the library",
        ),
    )
    LINEAR = (
        "linear",
        Words(
            label="Direct",
            term="straight",
            meaning="The straight line between the two sounds inside the model; it need not be straight on the map",
            sentence="the straight line in latent space",
        ),
    )
    RETIMED = (
        "retimed",
        Words(
            label="Direct",
            term="even pace",
            meaning="The same straight line, with equal steps to the ear",
            sentence="the straight line at constant perceptual speed",
        ),
    )


class MetricName(Choice):
    """Metrics of a model, which measure lengths; a file of ``sonifold.metric`` registers each under its name."""

    BLEND = (
        "blend",
        Words(
            label="By ear, near known sounds",
            term="blend",
            meaning="What can be heard, plus a pull towards known sounds: the slider says how strong",
            sentence="the pull-back of the perceptual distance plus a data term, whose weight can be set",
        ),
    )
    PULLBACK = (
        "pullback",
        Words(
            label="By ear only",
            term="pull-back",
            meaning="The shortest path for the ear, wherever it leads",
            sentence="the pull-back of the perceptual distance alone",
        ),
    )
    KERNEL = (
        "kernel",
        Words(
            label="By known sounds only",
            term="kernel",
            meaning="Keeps near known sounds; what is heard on the path does not count",
            sentence="the data term alone: near known sounds, whatever is heard on the path",
        ),
    )
    LEARNED = (
        "learned",
        Words(
            label="As the model learned it",
            term="RHVAE",
            meaning="Keeps to where the model learned that sounds are, by a metric that was trained with it",
            sentence="the metric that was trained with the model's VAE, of models that have one",
        ),
    )
    FLAT = (
        "flat",
        Words(
            label="Plain, as a control",
            term="flat",
            meaning="Straight inside the model, with equal steps to the ear",
            sentence="Euclidean in latent space",
        ),
    )


class DistanceName(Choice):
    """Distances between two sounds. The word alone means the first."""

    PERCEPTUAL = (
        "perceptual",
        Words(
            label="Distance",
            term="perceptual distance",
            meaning="How different two recordings are to the ear",
            sentence="|Phi_a - Phi_b| of the two recordings",
        ),
    )
    GEODESIC = (
        "geodesic",
        Words(
            label="Geodesic distance",
            term="length of the shortest path",
            meaning="How much the model's own sounds have to change on the shortest path from one to the other",
            sentence="length of the shortest path between the latent points, by the pull-back or another metric",
        ),
    )
    EUCLIDEAN = (
        "euclidean",
        Words(
            label="Latent distance",
            term="Euclidean distance",
            meaning="How far apart two points are inside the model, whatever is heard there",
            sentence="between the latent points, in latent units",
        ),
    )

    @classmethod
    def asked_for(cls, distance: str | None, metric: str | None, weight: float | None) -> Self:
        """The distance of a name; without one the geodesic distance where a metric or its weight is named.

        Raises:
            ValueError: there is none of that name.
        """
        if distance is not None:
            return cls.of(distance)
        return cls.PERCEPTUAL if metric is None and weight is None else cls.GEODESIC


class GroupName(Choice):
    """Groups of changes that keep a sound itself, which distances may be taken modulo."""

    TRANSPOSITION = (
        "transposition",
        Words(
            label="In any key",
            term="modulo transposition",
            meaning="The same sound higher or lower counts as the same",
            sentence="least over one octave up and down",
        ),
    )


class SamplerName(Choice):
    """Samplers, which draw new points."""

    HMC = (
        "hmc",
        Words(
            label="Known sounds",
            term="Hamiltonian Monte Carlo on the metric’s volume",
            meaning="Most where the model knows most",
            sentence="by the metric's volume: Hamiltonian Monte Carlo, one short chain from a sound for each",
        ),
    )
    IMPORTANCE = (
        "importance",
        Words(
            label="Known sounds, quick",
            term="importance resampling",
            meaning="The same in one pass; some sounds come more than once",
            sentence="by the metric's volume, in one pass; in many dimensions a few dense groups take all",
        ),
    )
    MIXTURE = (
        "mixture",
        Words(
            label="Near the library",
            term="Gaussian mixture",
            meaning="Where the library’s sounds lie close together",
            sentence="from Gaussians fitted to the sounds: the baseline to beat",
        ),
    )
    AGGREGATED = (
        "aggregated",
        Words(
            label="Like one of the library",
            term="aggregated posterior",
            meaning="One of its sounds, slightly changed",
            sentence="near one of the sounds, as far as the encoder was unsure of it",
        ),
    )
    PRIOR = (
        "prior",
        Words(
            label="Anywhere",
            term="prior",
            meaning="Expect surprises",
            sentence="from the normal distribution the model was trained towards",
        ),
    )
    WALK = (
        "walk",
        Words(
            label="Wander from a sound",
            term="Riemannian random walk",
            meaning="A random walk that keeps to known sounds",
            sentence="wandering from a sound, in steps as long as the metric allows",
        ),
    )


class InstrumentName(Choice):
    """Kinds of instrument; a file of ``sonifold.instruments.formats`` registers each under its name."""

    SFZ = (
        "sfz",
        Words(
            label="SFZ",
            term="a folder with an SFZ text",
            meaning="For sforzando, sfizz, TX16Wx, LinuxSampler and many more",
            sentence="a folder with a text and the sounds, for sforzando, sfizz, liquidsfz, TX16Wx and many more",
        ),
    )
    DSLIBRARY = (
        "dslibrary",
        Words(
            label="DecentSampler",
            term=".dslibrary",
            meaning="For DecentSampler; a morph has a knob, which the modulation wheel turns",
            sentence="one file for DecentSampler",
        ),
    )
    MULTISAMPLE = (
        "multisample",
        Words(
            label="Bitwig multisample",
            term=".multisample",
            meaning="For Bitwig Studio and Studio One; a morph lies along Select",
            sentence="one file for Bitwig Studio and Studio One",
        ),
    )
    H2DRUMKIT = (
        "h2drumkit",
        Words(
            label="Hydrogen drum kit",
            term=".h2drumkit",
            meaning="For Hydrogen: one key each, no zones",
            sentence="one file for Hydrogen, drum kits only",
        ),
    )
    XPM = (
        "xpm",
        Words(
            label="MPC program",
            term="a folder with an .xpm program",
            meaning="For MPC software and standalone MPCs: a keygroup or a drum program",
            sentence="a folder with a program and the sounds, for Akai's MPC software and standalone MPCs",
        ),
    )
    OP1 = (
        "op1",
        Words(
            label="OP-1 drum kit",
            term=".aif",
            meaning="For OP-1 and OP-Z: 24 sounds and 12 seconds at most",
            sentence="one AIFF for OP-1, OP-1 field and OP-Z, of 24 sounds and 12 seconds at most",
        ),
    )
    ZIP = (
        "zip",
        Words(
            label="ZIP of sounds",
            term=".zip",
            meaning="The sounds as they are, with a table of what they were made from",
            sentence="the sounds as files with a table of what they were made from",
        ),
    )
    M3U = (
        "m3u",
        Words(
            label="M3U playlist",
            term="a folder with a playlist",
            meaning="The sounds and a playlist of them",
            sentence="a folder with the sounds and a playlist",
        ),
    )
    CSV = (
        "csv",
        Words(
            label="CSV table",
            term=".csv",
            meaning="Only a table: names, keys, lengths, licences",
            sentence="a table of names, keys, lengths and licences, without the sounds",
        ),
    )


class Layout(Choice):
    """How sounds become an instrument."""

    KEYS = (
        "keys",
        Words(
            label="By pitch",
            term="key zones",
            meaning="Each sound around the key of its pitch",
            sentence="each sound on the key of its pitch, zones split halfway between",
        ),
    )
    DRUMS = (
        "drums",
        Words(
            label="Drum kit",
            term="one key each",
            meaning="Each sound on a key of its own",
            sentence="each sound on one key, where General MIDI has it if its name tells, else from key 36 up",
        ),
    )
    MORPH = (
        "morph",
        Words(
            label="Under the modulation wheel",
            term="crossfades",
            meaning="The wheel goes from A to B while a key is held",
            sentence="all sounds on every key, crossfaded in their order by the modulation wheel",
        ),
    )


#: What a choice is called in a sentence.
NOUNS = {
    "PathKind": "path of kind",
    "MetricName": "metric",
    "DistanceName": "distance",
    "GroupName": "group of changes",
    "SamplerName": "sampler",
    "InstrumentName": "kind of instrument",
    "Layout": "layout",
}
