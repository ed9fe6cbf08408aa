"""Where sounds lie that are not in the library."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine import base
from sonifold_app.schemas.common import SOUND_ID, Caveat, Reply, Z, example, row_of, short
from sonifold_app.schemas.problems import Refused
from sonifold_app.schemas.sounds import Neighbour


class Embedding(Reply):
    file: int = Field(description="Which of the files of the request, from 0.")
    name: str
    seconds: float
    z: list[float]
    x: float
    y: float
    nearest: list[Neighbour] = Field(description="By perceptual distance, nearest first.")
    warnings: list[Caveat] = Field(description="What was cut, mixed or converted, and what is wrong with it.")

    @classmethod
    def of(cls, file: int, embedding: base.Embedding) -> Embedding:
        x, y = embedding.position
        return cls(
            file=file,
            name=embedding.name,
            seconds=round(embedding.seconds, 4),
            z=row_of(embedding.z),
            x=short(x),
            y=short(y),
            nearest=[Neighbour.of(neighbour) for neighbour in embedding.nearest],
            warnings=[Caveat.of(one) for one in embedding.caveats],
        )


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
