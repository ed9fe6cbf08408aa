"""What a browser is given in place of the token, and how those are slowed who try tokens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
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

    def new(self, holder: str = "", bond: str = "") -> str:
        """A session of a token's holder. It ends when ``bond`` is another, as with another token."""
        content = ".".join([str(int(time.time())), secrets.token_urlsafe(12), *([holder] if holder else [])])
        return f"{content}.{self._signature(content, bond)}"

    def holder_of(self, value: str, bond_of: Callable[[str], str | None] = lambda _: "") -> str | None:
        """Whose session a value is; None where it is none (any more). ``bond_of``: None for who is not let in."""
        content, _, signature = value.rpartition(".")
        began, _, rest = content.partition(".")
        holder = rest.partition(".")[2]
        bond = bond_of(holder)
        expected = self._signature(content, bond or "").encode()
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected) or bond is None:
            return None
        return holder if 0 <= time.time() - int(began) < SESSION_SECONDS else None

    def _signature(self, content: str, bond: str) -> str:
        text = f"{content}\n{bond}" if bond else content
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


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

    def __init__(self, holder: Callable[[Iterable[str]], str | None]) -> None:
        """``holder``: whose token is among some, compared in constant time."""
        self._holder = holder
        self._guessers: OrderedDict[str, GuessingAddress] = OrderedDict()

    async def holder(self, address: str, tokens: Sequence[str]) -> str | None:
        """Whose token is among these. Raises 429 where too many from this address wait to be compared."""
        guesser = self._guessers.get(network_of(address))
        if (
            guesser is None
            or time.monotonic() - guesser.last > self.FORGET_SECONDS
            or guesser.wrong < self.FREE
        ):
            holder = self._holder(tokens)
            if holder is None:
                self._count(address)
            return holder
        if guesser.waiting >= self.MOST_WAITING:
            raise too_many_guesses(self.MOST_WAITING * self.WRONG_SECONDS / self.AT_ONCE)
        guesser.waiting += 1
        try:
            async with guesser.turns:
                holder = self._holder(tokens)
                if holder is None:
                    self._count(address)
                    await asyncio.sleep(self.WRONG_SECONDS)
                return holder
        finally:
            guesser.waiting -= 1

    def _count(self, address: str) -> None:
        network, now = network_of(address), time.monotonic()
        guesser = self._guessers.setdefault(network, GuessingAddress())
        if now - guesser.last > self.FORGET_SECONDS:
            guesser.wrong = 0
        guesser.wrong, guesser.last = guesser.wrong + 1, now
        self._guessers.move_to_end(network)
        while len(self._guessers) > self.MOST_ADDRESSES:
            self._guessers.popitem(last=False)


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
