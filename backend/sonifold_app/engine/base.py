"""What the service asks of the science, as one protocol.

Questions and answers are plain data (numbers, numpy arrays, bytes), so that an engine may live in this
process (``local``), or on other machines, and no route can tell. An engine raises the errors of
``sonifold.errors``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.archive import SoundFile
from sonifold.audio.formats import AudioFormat, BitDepth
from sonifold.audio.provenance import Provenance

Numbers = NDArray[np.float32]
LevelName = Literal["keep", "normalise"]
ModelKind = Literal["library", "adapted", "finetuned", "imported"]
PathKind = Literal["geodesic", "linear", "retimed", "graph"]
MetricName = Literal["blend", "pullback", "kernel", "flat"]
MorphMode = Literal["steps", "glide"]
DistanceName = Literal["geodesic", "perceptual", "euclidean"]

PATH_KINDS: tuple[PathKind, ...] = ("geodesic", "linear", "retimed", "graph")
METRICS: tuple[MetricName, ...] = ("blend", "pullback", "kernel", "flat")
DISTANCES: tuple[DistanceName, ...] = ("geodesic", "perceptual", "euclidean")


@dataclass(frozen=True)
class Caveat:
    """Something to know about a result before trusting it: a code for programs, a sentence for people."""

    code: str
    text: str


# -- questions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A sound of the user's own. What it holds besides its id is as ``admit`` gave it."""

    id: str
    name: str
    seconds: float
    sha256: str  # of the audio
    z: Numbers = field(compare=False, repr=False)  # (latent,)
    timbre: Numbers = field(compare=False, repr=False)  # (feature,)
    audio: bytes = field(
        default=b"", compare=False, repr=False
    )  # FLAC; where it is to be heard or walked from
    origin: str = field(default="", compare=False)  # what it was made by; "": a recording


@dataclass(frozen=True)
class OwnPlaces:
    """Where some of the user's own sounds are, row i of each column the same sound."""

    ids: Sequence[str]
    z: Numbers  # (n, latent)
    timbre: Numbers  # (n, feature)


@dataclass(frozen=True)
class Anchor:
    """A place to start or end at: exactly one of a library sound's id, a sound of the user's own, a latent
    point, a position on the map.
    """

    sound: str | None = None
    kept: Kept | None = None
    point: tuple[float, ...] | None = None
    position: tuple[float, float] | None = None


@dataclass(frozen=True)
class PathQuery:
    """The way through two or more anchors."""

    anchors: tuple[Anchor, ...]
    kind: PathKind = "geodesic"
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own
    steps: int = 17


@dataclass(frozen=True)
class MorphQuery:
    """Ways between two anchors, made audible."""

    start: Anchor
    end: Anchor
    kinds: tuple[PathKind, ...] = ("geodesic", "linear")
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own
    steps: int = 17
    mode: MorphMode = "steps"
    seconds: float = 4.0


@dataclass(frozen=True)
class MeanQuery:
    """The average of several anchors."""

    anchors: tuple[Anchor, ...]
    weights: tuple[float, ...] | None = None  # all alike
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class AnalogyQuery:
    """A is to B as C is to what?"""

    a: Anchor
    b: Anchor
    c: Anchor
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class ExtrapolationQuery:
    """On from the start through the end, ``to`` times the way between them."""

    start: Anchor
    end: Anchor
    to: float = 1.5
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class SampleQuery:
    """New points by one of the model's samplers."""

    sampler: str
    count: int
    seed: int
    temperature: float = 1.0
    start: Anchor | None = None  # of a walk


@dataclass(frozen=True)
class TraversalQuery:
    """Less and more of what a word says, from an anchor."""

    start: Anchor
    descriptor: str
    steps: int = 9
    reach: float | None = (
        None  # to either side, in the library's standard deviations; None: the science's own
    )
    hold: bool = True  # keep the other descriptors where they are
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class NeighbourQuery:
    """The sounds nearest to an anchor."""

    anchor: Anchor
    count: int = 8
    distance: DistanceName = "geodesic"
    metric: MetricName = "pullback"  # of the geodesics
    weight: float | None = None  # the model's own
    own: OwnPlaces | None = None  # sounds that count besides the library's


@dataclass(frozen=True)
class IndicatrixQuery:
    """Ellipses of equal distance, about so many of them on the land of the map."""

    count: int = 100
    metric: MetricName = "blend"
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class Hearing:
    """A place to be decoded, with so much of each of an adapted model's sliders."""

    anchor: Anchor
    amounts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class FileOptions:
    """How a sound is written to a file."""

    format: AudioFormat = "wav"
    depth: BitDepth | None = None  # the format's usual one
    level: LevelName = "keep"
    trim: bool = False  # the silence at its ends


