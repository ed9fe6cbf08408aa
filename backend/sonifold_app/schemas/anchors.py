"""Places to start from and to end at."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from sonifold_app.engine import questions
from sonifold_app.engine.examples import SOUND_ID, Z, example
from sonifold_app.schemas.common import Point, Position, Request


class SoundAnchor(Request):
    """A sound of the library."""

    model_config = example(sound=SOUND_ID)

    sound: str = Field(max_length=64, description="Its id.")

    def anchor(self) -> questions.Anchor:
        return questions.Anchor(sound=self.sound)


class PointAnchor(Request):
    """A latent point, as embeddings give it."""

    model_config = example(point=Z)

    point: Point

    def anchor(self) -> questions.Anchor:
        return questions.Anchor(point=tuple(self.point))


class PositionAnchor(Request):
    """A position on the map."""

    model_config = example(position=[0.31, -1.2])

    position: Position

    def anchor(self) -> questions.Anchor:
        x, y = self.position
        return questions.Anchor(position=(x, y))


def which_anchor(value: Any) -> str | None:
    """The kind of an anchor by the one field it has."""
    if isinstance(value, Request):
        value = value.model_dump()
    kinds = [kind for kind in ("sound", "point", "position") if isinstance(value, dict) and kind in value]
    return kinds[0] if len(kinds) == 1 else None


Anchor = Annotated[
    Annotated[SoundAnchor, Tag("sound")]
    | Annotated[PointAnchor, Tag("point")]
    | Annotated[PositionAnchor, Tag("position")],
    Discriminator(
        which_anchor,
        custom_error_type="anchor_invalid",
        custom_error_message='An anchor is exactly one of {{"sound": id}}, {{"point": [...]}}, '
        '{{"position": [x, y]}}',
    ),
]
