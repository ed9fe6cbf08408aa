"""Ways between sounds, and what is measured on them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sonifold_app.engine import questions
from sonifold_app.engine.answers import Path
from sonifold_app.engine.choices import MetricName, PathKind
from sonifold_app.engine.examples import SOUND_ID, Z, example
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.common import MAX_LEGS, MetricField, PathKindField, Reply, Request, Steps, Weight


class PathRequest(Request):
    """The path through two or more anchors."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"position": [0.31, -1.2]}],
        kind="geodesic",
        metric="blend",
        weight=1.0,
        steps=17,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=MAX_LEGS + 1)
    kind: PathKindField = PathKind.GEODESIC
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17

    def query(self) -> questions.PathQuery:
        return questions.PathQuery(
            tuple(anchor.anchor() for anchor in self.anchors), self.kind, self.metric, self.weight, self.steps
        )


PATH_EXAMPLE: dict[str, Any] = {
    "kind": "geodesic",
    "metric": "blend",
    "weight": 1.0,
    "length": 11.8,
    "line_length": 14.2,
    "energy": 148.0,
    "line_energy": 203.5,
    "speed": [5.9, 5.9],
    "speed_variation": 0.01,
    "outcome": "energy no longer falls",
    "converged": True,
    "map": [[0.3, -1.2], [0.1, 0.2], [-0.4, 0.9]],
    "step_positions": [[0.3, -1.2], [0.1, 0.2], [-0.4, 0.9]],
    "on_land": [True, True, True],
    "descriptors": {"brightness": [14.2, 15.1, 16.0]},
    "water": 0.0,
    "guesswork": 0.04,
}


class PathReply(Reply):
    model_config = example(
        unit="tdB", path={**PATH_EXAMPLE, "nodes": [Z, Z, Z]}, legs=[{**PATH_EXAMPLE, "nodes": [Z, Z, Z]}]
    )

    unit: str = Field(description="The unit of lengths and speeds.")
    path: Path = Field(description="The first leg; between two anchors there is no other.")
    legs: list[Path] = Field(description="The paths between consecutive anchors.")
