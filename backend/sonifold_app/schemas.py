"""Requests and replies: what goes over the wire, with its bounds and an example of each.

Requests are strict: an unknown field or a number that is not finite is an error. Bounds keep one request's
work small.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from sonifold_app.engine import base

MAX_DIMENSION = 512
MAX_POINTS = 1024
MAX_DECODINGS = 64
MAX_LEGS = 8
MAX_STEPS = 33
MAX_WEIGHT = 10.0
MAX_FILES = 20

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Point = Annotated[
    list[Number],
    Field(
        min_length=1, max_length=MAX_DIMENSION, description="A latent point: as many numbers as `latent_dim`."
    ),
]
Position = Annotated[
    list[Number], Field(min_length=2, max_length=2, description="A position on the map, `[x, y]`.")
]
PathKind = Annotated[
    base.PathKind,
    Field(
        description="`geodesic`: shortest under the metric, at constant perceptual speed. `linear`: the "
        "straight line. `retimed`: the straight line at constant perceptual speed. `graph`: through real "
        "neighbours."
    ),
]
MetricName = Annotated[
    base.MetricName,
    Field(
        description="`blend`: pull-back of the perceptual distance plus a data term. `pullback`: without the "
        "data term. `kernel`: the data term alone. `flat`: Euclidean."
    ),
]
Weight = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_WEIGHT,
        allow_inf_nan=False,
        strict=True,
        description="Weight of the blend's data term: 0 is the shortest way, 10 keeps close to known sounds.",
    ),
]
Steps = Annotated[
    int, Field(ge=2, le=MAX_STEPS, strict=True, description="Sounds along the way, ends included.")
]
Z = [0.12, -0.94, 0.31]
SOUND_ID = "5f2b8c1e9a07"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


# -- problems ----------------------------------------------------------------------------------


class FieldProblem(Reply):
    where: str = Field(description="The place in the request, as `body.anchors[0].sound`.")
    message: str


class ProblemDocument(Reply):
    """What went wrong (RFC 9457)."""

    model_config = example(
        type="urn:sonifold:problem:sound_not_found",
        title="No such sound",
        status=404,
        detail="no sound '5f2b8c1e9a07' in the library; GET models/oneshots/sounds lists them.",
        code="sound_not_found",
    )

    type: str = Field(description="A URI that names the kind of problem.")
    title: str
    status: int = Field(description="The HTTP status, again.")
    detail: str = Field(description="What came, what would have worked, what to do.")
    code: str = Field(description="Stable between versions, for programs.")
    errors: list[FieldProblem] | None = Field(None, description="Where an invalid request is invalid.")
    limit_bytes: int | None = Field(None, description="How much may be sent, where it was too much.")
    file: str | None = Field(None, description="The uploaded file that is the problem.")


# -- operations --------------------------------------------------------------------------------


class Health(Reply):
    model_config = example(status="ready", models=["oneshots"])

    status: Literal["alive", "ready", "loading"]
    models: list[str] | None = Field(None, description="The models that can be used, once they are loaded.")


# -- models ------------------------------------------------------------------------------------


class WeightRange(Reply):
    min: float = 0.0
    max: float = MAX_WEIGHT
    default: float


class StepRange(Reply):
    min: int = 2
    max: int = MAX_STEPS
    default: int = 17


class Limits(Reply):
    upload_bytes: int = Field(description="Largest upload, all its files together.")
    upload_seconds: float = Field(description="Longest sound that can be embedded.")
    upload_files: int = Field(description="Most files in one upload.")


class Model(Reply):
    model_config = example(
        id="oneshots",
        version="1c0ffee5eed5a17e",
        title="One-shots",
        description="Drums, percussion, short notes.",
        sounds=1000,
        latent_dim=32,
        sample_rate=44100,
        sound_samples=65536,
        unit="tdB",
        metrics=["blend", "pullback", "kernel", "flat"],
        path_kinds=["geodesic", "linear", "retimed", "graph"],
        weights={"min": 0, "max": 10, "default": 1},
        steps={"min": 2, "max": 33, "default": 17},
        limits={"upload_bytes": 67108864, "upload_seconds": 10, "upload_files": 20},
    )

    id: str
    version: str = Field(description="Changes when anything that the model renders may have changed.")
    title: str
    description: str
    sounds: int = Field(description="Sounds in the library.")
    latent_dim: int
    sample_rate: int = Field(description="Of everything rendered, in Hz.")
    sound_samples: int = Field(description="Length of a rendered sound, in samples.")
    unit: str = Field(description="The unit of lengths and distances.")
    metrics: list[base.MetricName]
    path_kinds: list[base.PathKind]
    weights: WeightRange
    steps: StepRange
    limits: Limits

    @classmethod
    def of(cls, facts: base.ModelFacts, limits: Limits) -> Model:
        return cls(
            id=facts.name,
            version=facts.version,
            title=facts.title,
            description=facts.description,
            sounds=len(facts.library.ids),
            latent_dim=facts.latent_dim,
            sample_rate=facts.sample_rate,
            sound_samples=facts.sound_samples,
            unit=facts.unit,
            metrics=list(base.METRICS),
            path_kinds=list(base.PATH_KINDS),
            weights=WeightRange(default=facts.weight),
            steps=StepRange(),
            limits=limits,
        )


class UnusableModel(Reply):
    id: str
    problem: str = Field(description="Why it cannot be used, and what to do.")


class Models(Reply):
    models: list[Model]
    unusable: list[UnusableModel] = Field(description="Packs that are there but damaged.")


# -- sounds ------------------------------------------------------------------------------------


class Sounds(Reply):
    """The library, column by column; row i of each column is the same sound."""

    model_config = example(
        count=1,
        family_names=["kick", "snare"],
        id=[SOUND_ID],
        name=["Kick 808"],
        family=[0],
        x=[0.31],
        y=[-1.2],
        seconds=[0.62],
        pitch=[None],
        source=["sonic-pi-samples"],
        licence=["CC0-1.0"],
        credit=[""],
        group=["drum"],
    )

    count: int
    family_names: list[str]
    id: list[str] = Field(description="The first 12 hexadecimal digits of the sha256 of each sound's audio.")
    name: list[str]
    family: list[int] = Field(description="Index into `family_names`.")
    x: list[float]
    y: list[float]
    seconds: list[float]
    pitch: list[float | None] = Field(description="In Hz, where the sound has one.")
    source: list[str]
    licence: list[str]
    credit: list[str]
    group: list[str] = Field(description="The kit or program that the sound comes from.")

    @classmethod
    def of(cls, library: base.LibraryTable) -> Sounds:
        index = {name: i for i, name in enumerate(library.family_names)}
        positions = rows(library.positions)
        return cls(
            count=len(library.ids),
            family_names=list(library.family_names),
            id=list(library.ids),
            name=list(library.names),
            family=[index[family] for family in library.families],
            x=[x for x, _ in positions],
            y=[y for _, y in positions],
            seconds=[round(seconds, 4) for seconds in library.seconds],
            pitch=[pitch_or_none(pitch) for pitch in library.pitches],
            source=list(library.sources),
            licence=list(library.licences),
            credit=list(library.credits),
            group=list(library.groups),
        )


class Sound(Reply):
    """One sound of the library."""

    model_config = example(
        id=SOUND_ID,
        name="Kick 808",
        family="kick",
        x=0.31,
        y=-1.2,
        seconds=0.62,
        pitch=None,
        source="sonic-pi-samples",
        licence="CC0-1.0",
        credit="",
        group="drum",
        z=Z,
        audio_url=f"/api/v1/models/oneshots/sounds/{SOUND_ID}/audio",
        decoded_url=f"/api/v1/models/oneshots/sounds/{SOUND_ID}/decoded?v=1c0ffee5eed5a17e",
    )

    id: str
    name: str
    family: str
    x: float
    y: float
    seconds: float
    pitch: float | None = Field(description="In Hz, where the sound has one.")
    source: str
    licence: str
    credit: str
    group: str
    z: list[float] = Field(description="The sound's latent point.")
    audio_url: str = Field(description="The sound itself.")
    decoded_url: str = Field(description="What the model makes of `z` alone.")

    @classmethod
    def of(cls, model: base.ModelFacts, row: int, url: str) -> Sound:
        library = model.library
        ((x, y),) = rows(library.positions[row : row + 1])
        return cls(
            id=library.ids[row],
            name=library.names[row],
            family=library.families[row],
            x=x,
            y=y,
            seconds=round(library.seconds[row], 4),
            pitch=pitch_or_none(library.pitches[row]),
            source=library.sources[row],
            licence=library.licences[row],
            credit=library.credits[row],
            group=library.groups[row],
            z=row_of(library.z[row]),
            audio_url=f"{url}/audio",
            decoded_url=f"{url}/decoded?v={model.version}",
        )


class Neighbour(Reply):
    id: str
    distance: float = Field(description="Perceptual distance, in the model's unit.")

    @classmethod
    def of(cls, neighbour: base.Neighbour) -> Neighbour:
        return cls(id=neighbour.id, distance=short(neighbour.distance))


class Neighbours(Reply):
    model_config = example(unit="tdB", neighbours=[{"id": SOUND_ID, "distance": 3.42}])

    unit: str
    neighbours: list[Neighbour] = Field(description="Nearest first, the sound itself left out.")


class Distances(Reply):
    model_config = example(unit="tdB", distance=[0.0, 11.3, 8.75])

    unit: str
    distance: list[float] = Field(description="To every library sound, in library order.")


# -- embeddings --------------------------------------------------------------------------------


class Embedding(Reply):
    name: str
    seconds: float
    z: list[float]
    x: float
    y: float
    nearest: list[Neighbour]

    @classmethod
    def of(cls, embedding: base.Embedding) -> Embedding:
        x, y = embedding.position
        return cls(
            name=embedding.name,
            seconds=round(embedding.seconds, 4),
            z=row_of(embedding.z),
            x=short(x),
            y=short(y),
            nearest=[Neighbour.of(neighbour) for neighbour in embedding.nearest],
        )


class Embeddings(Reply):
    model_config = example(
        embeddings=[
            {
                "name": "kick.wav",
                "seconds": 0.62,
                "z": Z,
                "x": 0.31,
                "y": -1.2,
                "nearest": [{"id": SOUND_ID, "distance": 3.42}],
            }
        ]
    )

    embeddings: list[Embedding] = Field(description="In the order of the files.")


# -- atlas -------------------------------------------------------------------------------------


class MagnificationField(Reply):
    """The magnification log sqrt det G on a grid. Low values are land, where the model knows sounds."""

    model_config = ConfigDict(title="Field")

    x: list[float]
    y: list[float]
    values: list[list[float | None]] = Field(description="One row for each y, one number for each x.")
    coast: float = Field(description="Values up to here are land.")
    levels: list[float] = Field(description="Where to draw contours.")


class Atlas(Reply):
    """The map of a model."""

    model_config = example(
        extent=[-1.0, 1.0, -1.0, 1.0],
        field={
            "x": [-1.0, 1.0],
            "y": [-1.0, 1.0],
            "values": [[0.1, 2.3], [1.7, 4.0]],
            "coast": 2.0,
            "levels": [1.0, 2.0, 3.0],
        },
        placement_error={"median": 0.02},
    )

    extent: list[float] = Field(min_length=4, max_length=4, description="`[x0, x1, y0, y1]`.")
    field: MagnificationField
    placement_error: dict[str, Any] = Field(
        description="How far held-out library sounds land from their place."
    )

    @classmethod
    def of(cls, atlas: base.AtlasField) -> Atlas:
        return cls(
            extent=list(atlas.extent),
            field=MagnificationField(
                x=row_of(atlas.x),
                y=row_of(atlas.y),
                values=[
                    [v if v == v else None for v in row] for row in rows(atlas.values)
                ],  # NaN: nothing known
                coast=atlas.coast,
                levels=list(atlas.levels),
            ),
            placement_error=dict(atlas.placement_error),
        )


class Points(Request):
    """Latent points."""

    model_config = example(points=[Z])

    points: list[Point] = Field(min_length=1, max_length=MAX_POINTS)


class Positions(Request):
    """Positions on the map."""

    model_config = example(positions=[[0.31, -1.2]])

    positions: list[Position] = Field(min_length=1, max_length=MAX_POINTS)


class PlacedPoints(Reply):
    model_config = example(positions=[[0.31, -1.2]])

    positions: list[list[float]] = Field(description="One `[x, y]` for each point.")


class LiftedPositions(Reply):
    model_config = example(points=[Z])

    points: list[list[float]] = Field(description="One latent point for each position.")


# -- anchors -----------------------------------------------------------------------------------


class SoundAnchor(Request):
    """A sound of the library."""

    model_config = example(sound=SOUND_ID)

    sound: str = Field(max_length=64, description="Its id.")

    def anchor(self) -> base.Anchor:
        return base.Anchor(sound=self.sound)


class PointAnchor(Request):
    """A latent point, as embeddings give it."""

    model_config = example(point=Z)

    point: Point

    def anchor(self) -> base.Anchor:
        return base.Anchor(point=tuple(self.point))


class PositionAnchor(Request):
    """A position on the map."""

    model_config = example(position=[0.31, -1.2])

    position: Position

    def anchor(self) -> base.Anchor:
        x, y = self.position
        return base.Anchor(position=(x, y))


def which_anchor(value: Any) -> str | None:
    """The kind of an anchor by the one field it has."""
    if isinstance(value, Request):
        value = value.model_dump()
    kinds = [kind for kind in ("sound", "point", "position") if isinstance(value, dict) and kind in value]
    return kinds[0] if len(kinds) == 1 else None


Anchor = Annotated[
    Annotated[SoundAnchor, Tag("sound")]
    | Annotated[PointAnchor, Tag("point")]
    | Annotated[PositionAnchor, Tag("position")],
    Discriminator(
        which_anchor,
        custom_error_type="anchor_invalid",
        custom_error_message='An anchor is exactly one of {{"sound": id}}, {{"point": [...]}}, '
        '{{"position": [x, y]}}',
    ),
]


# -- paths -------------------------------------------------------------------------------------


class PathRequest(Request):
    """The way through two or more anchors."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"position": [0.31, -1.2]}],
        kind="geodesic",
        metric="blend",
        weight=1.0,
        steps=17,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=MAX_LEGS + 1)
    kind: PathKind = "geodesic"
    metric: MetricName = "blend"
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17

    def query(self) -> base.PathQuery:
        return base.PathQuery(
            tuple(one.anchor() for one in self.anchors), self.kind, self.metric, self.weight, self.steps
        )


