"""Places, to be heard."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine import questions
from sonifold_app.engine.answers import DecodedFacts
from sonifold_app.engine.examples import example
from sonifold_app.schemas.audio import AUDIO_EXAMPLE, AudioLink
from sonifold_app.schemas.common import MAX_DECODINGS, Number, Point, Position, Reply, Request


class DecodingRequest(Request):
    """Latent points or positions on the map, to be heard."""

    model_config = example(positions=[[0.31, -1.2]])

    points: list[Point] | None = Field(None, min_length=1, max_length=MAX_DECODINGS)
    positions: list[Position] | None = Field(None, min_length=1, max_length=MAX_DECODINGS)
    amounts: dict[str, Number] = Field(
        default_factory=dict,
        max_length=16,
        description="Of an adapted model's sliders, by id: how much of each to add; 1 is as much as your sounds have.",
    )

    def anchors(self) -> list[questions.Anchor]:
        return [
            *(questions.Anchor(point=tuple(point)) for point in self.points or ()),
            *(questions.Anchor(position=(x, y)) for x, y in self.positions or ()),
        ]


class DecodedSound(DecodedFacts):
    audio: AudioLink


class Decodings(Reply):
    model_config = example(sounds=[{"audio": {**AUDIO_EXAMPLE, "mode": "sound"}, "x": 0.31, "y": -1.2}])

    sounds: list[DecodedSound] = Field(description="Points first, then positions, in their order.")
