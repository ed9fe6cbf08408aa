"""The map of a model, and the ways between it and latent space."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, FailFast, Field

from sonifold_app.engine import facts
from sonifold_app.engine.examples import Z, example
from sonifold_app.engine.numbers import row_of, rows
from sonifold_app.schemas.common import MAX_POINTS, Point, Position, Reply, Request


class MagnificationField(Reply):
    """The magnification log sqrt det G on a grid. Low values are land, where the model knows sounds."""

    model_config = ConfigDict(title="Field")

    x: list[float]
    y: list[float]
    values: list[list[float | None]] = Field(description="One row for each y, one number for each x.")
    coast: float = Field(description="Values up to here are land.")
    levels: list[float] = Field(description="Levels of the contours.")


class Atlas(Reply):
    """The map of a model."""

    model_config = example(
        extent=[-1.0, 1.0, -1.0, 1.0],
        field={
            "x": [-1.0, 1.0],
            "y": [-1.0, 1.0],
            "values": [[0.1, 2.3], [1.7, 4.0]],
            "coast": 2.0,
            "levels": [1.0, 2.0, 3.0],
        },
        placement_error={"median": 0.02},
    )

    extent: list[float] = Field(min_length=4, max_length=4, description="`[x0, x1, y0, y1]`.")
    field: MagnificationField
    placement_error: dict[str, Any] = Field(
        description="Distance between held-out library sounds and their positions."
    )

    @classmethod
    def of(cls, atlas: facts.AtlasField) -> Atlas:
        return cls(
            extent=list(atlas.extent),
            field=MagnificationField(
                x=row_of(atlas.x),
                y=row_of(atlas.y),
                # NaN where nothing is known
                values=[[v if v == v else None for v in row] for row in rows(atlas.values)],
                coast=atlas.coast,
                levels=list(atlas.levels),
            ),
            placement_error=dict(atlas.placement_error),
        )


class Points(Request):
    """Latent points."""

    model_config = example(points=[Z])

    points: Annotated[list[Point], FailFast()] = Field(min_length=1, max_length=MAX_POINTS)


class Positions(Request):
    """Positions on the map."""

    model_config = example(positions=[[0.31, -1.2]])

    positions: Annotated[list[Position], FailFast()] = Field(min_length=1, max_length=MAX_POINTS)


class ProjectedPoints(Reply):
    model_config = example(positions=[[0.31, -1.2]])

    positions: list[list[float]] = Field(description="One `[x, y]` for each point.")


class LiftedPositions(Reply):
    model_config = example(points=[Z])

    points: list[list[float]] = Field(description="One latent point for each position.")
