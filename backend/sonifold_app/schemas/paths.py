"""Ways between sounds, and what is measured on them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sonifold_app.engine import base
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.common import (
    MAX_LEGS,
    SOUND_ID,
    MetricName,
    PathKind,
    Reply,
    Request,
    Steps,
    Weight,
    Z,
    example,
    row_of,
    rows,
    short,
)


class PathRequest(Request):
    """The way through two or more anchors."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"position": [0.31, -1.2]}],
        kind="geodesic",
        metric="blend",
        weight=1.0,
        steps=17,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=MAX_LEGS + 1)
    kind: PathKind = "geodesic"
    metric: MetricName = "blend"
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17

    def query(self) -> base.PathQuery:
        return base.PathQuery(
            tuple(one.anchor() for one in self.anchors), self.kind, self.metric, self.weight, self.steps
        )


class PathFacts(Reply):
    """A path between two anchors, as told with a morph."""

    kind: base.PathKind
    metric: base.MetricName
    weight: float
    length: float = Field(description="Of the rendered sound, perceptual, in the model's unit.")
    line_length: float = Field(description="The same of the straight line.")
    energy: float = Field(description="Under the metric that was asked for.")
    line_energy: float = Field(description="The same of the straight line.")
    speed: list[float] = Field(description="Perceptual distance between neighbouring steps.")
    speed_variation: float = Field(description="Coefficient of variation of `speed`.")
    outcome: str = Field(description="How the search ended, as a sentence.")
    converged: bool
    map: list[list[float]] = Field(description="The curve on the map, finely: `[x, y]` each.")
    step_positions: list[list[float]] = Field(description="Where the steps lie on the map.")
    on_land: list[bool] = Field(description="For each step: is it on land?")
    descriptors: dict[str, list[float]] = Field(
        description="For each of the model's `descriptors` its value at each step."
    )
    water: float = Field(description="Share of the curve on the map that leads over sea, 0 to 1.")
    guesswork: float = Field(
        description="Share of the way outside what the model knows, 0 (all of it among known sounds) to 1 (none of "
        "it), weighted by what is heard to change. This, and not the length, is what the blend keeps low."
    )

    @staticmethod
    def fields_of(path: base.TracedPath) -> dict[str, Any]:
        return {
            "kind": path.kind,
            "metric": path.metric,
            "weight": path.weight,
            "length": short(path.length),
            "line_length": short(path.line_length),
            "energy": short(path.energy),
            "line_energy": short(path.line_energy),
            "speed": row_of(path.speed),
            "speed_variation": short(path.speed_variation),
            "outcome": path.outcome,
            "converged": path.converged,
            "map": rows(path.map),
            "step_positions": rows(path.step_positions),
            "on_land": path.on_land.tolist(),
            "descriptors": {name: [short(v) for v in values] for name, values in path.descriptors.items()},
            "water": short(path.water),
            "guesswork": short(path.guesswork),
        }


class Path(PathFacts):
    """A path between two anchors."""

    nodes: list[list[float]] = Field(description="The latent points of the steps.")

    @classmethod
    def of(cls, path: base.TracedPath) -> Path:
        return cls(**PathFacts.fields_of(path), nodes=rows(path.nodes))


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
