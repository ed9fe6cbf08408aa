"""The user's own recordings: what is found in them, which of it to keep, what to know of it before training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from sonifold.audio.limits import MAX_CUTS, MAX_SECONDS, MIN_SECONDS, within_length
from sonifold_app import urls
from sonifold_app.engine.answers import Caveat, Neighbour, SplitFacts
from sonifold_app.engine.examples import SOUND_ID, USER_SOUND_ID, example
from sonifold_app.engine.numbers import short, short_or_none
from sonifold_app.schemas.common import Number, Reply, Request, pitch_or_none
from sonifold_app.schemas.problems import Refused
from sonifold_app.schemas.sounds import Name, Sound, caveats_of
from sonifold_app.store.sounds import UserSound
from sonifold_app.store.uploads import WaitingUpload

UPLOAD_ID = "9c56cc51b374c3ba"


class AddedSounds(Reply):
    """Sounds that were kept, in the order of the files or of the choice, and what could not be."""

    model_config = example(
        sounds=[Sound.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
        refused=[
            {
                "file": 3,
                "name": "room.wav",
                "code": "audio_silent",
                "detail": "room.wav is silent: nothing in it ...",
            }
        ],
    )

    sounds: list[Sound]
    refused: list[Refused] = Field(
        default_factory=list, description="The files that could not be used; the rest was stored."
    )


class UploadedFile(SplitFacts):
    audio_url: str = Field(description="The recording in mono, to listen to.")


class UploadReply(Reply):
    """Recordings that wait, and the sounds found in them."""

    model_config = example(
        id=UPLOAD_ID,
        expires=1795400000.0,
        files=[
            {
                "name": "kit.wav",
                "seconds": 12.5,
                "sample_rate": 48000,
                "audio_url": f"{urls.upload('oneshots', UPLOAD_ID)}/files/0/audio",
                "overview": [[-0.1, 0.2], [-0.5, 0.4]],
                "sounds": [{"start": 0.103, "end": 0.61, "name": "kit 1", "strength": 0.42, "peak_db": -3.1}],
                "warnings": [{"code": "mono", "text": "its 2 channels were mixed to one"}],
            }
        ],
        refused=[],
    )

    id: str
    expires: float = Field(description="Until then the choice can be made, in seconds since 1970.")
    files: list[UploadedFile] = Field(description="Those that could be read, in their order.")
    refused: list[Refused] = Field(
        default_factory=list, description="Those that could not, told once: when they were sent."
    )


class WaitingFile(Reply):
    name: str
    seconds: float
    bytes: int = Field(description="Of the file as it came; 0 where that is not known.")


class Waiting(Reply):
    """An upload whose sounds have not been chosen yet."""

    id: str
    expires: float = Field(description="Until then the choice can be made, in seconds since 1970.")
    files: list[WaitingFile]


class WaitingUploads(Reply):
    model_config = example(
        uploads=[
            {
                "id": UPLOAD_ID,
                "expires": 1795400000.0,
                "files": [{"name": "kit.wav", "seconds": 12.5, "bytes": 1800044}],
            }
        ]
    )

    uploads: list[Waiting] = Field(description="Oldest first.")

    @classmethod
    def of(cls, waiting: Sequence[WaitingUpload]) -> WaitingUploads:
        return cls(
            uploads=[
                Waiting(
                    id=upload.id,
                    expires=upload.expires,
                    files=[
                        WaitingFile(name=file.name, seconds=round(file.seconds, 4), bytes=file.bytes)
                        for file in upload.files
                    ],
                )
                for upload in waiting
            ]
        )


class ChosenSound(Request):
    """A part of a recording, to be kept as a sound."""

    file: int = Field(0, ge=0, lt=1000, strict=True, description="Number of the file in the upload, from 0.")
    start: Number = Field(ge=0, description="Seconds.")
    end: Number = Field(gt=0, description="Seconds; at most 10 after the start.")
    name: Name

    @model_validator(mode="after")
    def some_sound(self) -> Self:
        if not within_length(self.end - self.start):
            raise ValueError(f"a sound is {MIN_SECONDS:g} to {MAX_SECONDS:g} seconds long")
        return self


class ChoiceRequest(Request):
    """The sounds of an upload to store."""

    model_config = example(sounds=[{"file": 0, "start": 0.103, "end": 0.61, "name": "My snare"}])

    sounds: list[ChosenSound] = Field(min_length=1, max_length=MAX_CUTS)


# -- the data check ------------------------------------------------------------------------------


class CheckRequest(Request):
    """User sounds, to be looked at before anything is trained on them."""

    model_config = example(sounds=[USER_SOUND_ID])

    sounds: list[str] | None = Field(
        None, min_length=1, fail_fast=True, description="Their ids; by default all that were uploaded."
    )


class Duplicate(Reply):
    id: str = Field(description="The earlier sound that is the same.")
    distance_db: float = Field(description="Mean difference of their spectrograms.")


class CheckedSound(Reply):
    id: str
    name: str
    seconds: float = Field(description="That can be heard.")
    pitch: float | None = Field(description="In Hz, where it has one; a guess.")
    peak_db: float | None = Field(description="Of the recording as it came, full scale is 0.")
    clipped: float | None = Field(description="Share of its samples that lie in flattened peaks.")
    leading: float | None = Field(description="Seconds of silence before it, which were left out.")
    in_distribution: bool = Field(
        description="True if it lies among the sounds that the model was trained on."
    )
    distance: float | None = Field(description="Perceptual, to the nearest library sound.")
    nearest: list[Neighbour] = Field(description="By perceptual distance, nearest first.")
    duplicate_of: Duplicate | None
    warnings: list[Caveat]


class CheckReply(Reply):
    """Results of the checks before training."""

    model_config = example(
        unit="tdB",
        count=1,
        seconds=0.51,
        sounds=[
            {
                "id": USER_SOUND_ID,
                "name": "My snare",
                "seconds": 0.51,
                "pitch": None,
                "peak_db": -3.1,
                "clipped": 0.0,
                "leading": 0.1,
                "in_distribution": True,
                "distance": 6.2,
                "nearest": [{"id": SOUND_ID, "distance": 6.2}],
                "duplicate_of": None,
                "warnings": [],
            }
        ],
        warnings=[{"code": "few", "text": "1 sound is little to learn from; 5 to 20 are better"}],
    )

    unit: str = Field(description="Of distances.")
    count: int
    seconds: float = Field(description="All of them together.")
    sounds: list[CheckedSound]
    warnings: list[Caveat] = Field(description="About all of them together.")

    @classmethod
    def of(
        cls, sounds: Sequence[UserSound], duplicates: Sequence[tuple[int, int, float]], unit: str
    ) -> CheckReply:
        same = {
            later: Duplicate(id=sounds[first].id, distance_db=short(db)) for first, later, db in duplicates
        }
        return cls(
            unit=unit,
            count=len(sounds),
            seconds=round(sum(sound.seconds for sound in sounds), 3),
            sounds=[checked(sound, same.get(row), unit) for row, sound in enumerate(sounds)],
            warnings=about_all(len(sounds), len(same)),
        )


#: Fewer sounds than this say little of what they have in common.
FEW = 5


def about_all(count: int, duplicates: int) -> list[Caveat]:
    caveats = []
    if count - duplicates < FEW:
        some = f"{count - duplicates} different sounds are" if count - duplicates != 1 else "1 sound is"
        caveats.append(Caveat(code="few", text=f"{some} little to learn from; 5 to 20 are better"))
    if duplicates:
        text = f"{duplicates} of {count} repeat another; they would count twice"
        caveats.append(Caveat(code="duplicates", text=text))
    return caveats


def checked(sound: UserSound, same: Duplicate | None, unit: str) -> CheckedSound:
    facts = sound.facts
    nearest = [Neighbour(id=id, distance=short(distance)) for id, distance in facts.get("nearest", [])]
    warnings = caveats_of(sound)
    if not sound.in_distribution and nearest:
        text = f"unlike anything the model knows: the nearest sound is {nearest[0].distance:.1f} {unit} away"
        warnings.append(Caveat(code="unknown", text=text))
    return CheckedSound(
        id=sound.id,
        name=sound.name,
        seconds=round(sound.seconds, 4),
        pitch=pitch_or_none(sound.pitch),
        peak_db=short_or_none(facts.get("peak_db")),
        clipped=short_or_none(facts.get("clipped")),
        leading=short_or_none(facts.get("leading")),
        in_distribution=sound.in_distribution,
        distance=nearest[0].distance if nearest else None,
        nearest=nearest,
        duplicate_of=same,
        warnings=warnings,
    )