@dataclass(frozen=True)
class MorphExport:
    """A way that is to leave as files: of one kind, as steps or as a glide."""

    query: MorphQuery
    names: tuple[str, str] = ("", "")  # of its ends in file names; "": their own
    only: int | None = None  # which step, from 1; None: all of them
    joined: bool = False  # the steps one after another in one file
    durations: tuple[float, ...] = ()  # seconds of each step in it; empty: as long as each can be heard


@dataclass(frozen=True)
class ExportQuery:
    """Sounds that are to leave as files: those of a way, or single ones."""

    options: FileOptions
    morph: MorphExport | None = None
    sounds: tuple[Anchor, ...] = ()
    names: tuple[str, ...] = ()  # of the sounds; empty: their own


@dataclass(frozen=True)
class Upload:
    """A sound file as it came."""

    name: str
    data: bytes
    caveats: tuple[Caveat, ...] = ()  # of the recording that it was cut from


# -- answers -----------------------------------------------------------------------------------


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
class TracedPath:
    """A path between two anchors. Lengths in the model's unit; the arrays as in ``sonifold.Path``."""

    kind: PathKind
    metric: MetricName
    weight: float
    length: float
    line_length: float
    energy: float
    line_energy: float
    speed: Numbers  # (steps - 1,)
    speed_variation: float
    outcome: str
    converged: bool
    map: Numbers  # (65, 2)
    step_positions: Numbers  # (steps, 2)
    on_land: NDArray[np.bool_]  # (steps,)
    water: float
    guesswork: float
    nodes: Numbers  # (steps, latent)
    descriptors: Mapping[str, Sequence[float]]  # of each step


@dataclass(frozen=True)
class Morph:
    path: TracedPath
    recording: Recording


@dataclass(frozen=True)
class Decoded:
    """What a latent point sounds like, and where it lies on the map."""

    recording: Recording
    position: tuple[float, float]


@dataclass(frozen=True)
class SliderFacts:
    """A direction in sound that some own sounds have and the model has not."""

    id: str
    title: str
    low: float
    high: float
    share: float  # of what the model leaves out of the sounds


@dataclass(frozen=True)
class Adapted:
    """What came of adapting a model to a few sounds."""

    coherence: float | None
    gain: float | None  # share of the error that is expected to go, on sounds like these
    text: str
    carries: bool  # whether anything of the sounds carries to others
    sliders: tuple[SliderFacts, ...]
    bytes: int  # of memory that it takes beside its base


@dataclass(frozen=True)
class Settled:
    """Where an adapted model has an own sound of its base."""

    z: Numbers  # (latent,)
    position: tuple[float, float]
    in_distribution: bool


@dataclass(frozen=True)
class Neighbour:
    id: str
    distance: float


@dataclass(frozen=True)
class Place:
    """A new point, what it sounds like, and what is around it."""

    point: Numbers  # (latent,)
    position: tuple[float, float]
    in_distribution: bool
    nearest: tuple[Neighbour, ...]  # nearest first, at least one
    caveats: tuple[Caveat, ...]
    recording: Recording


@dataclass(frozen=True)
class Mean:
    place: Place
    spokes: Sequence[Numbers]  # (point, 2) each, on the map from the mean to each anchor
    distances: Numbers  # (anchor,), lengths of the spokes under the metric
    variance: float
    converged: bool


@dataclass(frozen=True)
class Analogy:
    place: Place
    course: Numbers  # (point, 2) on the map, from C to the answer


@dataclass(frozen=True)
class Extrapolation:
    place: Place
    course: Numbers  # (point, 2) on the map, from A through B to the place
    times: Numbers  # (point,), 0 at A, 1 at B
    left: float | None  # when the way left the data for good


@dataclass(frozen=True)
class Draw:
    """New points, in the order drawn."""

    points: Numbers  # (n, latent)
    positions: Numbers  # (n, 2)
    in_distribution: NDArray[np.bool_]  # (n,)
    nearest: tuple[Neighbour, ...]  # to each
    seed: int
    temperature: float
    acceptance: float | None
    effective: float | None
    escapes: int | None
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class Traversal:
    """Sounds that differ in what a word says, less of it first."""

    points: Numbers  # (step, latent)
    positions: Numbers  # (step, 2)
    values: Numbers  # (step,) of the descriptor, as heard
    in_distribution: NDArray[np.bool_]  # (step,)
    distances: Numbers  # (step,) to the nearest library sound
    origin: int  # the step that is the sound itself
    course: Numbers  # (point, 2) on the map
    stopped: Mapping[str, str]  # why it goes no further, at the ends "less" and "more"
    descriptors: Mapping[str, Sequence[float]]  # all of them, at each step
    caveats: tuple[Caveat, ...]  # of the word
    recording: Recording  # the steps laid end to end