class PathFacts(Reply):
    """A path between two anchors, as told with a morph."""

    kind: base.PathKind
    metric: base.MetricName
    weight: float
    length: float = Field(description="Of the rendered sound, perceptual, in the model's unit.")
    line_length: float = Field(description="The same of the straight line.")
    energy: float = Field(description="Under the metric that was asked for.")
    line_energy: float = Field(description="The same of the straight line.")
    speed: list[float] = Field(description="Perceptual distance between neighbouring steps.")
    speed_variation: float = Field(description="Coefficient of variation of `speed`.")
    outcome: str = Field(description="How the search ended, as a sentence.")
    converged: bool
    map: list[list[float]] = Field(description="The curve on the map, finely: `[x, y]` each.")
    step_positions: list[list[float]] = Field(description="Where the steps lie on the map.")
    known: list[bool] = Field(description="For each step: is it on land?")
    water: float = Field(description="Share of the curve on the map that leads over sea, 0 to 1.")

    @staticmethod
    def fields_of(path: base.TracedPath) -> dict[str, Any]:
        return {
            "kind": path.kind,
            "metric": path.metric,
            "weight": path.weight,
            "length": short(path.length),
            "line_length": short(path.line_length),
            "energy": short(path.energy),
            "line_energy": short(path.line_energy),
            "speed": row_of(path.speed),
            "speed_variation": short(path.speed_variation),
            "outcome": path.outcome,
            "converged": path.converged,
            "map": rows(path.map),
            "step_positions": rows(path.step_positions),
            "known": path.known.tolist(),
            "water": short(path.water),
        }


