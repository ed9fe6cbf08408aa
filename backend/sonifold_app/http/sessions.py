"""What a browser is given in place of the token, and how those are slowed who try tokens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sonifold_app.http.problems import Problem

SESSION_SECONDS = 30 * 24 * 3600


class Sessions:
    """Values for a cookie. They hold for a month, also after a restart, and say nothing of the token.

    Browsers send cookies to every port of a host: what another server there gets to see opens this one for a month at
    most, and no other with the same token's owner.
    """

    def __init__(self, token: str) -> None:
        # slow to derive, so that a token cannot be found by trying from a value that leaked
        self._key = hashlib.scrypt(token.encode(), salt=b"sonifold session", n=2**14, r=8, p=1, dklen=32)

    def new(self) -> str:
        content = f"{int(time.time())}.{secrets.token_urlsafe(12)}"
        return f"{content}.{self._signature(content)}"

    def is_valid(self, value: str) -> bool:
        content, _, signature = value.rpartition(".")
        began = content.partition(".")[0]
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(content).encode()):
            return False
        return 0 <= time.time() - int(began) < SESSION_SECONDS

    def _signature(self, content: str) -> str:
        return hmac.new(self._key, content.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def cookie_name(host: str, scheme: str) -> str:
    """The session's cookie, named for the port: cookies know none, and two servers on a host would share one."""
    port = host.rpartition(":")[2] if not host.endswith("]") else ""
    return f"sonifold_session_{port if port.isdecimal() else {'https': '443'}.get(scheme, '80')}"


@dataclass
class GuessingAddress:
    """An address that has sent wrong tokens."""

    wrong: int = 0
    last: float = 0.0
    waiting: int = 0
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(Guesses.AT_ONCE))


class Guesses:
    """Compares tokens; more slowly, and few at a time, for an address that has sent many wrong ones.

    The right token is never refused for what others sent, though it may have to wait behind them.
    """

    FREE = 10  # wrong ones before it becomes slow
    WRONG_SECONDS = 1.0  # that a further wrong one takes
    AT_ONCE = 4
    MOST_WAITING = 32
    FORGET_SECONDS = 900.0
    MOST_ADDRESSES = 4096

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._guessers: OrderedDict[str, GuessingAddress] = OrderedDict()

    async def is_right(self, address: str, tokens: Iterable[str]) -> bool:
        """Whether one of these is the token. Raises 429 where too many from this address wait to be compared."""
        guesser = self._guessers.get(network_of(address))
        if (
            guesser is None
            or time.monotonic() - guesser.last > self.FORGET_SECONDS
            or guesser.wrong < self.FREE
        ):
            return self._compare(tokens) or self._count(address)
        if guesser.waiting >= self.MOST_WAITING:
            raise too_many_guesses(self.MOST_WAITING * self.WRONG_SECONDS / self.AT_ONCE)
        guesser.waiting += 1
        try:
            async with guesser.turns:
                if self._compare(tokens):
                    return True
                self._count(address)
                await asyncio.sleep(self.WRONG_SECONDS)
                return False
        finally:
            guesser.waiting -= 1

    def _compare(self, tokens: Iterable[str]) -> bool:
        # a list: all are compared, whichever fits
        return any([hmac.compare_digest(token.encode("utf-8", "replace"), self._token) for token in tokens])

    def _count(self, address: str) -> bool:
        network, now = network_of(address), time.monotonic()
        guesser = self._guessers.setdefault(network, GuessingAddress())
        if now - guesser.last > self.FORGET_SECONDS:
            guesser.wrong = 0
        guesser.wrong, guesser.last = guesser.wrong + 1, now
        self._guessers.move_to_end(network)
        while len(self._guessers) > self.MOST_ADDRESSES:
            self._guessers.popitem(last=False)
        return False


def network_of(address: str) -> str:
    """Whom an address stands for: in IPv6 everybody has 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def too_many_guesses(seconds: float) -> Problem:
    return Problem(
        429,
        "too_many_guesses",
        "Too many wrong tokens",
        "Too many wrong tokens from this address; more are waiting to be compared. Try again in a few seconds.",
        {"Retry-After": str(max(1, round(seconds)))},
    )
