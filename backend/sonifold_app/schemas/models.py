"""The packs: what each can do, and what it takes."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from sonifold.audio.formats import FORMATS, AudioFormat, BitDepth
from sonifold.choices import Choice
from sonifold_app.engine.choices import (
    DistanceName,
    InstrumentName,
    Layout,
    MetricName,
    ModelKind,
    PathKind,
    SamplerName,
)
from sonifold_app.engine.examples import example
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.schemas.common import MAX_STEPS, MAX_WEIGHT, Reply, Request
from sonifold_app.schemas.sounds import Name


class WeightRange(Reply):
    min: float = 0.0
    max: float = MAX_WEIGHT
    default: float


class StepRange(Reply):
    min: int = 2
    max: int = MAX_STEPS
    default: int = 17


class SavedFormat(Reply):
    """A kind of file that sounds can be saved in."""

    id: AudioFormat
    title: str
    depths: list[BitDepth] = Field(
        description="Bits a sample, the usual first; 32 are floats. Empty: there is no choice."
    )


class Limits(Reply):
    upload_bytes: int = Field(description="Largest upload, all its files together.")
    upload_seconds: float = Field(description="Longest sound that can be embedded or kept.")
    shortest_seconds: float = Field(description="Shortest sound that can be.")
    split_seconds: float = Field(description="Longest recording that can be split into sounds.")
    upload_files: int = Field(description="Most files in one upload.")
    choice_sounds: int = Field(description="Most sounds of an upload that can be chosen at once.")


class Sampler(Reply):
    """A way to draw new sounds."""

    id: str
    title: str
    temperature: bool = Field(description="True where the sampler takes a temperature.")
    start: bool = Field(description="Whether it needs a place to begin.")
    volume: bool = Field(description="Whether it draws by the volume of a metric.")


class Descriptor(Reply):
    """A word for timbre that has a number."""

    id: str
    unit: str
    more: str = Field(description="Adjective for a sound with more of it.")
    less: str
    meaning: str = Field(description="The quantity it measures, in plain words.")


class Model(Reply):
    model_config = example(
        id="oneshots",
        version="1c0ffee5eed5a17e",
        kind="library",
        base=None,
        title="One-shots",
        description="Drums, percussion, short notes.",
        sounds=1000,
        latent_dim=32,
        sample_rate=44100,
        sound_samples=65536,
        unit="tdB",
        metrics=["blend", "pullback", "kernel", "flat"],
        volume_metrics=["kernel"],
        path_kinds=["geodesic", "graph", "linear", "retimed"],
        distances=["perceptual", "geodesic", "euclidean"],
        samplers=[
            {
                "id": "prior",
                "title": "from the normal distribution",
                "temperature": True,
                "start": False,
                "volume": False,
            }
        ],
        descriptors=[
            {
                "id": "brightness",
                "unit": "ERB-rate",
                "more": "brighter",
                "less": "darker",
                "meaning": "where on the ear's frequency scale the weight lies",
            }
        ],
        weights={"min": 0, "max": 10, "default": 1},
        steps={"min": 2, "max": 33, "default": 17},
        formats=[{"id": "wav", "title": "WAV", "depths": [16, 24, 32]}],
        bytes=None,
        limits={
            "upload_bytes": 67108864,
            "upload_seconds": 10,
            "shortest_seconds": 0.01,
            "split_seconds": 240,
            "upload_files": 20,
            "choice_sounds": 512,
        },
    )

    id: str
    version: str = Field(description="Changes when anything that the model renders may have changed.")
    kind: ModelKind = Field(
        description="`library`: came with the server. `adapted`: in closed form, at once. `finetuned`: by a job. "
        "`imported`: from a file. All but the first are yours to rename and delete."
    )
    base: str | None = Field(description="The model that an adapted or fine-tuned model was made from.")
    title: str
    description: str
    sounds: int = Field(description="Sounds in the library.")
    latent_dim: int
    sample_rate: int = Field(description="Of everything rendered, in Hz.")
    sound_samples: int = Field(description="Length of a rendered sound, in samples.")
    unit: str = Field(description="The unit of lengths and distances.")
    metrics: list[MetricName]
    volume_metrics: list[MetricName] = Field(
        description="By the volume of which samples can be drawn, the default first."
    )
    path_kinds: list[PathKind]
    distances: list[DistanceName] = Field(description="By which neighbours can be found.")
    samplers: list[Sampler]
    descriptors: list[Descriptor]
    weights: WeightRange
    steps: StepRange
    formats: list[SavedFormat] = Field(description="That sounds can be saved in.")
    bytes: int | None = Field(
        description="On the disk, of one that you made: its pack, or the recordings that an adaptation keeps."
    )
    limits: Limits

    @classmethod
    def of(cls, facts: ModelFacts, limits: Limits, stored_bytes: int | None) -> Model:
        return cls(
            id=facts.name,
            version=facts.version,
            kind=facts.kind,
            base=facts.base,
            title=facts.title,
            description=facts.description,
            sounds=len(facts.library.ids),
            latent_dim=facts.latent_dim,
            sample_rate=facts.sample_rate,
            sound_samples=facts.sound_samples,
            unit=facts.unit,
            metrics=list(facts.metrics),
            volume_metrics=list(facts.volume_metrics),
            path_kinds=list(PathKind),
            distances=list(DistanceName),
            samplers=[Sampler.model_validate(sampler) for sampler in facts.samplers],
            descriptors=[Descriptor.model_validate(descriptor) for descriptor in facts.descriptors],
            weights=WeightRange(default=facts.weight),
            steps=StepRange(),
            formats=[
                SavedFormat(id=id, title=file_format.title, depths=list(file_format.depths))
                for id, file_format in FORMATS.items()
            ],
            bytes=stored_bytes,
            limits=limits,
        )


class TitleRequest(Request):
    """Another title for a model of yours."""

    model_config = example(title="My kit")

    title: Name


class DeletedModel(Reply):
    """Other effects of deleting a model."""

    model_config = example(sounds_moved=3, moved_to="oneshots")

    sounds_moved: int = Field(description="Number of your sounds stored with it.")
    moved_to: str = Field(description="The model that they are kept with now.")


class UnusableModel(Reply):
    id: str
    problem: str = Field(description="The reason why it cannot be used, and what to do.")


class ChoiceWords(Reply):
    """A name that requests take, and the words to show for it."""

    model_config = example(
        id="pullback",
        label="By ear only",
        term="pull-back",
        meaning="The shortest path for the ear, wherever it leads",
        sentence="the pull-back of the perceptual distance alone",
    )

    id: str
    label: str = Field(description="On a button.")
    term: str = Field(description="The field's word, or a second word beside the label.")
    meaning: str = Field(description="What it means for what is heard, in plain words.")
    sentence: str = Field(description="What it computes.")

    @classmethod
    def all_of(cls, choices: type[Choice]) -> list[Self]:
        return [cls(id=choice, **choice.words._asdict()) for choice in choices]


class Choices(Reply):
    """The names among which requests choose; which of them a model takes stands with the model.

    The first of each is taken where a request names none.
    """

    path_kinds: list[ChoiceWords]
    metrics: list[ChoiceWords]
    distances: list[ChoiceWords]
    samplers: list[ChoiceWords]
    instruments: list[ChoiceWords]
    layouts: list[ChoiceWords]

    @classmethod
    def all(cls) -> Self:
        return cls(
            path_kinds=ChoiceWords.all_of(PathKind),
            metrics=ChoiceWords.all_of(MetricName),
            distances=ChoiceWords.all_of(DistanceName),
            samplers=ChoiceWords.all_of(SamplerName),
            instruments=ChoiceWords.all_of(InstrumentName),
            layouts=ChoiceWords.all_of(Layout),
        )


class Models(Reply):
    models: list[Model]
    unusable: list[UnusableModel] = Field(description="Packs that are there but damaged.")
    choices: Choices = Field(
        default_factory=Choices.all, description="The names of choices, with their words."
    )
    export_folder: bool = Field(
        description="Whether exports can be put into a folder on the server's machine."
    )
