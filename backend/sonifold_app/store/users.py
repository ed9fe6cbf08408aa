"""Who may use the server besides the holder of its own token: a name, and the hash of a token of theirs.

A token is drawn at random, with 256 bits that nobody can try out, so that a plain hash of it says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import func, insert, select, update

from sonifold.errors import SonifoldError
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database
from sonifold_app.store.tables import users

#: In the data folder: what users keep, each in a data folder of its own by the user's id.
USERS = "users"
#: Users of one server: each has a database of its own that is open.
MOST_USERS = 200
LONGEST_NAME = 60
#: How an id and a token look; the token begins with the id of whose it is.
USER_ID = re.compile(r"[0-9a-f]{8}")
TOKEN = re.compile(r"(?P<id>[0-9a-f]{8})\.[\w-]{40,60}", re.ASCII)


class UserNotFoundError(SonifoldError):
    """No user has that id or name; the message is a sentence for the operator."""


class UserNameTakenError(SonifoldError):
    """A user cannot be called so; the message is a sentence for the operator."""


class TooManyUsersError(SonifoldError):
    """No more users; the message is a sentence for the operator."""


@dataclass(frozen=True)
class User:
    """A user with a token of their own; ``revoked``: since when that opens nothing any more, if so."""

    id: str
    name: str
    token_hash: str  # sha256, hexadecimal
    created: str  # ISO 8601, UTC
    rotated: str | None
    revoked: str | None


class UserStore:
    """The table of users. Safe to use from several threads, and beside a server that has the database open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[User]:
        """Those that were revoked too, in the order in which they came."""
        with self._database.connect() as connection:
            rows = connection.execute(select(users).order_by(users.c.created, users.c.id))
            return [User(**row._mapping) for row in rows]

    def find(self, id_or_name: str) -> User:
        """Raises UserNotFoundError."""
        for user in self.all():
            if id_or_name == user.id or id_or_name.casefold() == user.name.casefold():
                return user
        raise UserNotFoundError(
            f"there is no user {id_or_name[:LONGEST_NAME]!r}; `sonifold user list` shows those there are."
        )

    def add(self, name: str) -> tuple[User, str]:
        """A new user, and the token, which is told this once. Raises UserNameTakenError, TooManyUsersError."""
        require_name(name)
        id = secrets.token_hex(4)
        token = new_token(id)
        row = {"id": id, "name": name, "token_hash": hash_of(token), "created": now()}

        def write(connection: sqlalchemy.Connection) -> None:
            names = connection.execute(select(users.c.name)).scalars().all()
            if name.casefold() in {other.casefold() for other in names}:
                raise UserNameTakenError(
                    f"there is a user {name!r} already. Take another name, or give that one a new token: "
                    f"`sonifold user rotate`."
                )
            if len(names) >= MOST_USERS:
                raise TooManyUsersError(f"{len(names)} users are there, as many as one server has.")
            connection.execute(insert(users).values(**row))

        self._database.write(write)
        return User(**row, rotated=None, revoked=None), token

    def rotate(self, id_or_name: str) -> tuple[User, str]:
        """Another token for a user, also for one who was revoked; the former opens nothing any more.

        Raises UserNotFoundError.
        """
        id = self.find(id_or_name).id
        token = new_token(id)
        return self._change(id, token_hash=hash_of(token), rotated=now(), revoked=None), token

    def revoke(self, id_or_name: str) -> User:
        """Let a user in no more. What they have stays until they are given a new token. Raises UserNotFoundError."""
        user = self.find(id_or_name)
        return user if user.revoked else self._change(user.id, revoked=now())

    def _change(self, id: str, **values: Any) -> User:
        change = update(users).where(users.c.id == id).values(**values)
        self._database.write(lambda connection: connection.execute(change), frees=True)
        return self.find(id)

    def count(self) -> int:
        """Of those whose tokens are good."""
        with self._database.connect() as connection:
            query = select(func.count()).select_from(users).where(users.c.revoked.is_(None))
            return int(connection.execute(query).scalar_one())


def require_name(name: str) -> None:
    """Raises UserNameTakenError for what is no name."""
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise UserNameTakenError(
            f"{name[:LONGEST_NAME]!r} is no name for a user: use 1 to {LONGEST_NAME} characters that can be printed, "
            "with none that is blank at the beginning or the end."
        )


def new_token(id: str) -> str:
    return f"{id}.{secrets.token_urlsafe(32)}"


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def holder_of(tokens: Iterable[str], users_by_id: Mapping[str, User]) -> User | None:
    """Whose token is among these. Hashes are compared in constant time, also where nobody has such an id."""
    holder = None
    for token in tokens:
        match = TOKEN.fullmatch(token)
        user = users_by_id.get(match["id"]) if match else None
        fits = hmac.compare_digest(hash_of(token), user.token_hash if user else hash_of(""))
        if fits and user is not None and user.revoked is None:
            holder = user
    return holder
