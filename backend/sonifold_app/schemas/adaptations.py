"""Adapting at once: to which sounds, what to expect, what to turn."""

from __future__ import annotations

from pydantic import Field, field_validator

from sonifold_app.engine.examples import OTHER_USER_SOUND_ID, USER_SOUND_ID, example
from sonifold_app.engine.numbers import Short, ShortOrNone
from sonifold_app.schemas.common import Reply, Request
from sonifold_app.store import adaptations as store

MAX_LEARNED = 100


class AdaptationRequest(Request):
    """User sounds for the model to take in."""

    model_config = example(sounds=[USER_SOUND_ID, OTHER_USER_SOUND_ID], seed=0)

    sounds: list[str] = Field(
        min_length=1, max_length=MAX_LEARNED, description="Ids of your own sounds; 5 to 20 are best."
    )
    seed: int = Field(0, ge=0, lt=2**31, strict=True, description="Of the altered copies of the sounds.")

    @field_validator("sounds")
    @classmethod
    def all_different(cls, sounds: list[str]) -> list[str]:
        return each_once(sounds)


class Forecast(Reply):
    """The gain expected for similar sounds, by leaving out one upload at a time."""

    coherence: ShortOrNone = Field(
        description="Mean cosine between what the model leaves out of different sounds; null for a single one."
    )
    gain: ShortOrNone = Field(
        description="Share of the error that is expected to go on other sounds like these; null for a single one."
    )
    text: str = Field(description="The same as a sentence.")


class Slider(Reply):
    """A direction in sound that the sounds have and the model had not; `decodings` take amounts of it."""

    id: str
    title: str
    low: float = Field(description="Least amount; 1 is as much as the sounds have, typically.")
    high: float
    share: Short = Field(description="Of what the model leaves out of the sounds, how much lies along it.")


class Adaptation(Reply):
    """A model that has taken in some user sounds, in closed form."""

    model_config = example(
        model="oneshots",
        result="oneshots-a1f2e3d4c5b",
        title="One-shots + 2 of your sounds",
        sounds=[OTHER_USER_SOUND_ID, USER_SOUND_ID],
        seed=0,
        forecast={
            "coherence": 0.31,
            "gain": 0.17,
            "text": "Your sounds belong together: expect the model to come about 17 % closer to others like them.",
        },
        carries=True,
        sliders=[{"id": "common", "title": "more of your sounds", "low": -1.0, "high": 2.0, "share": 0.4}],
        seconds=0.41,
        bytes=181044,
        created="2026-01-01T12:00:00.000+00:00",
    )

    model: str = Field(description="The base, which stays as it is.")
    result: str = Field(
        description="The id of the adapted model: all routes under it work. DELETE it to undo."
    )
    title: str
    sounds: list[str] = Field(description="Ids; they stay in the adaptation when they are deleted.")
    seed: int
    forecast: Forecast
    carries: bool = Field(
        description="Whether anything of the sounds carries to others; if not the result sounds as its base does."
    )
    sliders: list[Slider]
    seconds: float = Field(description="Seconds that adapting took.")
    bytes: int = Field(
        description="On the disk: its recordings, those included that are stored as sounds too. They stay until it is "
        "deleted."
    )
    created: str = Field(description="ISO 8601, UTC.")

    @classmethod
    def of(cls, adaptation: store.Adaptation, stored_bytes: int) -> Adaptation:
        outcome = adaptation.outcome
        return cls(
            model=adaptation.model,
            result=adaptation.id,
            title=adaptation.title,
            sounds=[sound.id for sound in adaptation.sounds],
            seed=adaptation.seed,
            forecast=Forecast.model_validate(outcome),
            carries=outcome["carries"],
            sliders=[Slider.model_validate(slider) for slider in outcome["sliders"]],
            seconds=round(outcome["seconds"], 3),
            bytes=stored_bytes,
            created=adaptation.created,
        )


class Adaptations(Reply):
    model_config = example(adaptations=[Adaptation.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index]

    adaptations: list[Adaptation]


def each_once(sounds: list[str]) -> list[str]:
    """Raises ValueError where an id is named twice."""
    if len(set(sounds)) < len(sounds):
        raise ValueError("each sound once")
    return sounds
