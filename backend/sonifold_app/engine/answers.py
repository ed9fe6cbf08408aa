"""What the engine answers: frozen models that the routes return, and plain data for what stays inside the service.

One more number on a path is one more field of ``PathFacts``: it is read from the attribute of that name of the
science's own ``Path``, and described for the API here. Where sound comes with an answer, it is ``Rendered``: the routes
put the sound's address in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from sonifold_app.engine.choices import DistanceName, MetricName, PathKind, SamplerName
from sonifold_app.engine.examples import SOUND_ID, Z, example
from sonifold_app.engine.numbers import Columns, Flags, Numbers, Row, Rows, Short, ShortOrNone

Facts = TypeVar("Facts", covariant=True)


class Answer(BaseModel):
    """A part of a reply; its fields are read from mappings, or from attributes of the same names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Caveat(Answer):
    """Something to know about a result before trusting it."""

    code: str = Field(description="Stable between versions, for programs.")
    text: str


class Neighbour(Answer):
    id: str
    distance: Short


@dataclass(frozen=True)
class Recording:
    """Rendered sound: a PCM16 WAV file, mono."""

    wav: bytes
    frames: int
    sample_rate: int

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


@dataclass(frozen=True)
class Rendered(Generic[Facts]):
    """An answer and its sound."""

    facts: Facts
    recording: Recording


# -- paths -------------------------------------------------------------------------------------


class PathFacts(Answer):
    """A path between two anchors, as told with a morph."""

    kind: PathKind
    metric: MetricName
    weight: float
    length: Short = Field(description="Of the rendered sound, perceptual, in the model's unit.")
    line_length: Short = Field(description="The same of the straight line.")
    energy: Short = Field(description="Under the metric that was asked for.")
    line_energy: Short = Field(description="The same of the straight line.")
    speed: Row = Field(description="Perceptual distance between neighbouring steps.")
    speed_variation: Short = Field(description="Coefficient of variation of `speed`.")
    outcome: str = Field(description="The reason why the search ended, as a sentence.")
    converged: bool
    map: Rows = Field(description="The curve on the map, finely: `[x, y]` each.")
    step_positions: Rows = Field(description="Map positions of the steps.")
    on_land: Flags = Field(description="For each step: is it on land?")
    descriptors: Columns = Field(description="For each of the model's `descriptors` its value at each step.")
    water: Short = Field(description="Share of the curve on the map that leads over sea, 0 to 1.")
    guesswork: Short = Field(
        description="Share of the path outside what the model knows, 0 (all of it among known sounds) to 1 (none of "
        "it), weighted by what is heard to change. This, and not the length, is what the blend keeps low."
    )


class Path(PathFacts):
    """A path between two anchors."""

    nodes: Rows = Field(description="The latent points of the steps.")


@dataclass(frozen=True)
class MorphPaths:
    """The first part of a morph: its paths, as they are timed before anything is rendered."""

    paths: tuple[PathFacts, ...]


@dataclass(frozen=True)
class MorphStep:
    """One sound of a morph, as it stays."""

    kind: PathKind
    step: int
    recording: Recording


@dataclass(frozen=True)
class WholeMorph:
    """The last part of a morph: the answer that the operation MORPH has."""

    morphs: tuple[Rendered[Path], ...]


MorphPart = MorphPaths | MorphStep | WholeMorph


class Stimulus(Answer):
    """What is known of the path that a listening test plays; null where there is none, as in a cross-fade."""

    length: ShortOrNone = Field(description="Perceptual, in the model's unit.")
    speed_variation: ShortOrNone = Field(
        description="Coefficient of variation of the distances between steps."
    )


@dataclass(frozen=True)
class MatchedPair:
    """Two sounds of the same loudness and length, as the channels of a WAV file."""

    wav: bytes
    frames: int
    sample_rate: int
    gains_db: tuple[float, float]
    lufs: float


# -- points ------------------------------------------------------------------------------------


class PointFacts(Answer):
    """A new point: its position on the map, and the sounds around it."""

    unit: str = Field(description="Of distances between sounds.")
    point: Row = Field(description="The latent point.")
    x: Short
    y: Short
    in_distribution: bool = Field(
        description="True if it lies among the sounds that the model was trained on."
    )
    decoded_distance: Short = Field(
        description="To the nearest library sound: how different they are to the ear, as the model decodes both."
    )
    nearest: list[Neighbour] = Field(description="Library sounds by decoded distance, nearest first.")
    warnings: list[Caveat]


