"""Words for timbre: what they say of places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.common import SOUND_ID, Reply, Request, example, short

MAX_DESCRIBED = 64


class DescriptionRequest(Request):
    """Places, to be described."""

    model_config = example(anchors=[{"sound": SOUND_ID}, {"position": [0.31, -1.2]}])

    anchors: list[Anchor] = Field(min_length=1, max_length=MAX_DESCRIBED)


class DescriptionReply(Reply):
    """What the model's `descriptors` say of what it makes of each place."""

    model_config = example(descriptors={"brightness": [14.2, 16.0], "attack": [-2.1, -1.4]})

    descriptors: dict[str, list[float]] = Field(description="By name, one number for each anchor.")

    @classmethod
    def of(cls, described: Sequence[Mapping[str, float]]) -> DescriptionReply:
        return cls(descriptors={name: [short(one[name]) for one in described] for name in described[0]})
