"""Blind listening tests: what is compared, who listens, what they answered, what it shows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sonifold_app.engine import choices
from sonifold_app.engine.choices import MetricName, PathKind, StimulusKind
from sonifold_app.engine.examples import OTHER_ID, SOUND_ID, example
from sonifold_app.schemas.common import MetricField, Number, Reply, Request, Steps, Weight
from sonifold_app.schemas.morphs import GlideSeconds
from sonifold_app.schemas.sounds import Name

MAX_TRIALS, MAX_PAIRS, MAX_SECONDS = 100, 50, 20.0
TEST_ID, LISTENER_ID = "5f0c9a1b2d3e4f60", "0c1d2e3f405162738495a6b7c8d9eaf0"

Method = Literal["abx", "preference"]
AnswerName = Literal["1", "2", "none"]
SoundLabel = Literal["1", "2", "x"]  # of a trial
Count = Annotated[int, Field(ge=0, le=100_000, strict=True)]


class Condition(Request):
    """How a pair is made audible."""

    model_config = example(model="oneshots", kind="geodesic", metric="blend", weight=None)

    model: str = Field("oneshots", max_length=64, description="A model's id.")
    kind: StimulusKind = Field(
        PathKind.GEODESIC.value,
        description="A kind of path, or `crossfade`: the two recordings faded into each other, without a model.",
    )
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="Of the blend; by default the model's own.")


class Pair(Request):
    model_config = example(start=SOUND_ID, end=OTHER_ID)

    start: str = Field(max_length=64, description="Id of a sound of the library or of your own.")
    end: str = Field(max_length=64)

    @model_validator(mode="after")
    def differ(self) -> Self:
        if self.start == self.end:
            raise ValueError("a pair is of two different sounds")
        return self


class Draw(Request):
    """Pairs drawn at random: the same for the same seed."""

    model_config = example(count=16, source="library", seed=7)

    count: int = Field(16, ge=1, le=MAX_PAIRS, strict=True)
    source: Literal["library", "user"] = Field(
        "library", description="`user`: your own sounds of the first condition's model."
    )
    seed: int = Field(0, ge=0, lt=2**31, strict=True)


class ListeningTestRequest(Request):
    """A test to be made. Its trials are fixed here, before anybody has heard anything."""

    model_config = example(
        method="abx",
        conditions=[{"kind": "geodesic"}, {"kind": "retimed"}],
        pairs=[{"start": SOUND_ID, "end": OTHER_ID}],
        trials=16,
        mode="steps",
        steps=9,
    )

    title: Name | None = Field(None, description="By default made of the conditions.")
    method: Method = Field(
        "abx", description="`abx`: is there a difference? `preference`: which is better, or neither?"
    )
    conditions: list[Condition] = Field(min_length=2, max_length=2)
    pairs: list[Pair] | None = Field(
        None, min_length=1, max_length=MAX_PAIRS, description="Either these or `draw`."
    )
    draw: Draw | None = None
    trials: int = Field(16, ge=1, le=MAX_TRIALS, strict=True)
    mode: choices.MorphMode = "steps"
    steps: Steps = 9
    seconds: GlideSeconds = 4.0
    step_seconds: Annotated[Number, Field(ge=0.1, le=1.5)] = Field(
        0.5, description="Of each step, the same under both conditions."
    )
    minimum_listens: int = Field(
        1, ge=1, le=10, strict=True, description="How often each sound of a trial is heard before an answer."
    )

    @model_validator(mode="after")
    def fits(self) -> Self:
        if (self.pairs is None) == (self.draw is None):
            raise ValueError("name the pairs, or how to draw them: either pairs or draw")
        if self.conditions[0] == self.conditions[1]:
            raise ValueError("the two conditions are the same; nothing is compared")
        if self.mode == "steps" and self.steps * self.step_seconds > MAX_SECONDS:
            raise ValueError(
                f"{self.steps} steps of {self.step_seconds} s are longer than {MAX_SECONDS:.0f} s"
            )
        if len(self.pairs or ()) > self.trials or (self.draw and self.draw.count > self.trials):
            raise ValueError(f"{self.trials} trials play at most as many pairs")
        return self


class Power(Reply):
    """What so many trials can show."""

    true_share: float = Field(description="How often a listener is right, or prefers one, in truth.")
    power: float = Field(description="Probability that the test then comes out below .05.")


class ListeningTest(Reply):
    """A test, without anything that could give an answer away."""

    model_config = example(
        id=TEST_ID,
        title="Geodesic or re-timed",
        method="abx",
        request=ListeningTestRequest.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
        trials=16,
        pairs=1,
        rendered=1,
        state="ready",
        error=None,
        minimum_listens=1,
        critical=12,
        power=[{"true_share": 0.8, "power": 0.798}],
        listeners=2,
        finished=1,
        created="2026-01-31T12:00:00.000+00:00",
        url="/listen.html?test=" + TEST_ID,
    )

    id: str
    title: str
    method: Method
    request: dict[str, Any] = Field(description="As it was asked for.")
    trials: int
    pairs: int
    rendered: int = Field(description="How many of the pairs can be played already.")
    state: Literal["preparing", "ready", "failed"]
    error: str | None = Field(description="Why it failed, or cannot be rendered yet, as a sentence.")
    minimum_listens: int
    critical: int | None = Field(
        description="Fewest hits, or preferences for one when nobody abstains, that are below .05; null where all are "
        "too few."
    )
    power: list[Power]
    listeners: int = Field(description="Who began.")
    finished: int = Field(description="Who gave all answers.")
    created: str
    url: str = Field(description="The page where anybody with the link takes the test.")


class ListeningTestList(Reply):
    model_config = example(tests=[ListeningTest.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index]

    tests: list[ListeningTest] = Field(description="Newest first.")


class ListenerRequest(Request):
    """Somebody begins."""

    model_config = example(name="Ada", browser="Firefox 140", sample_rate=48000, latency_ms=12.5)

    name: Name | None = Field(None, description="Stands in the results; by default a number.")
    browser: str = Field("", max_length=300)
    sample_rate: Annotated[Number, Field(ge=0, le=768_000)] | None = Field(
        None, description="At which the browser plays, Hz."
    )
    latency_ms: Annotated[Number, Field(ge=0, le=60_000)] | None = Field(
        None, description="As the browser says, until it is heard."
    )


class Listener(Reply):
    """How far a listener is; never how well they do."""

    model_config = example(id=LISTENER_ID, test=TEST_ID, name="Ada", answered=6, trials=16, finished=False)

    id: str = Field(description="Whoever knows it can go on with this run.")
    test: str
    name: str
    answered: int
    trials: int
    finished: bool


class AnswerRequest(Request):
    """An answer to a trial; it is final."""

    model_config = example(answer="1", listens={"1": 2, "2": 1, "x": 3})

    answer: AnswerName = Field(
        description="ABX: what X is, `1` or `2`. Preference: which is better, or `none`."
    )
    listens: dict[SoundLabel, Count] = Field(
        description="How often each was played.", min_length=2, max_length=3
    )


class ListeningResults(Reply):
    """The results of a test. Of listeners who are not through there is only the number."""

    model_config = example(
        test=TEST_ID,
        title="Geodesic or re-timed",
        method="abx",
        conditions=["geodesic", "retimed"],
        listeners=[],
        unfinished=1,
        pooled=None,
        sentence="Nobody is through yet.",
        repeat={},
    )

    test: str
    title: str
    method: Method
    conditions: list[str] = Field(description="Words for condition a and condition b.")
    listeners: list[dict[str, Any]] = Field(
        description="Each with `name`, `client`, `seed`, `result` (trials, hits or a, b, ties; p; share with its 95 % "
        "Wilson interval), and `trials`: the key, the answer, the listens."
    )
    unfinished: int
    pooled: dict[str, Any] | None = Field(
        description="Of two listeners or more: p, the test by name, the mean of their shares."
    )
    sentence: str = Field(description="The result in words.")
    repeat: dict[str, Any] = Field(
        description="All that is needed to do it again: request, versions, pairs, gains, loudness, lengths."
    )
