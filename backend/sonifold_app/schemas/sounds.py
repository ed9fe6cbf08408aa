"""The library of a model, as columns and one by one; who is near whom."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine import base
from sonifold_app.schemas.common import SOUND_ID, Reply, Z, example, pitch_or_none, row_of, rows, short


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
    distance: float

    @classmethod
    def of(cls, neighbour: base.Neighbour) -> Neighbour:
        return cls(id=neighbour.id, distance=short(neighbour.distance))


class Neighbours(Reply):
    model_config = example(unit="tdB", distance="perceptual", neighbours=[{"id": SOUND_ID, "distance": 3.42}])

    unit: str | None = Field(
        description="Of the distances; null where they are in a metric's own unit or in latent units."
    )
    distance: base.DistanceName
    neighbours: list[Neighbour] = Field(description="Nearest first, the sound itself left out.")


class Distances(Reply):
    model_config = example(unit="tdB", distance=[0.0, 11.3, 8.75])

    unit: str
    distance: list[float] = Field(description="To every library sound, in library order.")