class MeanFacts(PointFacts):
    """The Frechet mean: the point with the least sum of squared distances to the sounds."""

    spokes: list[Rows] = Field(
        description="On the map, the shortest paths from the mean to each anchor: `[x, y]` each."
    )
    distances: Row = Field(description="Their lengths under the metric, in its own unit.")
    variance: Short = Field(description="Weighted mean of the squared distances.")


class AnalogyFacts(PointFacts):
    """The point that relates to C as B relates to A."""

    course: Rows = Field(description="On the map, the path from C to the answer.")


class ExtrapolationFacts(PointFacts):
    """A point beyond B, as seen from A."""

    course: Rows = Field(description="On the map, the path from A through B to the point.")
    times: Row = Field(description="Of the points of the course: 0 at A, 1 at B.")
    left: ShortOrNone = Field(description="The time from which on nothing on the path is known.")


class DecodedFacts(Answer):
    """A latent point's position on the map."""

    x: Short
    y: Short


class Diagnostics(Answer):
    """Quality of the draw; null where a sampler has no such figure."""

    acceptance: ShortOrNone = Field(description="Share of the proposals that were accepted.")
    effective: ShortOrNone = Field(description="Number of independent draws that these are worth.")
    escapes: int | None = Field(description="Points outside the sampler's support.")


class Sample(Answer):
    point: Row
    x: float
    y: float
    in_distribution: bool = Field(
        description="True if it lies among the sounds that the model was trained on."
    )
    nearest: Neighbour = Field(description="The library sound of least decoded distance.")


class Samples(Answer):
    """New points, in the order drawn."""

    model_config = example(
        unit="tdB",
        sampler="importance",
        metric="kernel",
        seed=7,
        temperature=1.0,
        diagnostics={"acceptance": None, "effective": 14.2, "escapes": 0},
        warnings=[],
        samples=[
            {
                "point": Z,
                "x": 0.31,
                "y": -1.2,
                "in_distribution": True,
                "nearest": {"id": SOUND_ID, "distance": 3.42},
            }
        ],
    )

    unit: str = Field(description="Of distances.")
    sampler: SamplerName
    metric: MetricName = Field(
        description="By the volume of which they were drawn, by samplers that have one."
    )
    seed: int
    temperature: float
    diagnostics: Diagnostics
    warnings: list[Caveat]
    samples: list[Sample]


class Stopped(Answer):
    """The reasons why a traversal ends, one for each side, as sentences."""

    less: str
    more: str


class TraversalFacts(Answer):
    """Sounds that differ in one descriptor, less of it first, the start's own residual carried along."""

    descriptor: str
    unit: str = Field(description="Of the values.")
    distance_unit: str = Field(description="Of the distances.")
    origin: int = Field(description="The step that is the start.")
    values: list[Short] = Field(description="Of the descriptor, at each step.")
    points: Rows
    positions: Rows
    in_distribution: Flags = Field(
        description="For each step: among the sounds that the model was trained on?"
    )
    distances: list[Short] = Field(
        description="Decoded distance from each step to the nearest library sound."
    )
    course: Rows = Field(description="On the map, the path from less to more.")
    stopped: Stopped
    descriptors: Columns = Field(description="All of them, at each step.")
    warnings: list[Caveat] = Field(description="Caveats of the descriptor's values.")
    sample_rate: int
    step_samples: int = Field(description="Length of one step, in samples.")


class Ellipse(Answer):
    """The ends of all directions of one length, as the map shows them."""

    x: float
    y: float
    outline: Rows = Field(description="Around its middle: `[dx, dy]` each.")
    cut: bool = Field(description="True if one of its axes is longer than drawn.")


class Indicatrices(Answer):
    """Tissot's indicatrices of a metric, evenly over the land."""

    model_config = example(
        metric="blend",
        radius=2.4,
        ellipses=[{"x": 0.31, "y": -1.2, "outline": [[0.03, 0.0], [0.0, 0.02], [-0.03, 0.0]], "cut": False}],
    )

    metric: MetricName
    radius: Short = Field(description="The length of those directions, in the metric's own unit.")
    ellipses: list[Ellipse]