@dataclass(frozen=True)
class Indicatrices:
    """Directions of equal length, at places on the map."""

    positions: Numbers  # (n, 2)
    outlines: Numbers  # (n, corner, 2), relative to the positions
    cut: NDArray[np.bool_]  # (n,), whether an axis is longer than drawn
    radius: float  # that length, under the metric


@dataclass(frozen=True)
class Embedding:
    """A sound's place in a model."""

    name: str
    seconds: float
    z: Numbers
    position: tuple[float, float]
    nearest: tuple[Neighbour, ...]
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True)
class Admitted:
    """A sound as it can be kept: prepared, placed, known by its timbre."""

    name: str
    seconds: float
    z: Numbers  # (latent,)
    position: tuple[float, float]
    in_distribution: bool  # among the sounds that the model learned from
    nearest: tuple[Neighbour, ...]
    timbre: Numbers  # (feature,), what perceptual distances are taken from
    audio: bytes  # FLAC
    pitch: float | None  # Hz, a guess
    facts: Mapping[
        str, float
    ]  # of the recording as it came: see ``sonifold.audio.check.Facts``; none of a made one
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class Cut:
    """A sound found in a longer recording."""

    start: float  # seconds
    end: float
    strength: float  # of its onset
    peak_db: float  # full scale = 0


@dataclass(frozen=True)
class SplitFile:
    """A recording as it came, and where the sounds in it begin and end."""

    name: str
    seconds: float
    sample_rate: int
    cuts: tuple[Cut, ...]
    overview: Numbers  # (column, 2), least and largest sample in each of equal parts
    recording: Recording  # to listen to
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True)
class CutFile:
    """Parts of a recording, each a sound file, and what was done to the whole of it."""

    sounds: tuple[bytes, ...]
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class StoredAudio:
    """A library sound's file as it lies in the pack."""

    data: bytes
    format: AudioFormat
    provenance: Provenance


