"""What the engine is asked: plain frozen data, so that a question may cross to another process or machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sonifold.audio.formats import AudioFormat, BitDepth
from sonifold.audio.provenance import Provenance
from sonifold_app.engine.answers import Caveat
from sonifold_app.engine.choices import (
    DistanceName,
    InstrumentName,
    Layout,
    MetricName,
    MorphMode,
    PathKind,
    SamplerName,
)
from sonifold_app.engine.numbers import Numbers

LevelName = Literal["keep", "normalise"]


@dataclass(frozen=True)
class UserSoundData:
    """A user's sound on its way to the engine, which stores none. What it holds is as PREPARE_SOUND gave it."""

    id: str
    name: str
    seconds: float
    sha256: str  # of the audio
    z: Numbers = field(compare=False, repr=False)  # (latent,)
    timbre: Numbers = field(compare=False, repr=False)  # (feature,)
    #: FLAC, where it is to be heard or walked from
    audio: bytes = field(default=b"", compare=False, repr=False)
    origin: str = field(default="", compare=False)  # what it was made by; "": a recording
    pitch: float | None = None  # Hz, where its user corrected it


@dataclass(frozen=True)
class UserSoundArrays:
    """Points and timbres of some of the user's sounds; row i of each column is the same sound."""

    ids: Sequence[str]
    z: Numbers  # (n, latent)
    timbre: Numbers  # (n, feature)


@dataclass(frozen=True)
class Anchor:
    """A place to start or end at: exactly one of a library sound's id, a user sound, a latent
    point, a position on the map.
    """

    sound: str | None = None
    user_sound: UserSoundData | None = None
    point: tuple[float, ...] | None = None
    position: tuple[float, float] | None = None


@dataclass(frozen=True)
class PathQuery:
    """The path through two or more anchors."""

    anchors: tuple[Anchor, ...]
    kind: PathKind = PathKind.GEODESIC
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own
    steps: int = 17


@dataclass(frozen=True)
class MorphQuery:
    """Ways between two anchors, made audible."""

    start: Anchor
    end: Anchor
    kinds: tuple[PathKind, ...] = (PathKind.GEODESIC, PathKind.LINEAR)
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own
    steps: int = 17
    mode: MorphMode = "steps"
    seconds: float = 4.0


@dataclass(frozen=True)
class MeanQuery:
    """The average of several anchors."""

    anchors: tuple[Anchor, ...]
    weights: tuple[float, ...] | None = None  # all alike
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class AnalogyQuery:
    """A is to B as C is to what?"""

    a: Anchor
    b: Anchor
    c: Anchor
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class ExtrapolationQuery:
    """On from the start through the end, ``to`` times the path between them."""

    start: Anchor
    end: Anchor
    to: float = 1.5
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class SampleQuery:
    """New points by one of the model's samplers."""

    sampler: SamplerName
    count: int
    seed: int
    temperature: float = 1.0
    start: Anchor | None = None  # of a walk
    metric: MetricName = MetricName.KERNEL  # whose volume is drawn by


@dataclass(frozen=True)
class TraversalQuery:
    """Less and more of what a word says, from an anchor."""

    start: Anchor
    descriptor: str
    steps: int = 9
    #: to either side, in the library's standard deviations; None: the science's own
    reach: float | None = None
    hold: bool = True  # keep the other descriptors where they are
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class NeighbourQuery:
    """The sounds nearest to an anchor."""

    anchor: Anchor
    count: int = 8
    distance: DistanceName | None = None  # the perceptual one, or the geodesic one where a metric is named
    metric: MetricName | None = None  # of geodesic distances; the pull-back
    weight: float | None = None  # the model's own
    user_sounds: UserSoundArrays | None = None  # that count besides the library's


@dataclass(frozen=True)
class IndicatrixQuery:
    """Ellipses of equal distance, about so many of them on the land of the map."""

    count: int = 100
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class MagnificationQuery:
    """How much a metric magnifies, over the map."""

    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own


@dataclass(frozen=True)
class DecodeQuery:
    """A latent point to decode, with an amount for each of an adapted model's sliders."""

    anchor: Anchor
    amounts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class FileOptions:
    """Format, bit depth, level and trimming of a sound file."""

    format: AudioFormat = "wav"
    depth: BitDepth | None = None  # the format's usual one
    level: LevelName = "keep"
    trim: bool = False  # the silence at its ends


@dataclass(frozen=True)
class MorphExport:
    """A path that is to leave as files: of one kind, as steps or as a glide."""

    query: MorphQuery
    names: tuple[str, str] = ("", "")  # of its ends in file names; "": their own
    only: int | None = None  # which step, from 1; None: all of them
    joined: bool = False  # the steps one after another in one file
    durations: tuple[float, ...] = ()  # seconds of each step in it; empty: as long as each can be heard


@dataclass(frozen=True)
class InstrumentOptions:
    """Kind, layout and name of an instrument."""

    name: InstrumentName
    layout: Layout | None = None  # what suits the kind
    title: str = ""  # after the sounds
    pattern: str = "{name}"  # of the sounds' names
    sound_format: AudioFormat | None = None  # the kind's usual one


@dataclass(frozen=True)
class ExportQuery:
    """Sounds that are to leave as files: those of a path, or single ones."""

    options: FileOptions
    morph: MorphExport | None = None
    sounds: tuple[Anchor, ...] = ()
    names: tuple[str, ...] = ()  # of the sounds; empty: their own
    instrument: InstrumentOptions | None = None  # None: files


@dataclass(frozen=True)
class Upload:
    """A sound file as it came."""

    name: str
    data: bytes
    caveats: tuple[Caveat, ...] = ()  # of the recording that it was cut from


@dataclass(frozen=True)
class DistanceQuery:
    """An anchor, whose perceptual distance to every library sound and then every one of ``user_sounds`` is wanted."""

    anchor: Anchor
    user_sounds: UserSoundArrays | None = None


@dataclass(frozen=True)
class SplitQuery:
    """A recording in which sounds are to be found; a lower ``threshold`` finds more."""

    upload: Upload
    threshold: float | None = None  # the science's own


@dataclass(frozen=True)
class CutQuery:
    """Parts of a recording, each from start to end in seconds."""

    upload: Upload
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LibraryFileQuery:
    """A library sound as a file. ``tagged``: with its provenance in it, also where it is the pack's own file."""

    sound: str
    format: AudioFormat
    tagged: bool


@dataclass(frozen=True)
class ConversionQuery:
    """A sound file to be written in another format. ``provenance``: None for the file's own."""

    audio: bytes
    format: AudioFormat
    provenance: Provenance | None = None


@dataclass(frozen=True)
class SeparateQuery:
    """A morph's sound file, to be taken apart into its steps."""

    audio: bytes
    steps: int


@dataclass(frozen=True)
class StimulusQuery:
    """A pair of anchors under one condition of a listening test, to be heard as one sound."""

    start: Anchor
    end: Anchor
    kind: str = PathKind.GEODESIC.value  # one of STIMULUS_KINDS
    metric: MetricName = MetricName.BLEND
    weight: float | None = None  # the model's own
    steps: int = 9
    mode: MorphMode = "steps"
    seconds: float = 4.0  # of a glide
    step_seconds: float = 0.5


@dataclass(frozen=True)
class StimulusPair:
    """Two rendered sounds that are to be compared."""

    first: bytes  # WAV
    second: bytes