class Path(PathFacts):
    """A path between two anchors."""

    nodes: list[list[float]] = Field(description="The latent points of the steps.")

    @classmethod
    def of(cls, path: base.TracedPath) -> Path:
        return cls(**PathFacts.fields_of(path), nodes=rows(path.nodes))


PATH_EXAMPLE: dict[str, Any] = {
    "kind": "geodesic",
    "metric": "blend",
    "weight": 1.0,
    "length": 11.8,
    "line_length": 14.2,
    "energy": 148.0,
    "line_energy": 203.5,
    "speed": [5.9, 5.9],
    "speed_variation": 0.01,
    "outcome": "energy no longer falls",
    "converged": True,
    "map": [[0.3, -1.2], [0.1, 0.2], [-0.4, 0.9]],
    "step_positions": [[0.3, -1.2], [0.1, 0.2], [-0.4, 0.9]],
    "known": [True, True, True],
    "water": 0.0,
}


class PathReply(Reply):
    model_config = example(
        unit="tdB", path={**PATH_EXAMPLE, "nodes": [Z, Z, Z]}, legs=[{**PATH_EXAMPLE, "nodes": [Z, Z, Z]}]
    )

    unit: str = Field(description="The unit of lengths and speeds.")
    path: Path = Field(description="The first leg; between two anchors there is no other.")
    legs: list[Path] = Field(description="The paths between consecutive anchors.")


