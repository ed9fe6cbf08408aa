"""The library of a model, as columns and one by one; who is near whom."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from sonifold_app import urls
from sonifold_app.engine import facts
from sonifold_app.engine.answers import Caveat
from sonifold_app.engine.examples import SOUND_ID, Z, example
from sonifold_app.engine.numbers import row_of, rows, short
from sonifold_app.schemas.common import Point, Reply, Request, pitch_or_none
from sonifold_app.store.sounds import UserSound
from sonifold_app.user.names import visible
from sonifold_app.user.sounds import UserSoundTable

SoundKind = Literal["library", "finetuned", "made", "uploaded"]
#: The family of the sounds that a user keeps, and where they come from.
YOURS = "yours"


def printable(name: str) -> str:
    """A name in one form, without what cannot be seen. Raises ValueError if nothing is left."""
    shown = visible(name)
    if not shown:
        raise ValueError("a name needs at least one character that can be seen")
    return shown


Name = Annotated[
    str, Field(min_length=1, max_length=120, description="Name of the sound."), AfterValidator(printable)
]


class Sounds(Reply):
    """The library and then the user sounds, column by column; row i of each column is the same sound."""

    model_config = example(
        count=1,
        provisional=0,
        family_names=["kick", "snare", "yours"],
        id=[SOUND_ID],
        kind=["library"],
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
    provisional: int = Field(
        description="User sounds that are shown where they were before: their places in this model are being found. "
        "Ask again while there are any."
    )
    family_names: list[str]
    id: list[str] = Field(
        description="Of a library sound the first 12 hexadecimal digits of the sha256 of its audio, of a user sound "
        "any text that begins with `u`."
    )
    kind: list[SoundKind] = Field(
        description="`library`: comes with the model. `finetuned`: the model was fine-tuned on it. `made`: kept "
        "from the map. `uploaded`: from a file."
    )
    name: list[str]
    family: list[int] = Field(description="Index into `family_names`; user sounds are of the last, `yours`.")
    x: list[float]
    y: list[float]
    seconds: list[float]
    pitch: list[float | None] = Field(description="In Hz, where the sound has one.")
    source: list[str]
    licence: list[str]
    credit: list[str]
    group: list[str] = Field(description="The kit or program that the sound comes from.")

    @classmethod
    def of(cls, library: facts.LibraryTable, table: UserSoundTable) -> Sounds:
        user_sounds = table.sounds
        family_names = [*library.family_names, *([YOURS] if user_sounds else [])]
        index = {name: i for i, name in enumerate(family_names)}
        positions = rows(library.positions)
        none = [""] * len(user_sounds)
        return cls(
            count=len(library.ids) + len(user_sounds),
            provisional=table.provisional,
            family_names=family_names,
            id=[*library.ids, *(sound.id for sound in user_sounds)],
            kind=[
                *(kind_of(library, row) for row in range(len(library.ids))),
                *(sound.kind for sound in user_sounds),
            ],
            name=[*library.names, *(sound.name for sound in user_sounds)],
            family=[index[family] for family in library.families]
            + [len(family_names) - 1] * len(user_sounds),
            x=[x for x, _ in positions] + [short(sound.x) for sound in user_sounds],
            y=[y for _, y in positions] + [short(sound.y) for sound in user_sounds],
            seconds=[round(s, 4) for s in (*library.seconds, *(sound.seconds for sound in user_sounds))],
            pitch=[
                pitch_or_none(pitch) for pitch in (*library.pitches, *(sound.pitch for sound in user_sounds))
            ],
            source=[*library.sources, *([YOURS] * len(user_sounds))],
            licence=[*library.licences, *none],
            credit=[*library.credits, *none],
            group=[*library.groups, *none],
        )


def kind_of(library: facts.LibraryTable, row: int) -> SoundKind:
    return "finetuned" if library.finetuned and library.finetuned[row] else "library"


class Sound(Reply):
    """One sound, of the library or the user's own."""

    model_config = example(
        id=SOUND_ID,
        kind="library",
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
        created=None,
        made_with=None,
        warnings=[],
        audio_url=f"{urls.sound('oneshots', SOUND_ID)}/audio",
        decoded_url=f"{urls.sound('oneshots', SOUND_ID)}/decoded?v=1c0ffee5eed5a17e",
    )

    id: str
    kind: SoundKind
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
    created: str | None = Field(description="When a user sound was stored (ISO 8601, UTC).")
    made_with: dict[str, Any] | None = Field(
        description="The facts that were sent with a user sound when it was stored."
    )
    warnings: list[Caveat] = Field(
        description="Of a user sound: what was cut, mixed or converted to make it, and what is wrong with it."
    )
    audio_url: str = Field(description="The sound itself.")
    decoded_url: str = Field(description="The sound decoded at `z` alone.")

    @classmethod
    def of(cls, model: facts.ModelFacts, row: int, url: str) -> Sound:
        library = model.library
        ((x, y),) = rows(library.positions[row : row + 1])
        return cls(
            id=library.ids[row],
            kind=kind_of(library, row),
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
            created=None,
            made_with=None,
            warnings=[],
            audio_url=f"{url}/audio",
            decoded_url=f"{url}/decoded?v={model.version}",
        )

    @classmethod
    def of_user_sound(cls, model: facts.ModelFacts, sound: UserSound, url: str) -> Sound:
        return cls(
            id=sound.id,
            kind=sound.kind,
            name=sound.name,
            family=YOURS,
            x=short(sound.x),
            y=short(sound.y),
            seconds=round(sound.seconds, 4),
            pitch=pitch_or_none(sound.pitch),
            source=YOURS,
            licence="",
            credit="",
            group="",
            z=row_of(sound.z),
            created=sound.created,
            made_with=sound.source,
            warnings=caveats_of(sound),
            audio_url=f"{url}/audio",
            decoded_url=f"{url}/decoded?v={model.version}",
        )


def caveats_of(sound: UserSound) -> list[Caveat]:
    return [Caveat(code=code, text=text) for code, text in sound.facts.get("caveats", [])]


class AddRequest(Request):
    """A latent point, to be kept as a user sound."""

    model_config = example(point=Z, name="Between kick and bell", made_with={"sampler": "hmc", "seed": 7})

    point: Point
    name: Name
    made_with: dict[str, JsonValue] = Field(
        default_factory=dict,
        max_length=32,
        description="How it came about, for you to read again: at most 4,000 characters of JSON.",
    )

    @field_validator("made_with")
    @classmethod
    def not_too_long(cls, made_with: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if len(json.dumps(made_with)) > 4000:
            raise ValueError("at most 4,000 characters of JSON")
        return made_with


class ChangeRequest(Request):
    """Changes to a user sound; fields left out stay as they are."""

    model_config = example(name="My snare", pitch=220.0)

    name: Name = ""
    pitch: Annotated[float, Field(ge=10, le=20_000, allow_inf_nan=False, strict=True)] | None = Field(
        None, description="In Hz; null where it has none."
    )

    @model_validator(mode="after")
    def something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name what to change: name, pitch or both")
        return self
