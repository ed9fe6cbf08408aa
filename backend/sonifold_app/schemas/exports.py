"""Sounds that are to leave as files."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sonifold.audio.formats import AudioFormat, BitDepth, subtype_of
from sonifold_app.engine import choices, questions
from sonifold_app.engine.choices import MetricName, PathKind
from sonifold_app.engine.examples import OTHER_ID, SOUND_ID, example
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.common import (
    MAX_STEPS,
    MetricField,
    Number,
    PathKindField,
    Reply,
    Request,
    Steps,
    Weight,
    words_of,
)
from sonifold_app.schemas.morphs import GlideSeconds
from sonifold_app.schemas.sounds import Name

MAX_EXPORTS = 200

Duration = Annotated[Number, Field(ge=0.02, le=2)]


class MorphExport(Request):
    """A path between two anchors, as the sounds along it or as one glide."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"sound": OTHER_ID}], kind="geodesic", steps=17, only=5
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=2)
    kind: PathKindField = PathKind.GEODESIC
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17
    mode: choices.MorphMode = Field(
        "steps", description="`steps`: a file each. `glide`: one sound that travels."
    )
    seconds: GlideSeconds = 4.0
    only: int | None = Field(None, ge=1, strict=True, description="One of the steps, from 1; by default all.")
    joined: bool = Field(False, description="The steps one after another in one file.")
    durations: list[Duration] | None = Field(
        None,
        max_length=MAX_STEPS,
        description="Seconds of each step in it; by default as long as each can be heard, 0.25 to 1.5.",
    )
    names: list[Name] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="Of the ends, in the files' names; by default their own.",
    )

    @model_validator(mode="after")
    def fits(self) -> Self:
        if self.only is not None and self.only > self.steps:
            raise ValueError(f"there are {self.steps} steps, numbered from 1; {self.only} is none of them")
        if self.durations is not None and len(self.durations) != self.steps:
            raise ValueError(f"expected {self.steps} durations, one for each step; got {len(self.durations)}")
        return self

    def query(self) -> questions.MorphExport:
        start, end = (anchor.anchor() for anchor in self.anchors)
        first, last = self.names or ("", "")
        return questions.MorphExport(
            questions.MorphQuery(
                start, end, (self.kind,), self.metric, self.weight, self.steps, self.mode, self.seconds
            ),
            (first, last),
            self.only,
            self.joined,
            tuple(self.durations or ()),
        )


class InstrumentExport(Request):
    """What becomes one instrument, or files in a row, instead of files."""

    model_config = example(kind="sfz", layout="morph", title="Kick to bell")

    kind: choices.InstrumentName = Field(description=words_of(choices.InstrumentName))
    layout: choices.Layout | None = Field(
        None, description=f"{words_of(choices.Layout)} By default what suits the kind; for a morph the wheel."
    )
    title: Name | None = Field(None, description="By default after the sounds.")
    pattern: str = Field(
        "{name}",
        max_length=100,
        description="Of the sounds' names, with `{number}`, `{name}`, `{key}`, `{family}`.",
    )

    def options(self, sound_format: AudioFormat | None) -> questions.InstrumentOptions:
        return questions.InstrumentOptions(
            self.kind, self.layout, self.title or "", self.pattern, sound_format
        )


class ExportRequest(Request):
    """An export: either ``morph`` or ``sounds``, and the kind of file."""

    model_config = example(
        morph=MorphExport.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
        format="wav",
        depth=24,
        level="normalise",
        trim=True,
    )

    morph: MorphExport | None = None
    sounds: list[Anchor] | None = Field(
        None,
        min_length=1,
        max_length=MAX_EXPORTS,
        description="Recordings of the library and of your own; of points and positions what the model makes of them.",
    )
    names: list[Name] | None = Field(
        None,
        max_length=MAX_EXPORTS,
        description="Of the sounds, as titles and in file names; by default their own.",
    )
    instrument: InstrumentExport | None = None
    destination: Literal["reply", "folder"] = Field(
        "reply",
        description="`reply`: the file itself. `folder`: it is put into the server's export folder, see "
        "`export_folder` in `GET /models`, and the reply says where.",
    )
    format: AudioFormat | None = Field(
        None, description="Of the sounds; by default `wav`, or what the kind of instrument usually has."
    )
    depth: BitDepth | None = Field(
        None,
        description="Bits a sample, 32 are floats: as far as the format has it, 16 by default, 24 in instruments.",
    )
    level: questions.LevelName = Field(
        "keep",
        description="`keep`: as it is heard. `normalise`: the peak of each file at -1 dB of full scale.",
    )
    trim: bool = Field(False, description="Leave the silence at both ends out, 60 dB under the peak.")

    @model_validator(mode="after")
    def fits(self) -> Self:
        if (self.morph is None) == (self.sounds is None):
            raise ValueError("name what to export: either morph or sounds")
        if self.names is not None and len(self.names) != len(self.sounds or ()):
            raise ValueError("as many names as sounds")
        if self.instrument is None or self.format is not None:
            subtype_of(self.file_format, self.depth)
        if (
            self.instrument
            and self.morph
            and (self.morph.mode == "glide" or self.morph.only or self.morph.joined)
        ):
            raise ValueError("an instrument takes all steps of a morph: leave out glide, only and joined")
        return self

    @property
    def file_format(self) -> AudioFormat:
        """Of files that are no instrument."""
        return self.format or "wav"

    def query(self) -> questions.ExportQuery:
        return questions.ExportQuery(
            questions.FileOptions(self.file_format, self.depth, self.level, self.trim),
            self.morph.query() if self.morph else None,
            tuple(anchor.anchor() for anchor in self.sounds or ()),
            tuple(self.names or ()),
            self.instrument.options(self.format) if self.instrument else None,
        )


class SavedExport(Reply):
    """Where an export was put."""

    model_config = example(
        name="kick-to-bell", path="/samples/sonifold/kick-to-bell", revealable=True, bytes=597655
    )

    name: str = Field(description="Of the file or folder in the export folder.")
    path: str | None = Field(description="All of it, where the server listens to its own machine only.")
    revealable: bool = Field(
        description="Whether `POST /export-folder/reveal` can show the folder on the server's own screen."
    )
    bytes: int
