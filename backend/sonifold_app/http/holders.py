"""Whose a token is: the server's own, or one of its users'."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Iterable, Sequence

import sqlalchemy.exc
from starlette.concurrency import run_in_threadpool

from sonifold_app.store.failures import StorageError
from sonifold_app.store.users import User, holder_of

#: The holder of the server's own token, to whom belongs what was there before there were users.
MAIN = ""
#: A user that another process added, revoked or gave another token is known as such after so long.
REREAD_SECONDS = 1.0

log = logging.getLogger(__name__)


class TokenHolders:
    """Compares tokens with the server's own and with those of users, as the database has them."""

    def __init__(self, token: str, read_users: Callable[[], Sequence[User]]) -> None:
        self._token = token.encode()
        self._read_users = read_users
        self._users: dict[str, User] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read who there is, unless that was done a moment ago. While the database is away, it is as it was."""
        if self._is_fresh():
            return
        async with self._reading:
            if self._is_fresh():
                return
            began = time.monotonic()
            try:
                self._users = {user.id: user for user in await run_in_threadpool(self._read_users)}
            except (StorageError, sqlalchemy.exc.SQLAlchemyError) as error:
                log.warning("who may use the server cannot be read at the moment: %s", error)
            self._read_at = began

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < REREAD_SECONDS

    def forget(self) -> None:
        """Have the next request read who there is."""
        self._read_at = float("-inf")

    def holder(self, tokens: Iterable[str]) -> str | None:
        """Whose token is among these: ``MAIN``, or a user's id."""
        tokens = list(tokens)
        # a list: all are compared, whichever fits
        if any([hmac.compare_digest(token.encode("utf-8", "replace"), self._token) for token in tokens]):
            return MAIN
        user = holder_of(tokens, self._users)
        return None if user is None else user.id

    def bond(self, holder: str) -> str | None:
        """What a holder's sessions are bound to: they end with the token. None where nobody is let in."""
        if holder == MAIN:
            return ""
        user = self._users.get(holder)
        return None if user is None or user.revoked else user.token_hash