@dataclass(frozen=True)
class LibraryTable:
    """The sounds of a pack, column by column, all in the same order."""

    ids: Sequence[str]
    names: Sequence[str]
    families: Sequence[str]
    family_names: Sequence[str]
    sources: Sequence[str]
    licences: Sequence[str]
    credits: Sequence[str]
    groups: Sequence[str]
    seconds: Sequence[float]
    pitches: Sequence[float | None]
    positions: Numbers  # (n, 2)
    z: Numbers  # (n, latent)
    finetuned: Sequence[bool] = ()  # whether the model was fine-tuned on the sound; empty: on none

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Where each sound stands, by its id."""
        return {id: row for row, id in enumerate(self.ids)}


@dataclass(frozen=True)
class AtlasField:
    """The magnification, log sqrt det G, on a grid of the map; values up to ``coast`` are land."""

    extent: tuple[float, float, float, float]
    x: Numbers  # (nx,)
    y: Numbers  # (ny,)
    values: Numbers  # (ny, nx)
    coast: float
    levels: Sequence[float]
    placement_error: Mapping[str, Any]


@dataclass(frozen=True)
class SamplerFacts:
    """A way to draw new points."""

    id: str
    title: str
    temperature: bool  # whether it can be more or less daring
    start: bool  # whether it needs somewhere to begin


@dataclass(frozen=True)
class DescriptorFacts:
    """A word for timbre that has a number."""

    id: str
    unit: str
    more: str
    less: str
    meaning: str


@dataclass(frozen=True)
class ModelFacts:
    """Everything about a loaded pack that does not need computing."""

    name: str
    version: str  # changes with the pack and with the code that renders it: what was rendered before is stale
    pack: str  # changes with what a latent point means
    release: str  # the pack's own version, as files that leave name it
    title: str
    description: str
    latent_dim: int
    sample_rate: int
    sound_samples: int
    unit: str
    weight: float  # of the blend's data term, by default
    card: Mapping[str, Any]
    card_markdown: str
    library: LibraryTable
    atlas: AtlasField
    samplers: tuple[SamplerFacts, ...] = ()
    descriptors: tuple[DescriptorFacts, ...] = ()
    kind: ModelKind = "library"
    base: str | None = None  # what an adapted or a fine-tuned model was made from

    @property
    def home(self) -> str:
        """The model that own sounds are kept with: of an adapted one its base."""
        return self.base if self.kind == "adapted" and self.base is not None else self.name


@dataclass(frozen=True)
class Catalogue:
    """The packs that can be used, and those that cannot, with the reason as a sentence."""

    models: Mapping[str, ModelFacts] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Loads packs and computes with them. Every method but ``start`` and ``close`` is called on the event
    loop.
    """

    def start(self) -> None:
        """Begin to load; return at once."""

    def close(self) -> None:
        """Finish what is being computed and let go of everything."""

    async def catalogue(self, timeout: float) -> Catalogue | None:
        """The packs, once they are loaded; None if that takes longer than ``timeout`` seconds."""

    async def open(self, folder: Path, kind: ModelKind) -> str | None:
        """Load one more pack; if it cannot be used the catalogue says why, and so does this."""

    async def retitle(self, model: str, title: str) -> None:
        """A pack's title has been changed."""

    async def shut(self, model: str) -> None:
        """Let go of a pack."""

    async def trace(self, model: str, query: PathQuery) -> list[TracedPath]:
        """The paths between consecutive anchors, one a leg."""

    async def morph(self, model: str, query: MorphQuery) -> list[Morph]:
        """The paths between two anchors and what they sound like, one a kind."""

    async def adapt(self, model: str, name: str, sounds: Sequence[Kept], seed: int) -> Adapted:
        """Adapt a model to own sounds, in closed form. The result answers to ``name`` until it is ``shut``; it is not
        in the catalogue. A sound whose ``z`` is empty is placed anew.
        """

    async def settle(self, model: str, sounds: Sequence[Kept], *, behind: bool = False) -> list[Settled]:
        """Where an adapted model has own sounds of its base: where its decoder comes closest to them.

        ``behind``: while there is nothing else to do.
        """

    async def decode(
        self, model: str, anchors: Sequence[Anchor], amounts: Mapping[str, float] | None = None
    ) -> list[Decoded]:
        """What the model makes of each anchor's latent point alone, without what it had left out; of an adapted
        model, with so much of each of its sliders.
        """

    async def embed(self, model: str, uploads: Sequence[Upload]) -> list[Embedding]:
        """Places of sounds that are not in the library."""

    async def split(self, upload: Upload, threshold: float | None) -> SplitFile:
        """Where the sounds in a longer recording begin and end; a lower threshold finds more."""

    async def cut(self, upload: Upload, spans: Sequence[tuple[float, float]]) -> CutFile:
        """The parts of a recording between (start, end) in seconds."""

    async def fingerprints(self, sounds: Sequence[bytes]) -> list[bytes]:
        """What admitted sounds' files are told apart by."""

    async def duplicates(self, fingerprints: Sequence[bytes]) -> list[tuple[int, int, float]]:
        """Which fingerprints are of the same sound: (earlier, later, dB apart)."""

    async def admit(
        self, model: str, sounds: Sequence[Upload | Anchor], *, behind: bool = False
    ) -> list[Admitted]:
        """Sounds as they can be kept: files, or what the model makes of points. ``behind``: as in ``settle``."""

    async def place(self, model: str, points: Numbers) -> Numbers:
        """Latent points (b, latent) -> positions on the map (b, 2)."""

    async def lift(self, model: str, positions: Numbers) -> Numbers:
        """Positions on the map (b, 2) -> latent points (b, latent)."""

    async def mean(self, model: str, query: MeanQuery) -> Mean:
        """The weighted Frechet mean of anchors."""

    async def analogy(self, model: str, query: AnalogyQuery) -> Analogy:
        """What is to C as B is to A."""

    async def extrapolate(self, model: str, query: ExtrapolationQuery) -> Extrapolation:
        """What lies beyond the end, seen from the start."""

    async def describe(self, model: str, anchors: Sequence[Anchor]) -> list[Mapping[str, float]]:
        """The descriptors of each anchor as it is heard."""

    async def traversal(self, model: str, query: TraversalQuery) -> Traversal:
        """Less and more of a descriptor, along its natural gradient, with its sound."""

    async def sample(self, model: str, query: SampleQuery) -> Draw:
        """New points."""

    async def indicatrices(self, model: str, query: IndicatrixQuery) -> Indicatrices:
        """How the metric looks on the map."""

    async def neighbours(self, model: str, query: NeighbourQuery) -> list[Neighbour]:
        """The library sounds that are nearest, nearest first, the sound itself left out."""

    async def distances(self, model: str, anchor: Anchor, own: OwnPlaces | None = None) -> Numbers:
        """Perceptual distances to every library sound and then every own one (n + own,), in their orders."""

    async def original(self, model: str, sound: str) -> StoredAudio:
        """A library sound's own file."""

    async def export(self, model: str, query: ExportQuery) -> list[SoundFile]:
        """Sounds as files that say what they were made from."""

    async def convert(self, audio: bytes, format: AudioFormat, provenance: Provenance | None = None) -> bytes:
        """The same sound in another file format, with its provenance: the one given, or the file's own."""
