"""Latent points and map positions of sounds outside the library."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine.answers import EmbeddingFacts
from sonifold_app.engine.examples import SOUND_ID, Z, example
from sonifold_app.schemas.common import Reply
from sonifold_app.schemas.problems import Refused


class Embedding(EmbeddingFacts):
    file: int = Field(description="Number of the file in the request, from 0.")


class Embeddings(Reply):
    model_config = example(
        embeddings=[
            {
                "file": 0,
                "name": "kick.wav",
                "seconds": 0.62,
                "z": Z,
                "x": 0.31,
                "y": -1.2,
                "nearest": [{"id": SOUND_ID, "distance": 3.42}],
                "warnings": [{"code": "mono", "text": "its 2 channels were mixed to one"}],
            }
        ],
        refused=[],
    )

    embeddings: list[Embedding] = Field(description="Of the files that could be used, in their order.")
    refused: list[Refused] = Field(default_factory=list, description="The files that could not be used.")