class Magnification(Answer):
    """How much a metric magnifies: log sqrt det of it as the map shows it, on a grid. Low where paths like to be."""

    model_config = example(
        metric="learned",
        x=[-1.0, 1.0],
        y=[-1.0, 1.0],
        values=[[0.1, 2.3], [1.7, 4.0]],
        coast=2.0,
        levels=[1.0, 2.0],
    )

    metric: MetricName
    x: Row
    y: Row
    values: Rows = Field(description="One row for each y, one number for each x.")
    coast: float = Field(description="Up to here are the values at nearly all library sounds.")
    levels: list[float] = Field(description="Levels of contours.")


class Neighbours(Answer):
    """The nearest sounds, nearest first."""

    model_config = example(unit="tdB", distance="perceptual", neighbours=[{"id": SOUND_ID, "distance": 3.42}])

    unit: str | None = Field(
        description="Of the distances; null where they are in latent units, or in the unit of another metric than the "
        "pull-back."
    )
    distance: DistanceName
    neighbours: list[Neighbour] = Field(description="Nearest first, the sound itself left out.")


class Distances(Answer):
    """The distance of every sound."""

    model_config = example(unit="tdB", distance="perceptual", distances=[0.0, 11.3, 8.75])

    unit: str
    distance: DistanceName
    distances: Row = Field(description="To every sound, in the order of the list of sounds.")


# -- recordings --------------------------------------------------------------------------------


class EmbeddingFacts(Answer):
    """A sound's latent point and position in a model."""

    name: str
    seconds: float
    z: Row
    x: Short
    y: Short
    nearest: list[Neighbour] = Field(description="By perceptual distance, nearest first.")
    warnings: list[Caveat] = Field(
        description="Faults of the recording, and what was cut, mixed or converted."
    )


class ProposedSound(Answer):
    """A sound found in a recording."""

    start: float = Field(description="Seconds.")
    end: float
    name: str = Field(description="A proposed name.")
    strength: Short = Field(description="Of its onset; doubtful ones are weak.")
    peak_db: float = Field(description="Full scale is 0.")


class SplitFacts(Answer):
    """A recording, and the sounds found in it."""

    name: str
    seconds: float
    sample_rate: int
    overview: list[list[float]] = Field(
        description="Least and largest sample in each of equal parts: `[low, high]`."
    )
    sounds: list[ProposedSound] = Field(description="None of them is kept yet.")
    warnings: list[Caveat] = Field(
        description="Changes made in reading it: mixed to one channel, an offset removed, ..."
    )


# -- what stays inside the service ---------------------------------------------------------------


@dataclass(frozen=True)
class PreparedSound:
    """A sound that can be stored: its recording as the model takes it, its point, its timbre."""

    name: str
    seconds: float
    z: Numbers  # (latent,)
    position: tuple[float, float]
    in_distribution: bool  # among the sounds that the model was trained on
    nearest: tuple[Neighbour, ...]
    timbre: Numbers  # (feature,), what perceptual distances are taken from
    audio: bytes  # FLAC
    pitch: float | None  # Hz, a guess
    facts: Mapping[str, float]  # of the recording as it came: ``sonifold.audio.check.Facts``; empty: none
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class CutFile:
    """Parts of a recording, each a sound file, and what was done to the whole of it."""

    sounds: tuple[bytes, ...]
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class Reembedded:
    """A user's sound in an adapted model: the point at which its decoder comes closest to it."""

    z: Numbers  # (latent,)
    position: tuple[float, float]
    in_distribution: bool


@dataclass(frozen=True)
class SliderFacts:
    """A direction in sound that some user's sounds have and the model does not."""

    id: str
    title: str
    low: float
    high: float
    share: float  # of what the model leaves out of the sounds


@dataclass(frozen=True)
class Adapted:
    """The outcome of adapting a model to a few sounds."""

    coherence: float | None
    gain: float | None  # share of the error that is expected to go, on sounds like these
    text: str
    carries: bool  # whether anything of the sounds carries to others
    sliders: tuple[SliderFacts, ...]
    bytes: int  # of memory that it takes beside its base


def fields_of(answer: BaseModel) -> dict[str, Any]:
    """The fields of an answer, for a reply that has them and more."""
    return dict(answer)