# -- audio, morphs, decodings ------------------------------------------------------------------


AudioMode = Literal["steps", "glide", "sound"]


class AudioLink(Reply):
    """Sound to be fetched."""

    url: str = Field(description="Its address; what is there never changes.")
    sha256: str = Field(description="Of the WAV file.")
    seconds: float
    frames: int = Field(description="Samples in all.")
    mode: AudioMode = Field(
        description="`steps`: all steps laid end to end, step i starts at sample i x `step_samples`. "
        "`glide`: one sound that travels. `sound`: a single sound."
    )


AUDIO_EXAMPLE = {
    "url": f"/api/v1/audio/{SHA256}",
    "sha256": SHA256,
    "seconds": 25.26,
    "frames": 1114112,
    "mode": "steps",
}


class MorphRequest(Request):
    """Ways between two anchors, to be made audible."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"sound": "0a1b2c3d4e5f"}],
        kinds=["geodesic", "linear"],
        metric="blend",
        weight=1.0,
        steps=17,
        mode="steps",
        seconds=4.0,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=2)
    kinds: list[PathKind] = Field(["geodesic", "linear"], min_length=1, max_length=len(base.PATH_KINDS))
    metric: MetricName = "blend"
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17
    mode: base.MorphMode = "steps"
    seconds: float = Field(
        4.0,
        ge=0.5,
        le=20,
        allow_inf_nan=False,
        strict=True,
        description="Length of a glide; steps have their own.",
    )

    @field_validator("kinds")
    @classmethod
    def all_different(cls, kinds: list[base.PathKind]) -> list[base.PathKind]:
        if len(set(kinds)) < len(kinds):
            raise ValueError("each kind once")
        return kinds

    def query(self) -> base.MorphQuery:
        start, end = (one.anchor() for one in self.anchors)
        return base.MorphQuery(
            start, end, tuple(self.kinds), self.metric, self.weight, self.steps, self.mode, self.seconds
        )


class Morph(PathFacts):
    """A path and its sound."""

    audio: AudioLink

    @classmethod
    def of(cls, path: base.TracedPath, audio: AudioLink) -> Morph:
        return cls(**PathFacts.fields_of(path), audio=audio)


class MorphReply(Reply):
    model_config = example(
        unit="tdB",
        sample_rate=44100,
        step_samples=65536,
        steps=17,
        morphs=[{**PATH_EXAMPLE, "audio": AUDIO_EXAMPLE}],
    )

    unit: str = Field(description="The unit of lengths and speeds.")
    sample_rate: int
    step_samples: int = Field(description="Length of one step, in samples.")
    steps: int
    morphs: list[Morph] = Field(description="One for each kind, in the order asked for.")


class DecodingRequest(Request):
    """Latent points or positions on the map, to be heard."""

    model_config = example(positions=[[0.31, -1.2]])

    points: list[Point] | None = Field(None, min_length=1, max_length=MAX_DECODINGS)
    positions: list[Position] | None = Field(None, min_length=1, max_length=MAX_DECODINGS)

    def anchors(self) -> list[base.Anchor]:
        return [
            *(base.Anchor(point=tuple(point)) for point in self.points or ()),
            *(base.Anchor(position=(x, y)) for x, y in self.positions or ()),
        ]


class DecodedSound(Reply):
    audio: AudioLink
    x: float
    y: float


class Decodings(Reply):
    model_config = example(sounds=[{"audio": {**AUDIO_EXAMPLE, "mode": "sound"}, "x": 0.31, "y": -1.2}])

    sounds: list[DecodedSound] = Field(description="Points first, then positions, in their order.")


# -- numbers -----------------------------------------------------------------------------------


def short(value: float) -> float:
    """A number to six digits, enough to draw and to compare by."""
    return float(f"{value:.6g}")


def row_of(values: base.Numbers) -> list[float]:
    """The shortest decimals that give back the same float32."""
    return [float(str(value)) for value in values]


def rows(values: base.Numbers) -> list[list[float]]:
    return [row_of(row) for row in values]


def pitch_or_none(pitch: float | None) -> float | None:
    return None if pitch is None or pitch != pitch else round(float(pitch), 2)
