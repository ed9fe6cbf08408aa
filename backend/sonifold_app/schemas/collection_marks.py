"""What a user says of sounds of the collection: favourites, ratings, notes, and collections with names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from sonifold_app.engine.examples import example
from sonifold_app.schemas.collection import MAX_ID
from sonifold_app.schemas.common import Reply, Request
from sonifold_app.store.marks import HIGHEST, LONGEST_NAME, LONGEST_NOTE, LOWEST, NamedCollection

MAX_MEMBERS = 1000  # of one request
SEPARATORS = '",“”„'
NAMED: dict[str, Any] = {
    "id": 1,
    "name": "Dark kicks",
    "count": 12,
    "created": "2026-01-01T12:00:00.000+00:00",
}


class MarkChange(Request):
    """What to say of a sound, and of all its copies; what is left out stays."""

    model_config = example(favourite=True)

    favourite: bool | None = None
    rating: Annotated[int, Field(ge=LOWEST, le=HIGHEST)] | None = Field(
        None, description="1 to 5; null: none."
    )
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] | None = None

    def values(self) -> dict[str, Any]:
        """What is said, by name."""
        said = self.model_dump(include=self.model_fields_set)
        return {name: value for name, value in said.items() if value is not None or name == "rating"}


class NamedCollectionRequest(Request):
    """How a named collection is called."""

    model_config = example(name="Dark kicks")

    name: str = Field(min_length=1, max_length=LONGEST_NAME)

    @field_validator("name")
    @classmethod
    def tidy(cls, name: str) -> str:
        """Without spaces around it, signs that no line shows, and those that end a name in a search."""
        allowed = (sign if sign.isprintable() and sign not in SEPARATORS else " " for sign in name)
        name = " ".join("".join(allowed).split())
        if not name:
            raise ValueError("a name has letters in it, such as Dark kicks")
        return name


class NamedCollectionChange(NamedCollectionRequest):
    """How a named collection shall be called."""

    model_config = example(name="Bright kicks")


class NamedCollectionReply(Reply):
    """Sounds that were put together under a name; the search `collection:NAME` has them."""

    model_config = example(**NAMED)

    id: int
    name: str
    count: int = Field(description="Sounds in it; copies count once.")
    created: str

    @classmethod
    def of(cls, collection: NamedCollection) -> NamedCollectionReply:
        return cls.model_validate(collection, from_attributes=True)


class NamedCollections(Reply):
    """All named collections, by name."""

    model_config = example(collections=[NAMED])

    collections: list[NamedCollectionReply]


class Members(Request):
    """Sounds of the collection."""

    model_config = example(sounds=[1])

    sounds: list[Annotated[int, Field(ge=1, le=MAX_ID)]] = Field(min_length=1, max_length=MAX_MEMBERS)
