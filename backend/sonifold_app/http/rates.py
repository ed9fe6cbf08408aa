"""How many requests each user may send in a time, or each address that brings the server's own token."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from sonifold_app.http.problems import rate_limited
from sonifold_app.http.sessions import network_of
from sonifold_app.urls import API


class RateLimit:
    """Stands behind the access control: who is not let in is not counted. The page's own files are not counted."""

    def __init__(self, app: ASGIApp, limits: Sequence[RateLimitItem]) -> None:
        self._app, self._limits = app, limits
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{API}/"):
            sender = sender_of(scope)
            for limit in self._limits:
                if not await self._limiter.hit(limit, sender):
                    stats = await self._limiter.get_window_stats(limit, sender)
                    seconds = max(1, math.ceil(stats.reset_time - time.time()))
                    problem = rate_limited(sentence_of(limit), seconds)
                    return await problem.response()(scope, receive, send)
        await self._app(scope, receive, send)


def sender_of(scope: Scope) -> str:
    """Whom a request counts for."""
    user: str | None = scope.get("state", {}).get("user")
    client = scope.get("client")
    return f"user {user}" if user else f"address {network_of(client[0]) if client else ''}"


def sentence_of(limit: RateLimitItem) -> str:
    """How a limit is told: ``600 requests in 1 minute``."""
    return (
        f"{limit.amount} requests in {limit.multiples} {limit.GRANULARITY.name}{'s' * (limit.multiples > 1)}"
    )
