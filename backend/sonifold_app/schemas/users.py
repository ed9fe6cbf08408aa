"""Who may use the server, as whoever runs it sees them."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine.examples import example
from sonifold_app.schemas.common import Reply, Request
from sonifold_app.store import users as store

USER_ID = "5f0c2a91"
USER = {
    "id": USER_ID,
    "name": "Ada",
    "created": "2026-05-01T09:00:00+00:00",
    "rotated": None,
    "revoked": None,
}


class UserRequest(Request):
    model_config = example(name="Ada")

    name: str = Field(min_length=1, max_length=store.LONGEST_NAME, description="Whom it is for.")


class User(Reply):
    model_config = example(**USER)

    id: str
    name: str
    created: str = Field(description="When, in UTC.")
    rotated: str | None = Field(description="When the user was last given another token.")
    revoked: str | None = Field(description="Since when the token opens nothing any more.")

    @classmethod
    def of(cls, user: store.User) -> User:
        return cls(
            id=user.id, name=user.name, created=user.created, rotated=user.rotated, revoked=user.revoked
        )


class Users(Reply):
    model_config = example(users=[USER])

    users: list[User]


class UserWithToken(Reply):
    model_config = example(user=USER, token=f"{USER_ID}.Zl3uJ8K0w9yXqT5rV1sB7nM2cD4fG6hPaEoLiUtRkYw")

    user: User
    token: str = Field(description="Told this once; what is kept of it is its sha256.")
