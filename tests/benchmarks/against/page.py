"""Two clicks in a real browser, on the pages of both builds in alternation."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

from builds import Build, Server, servers
from ratio import Comparison, compare
from service import alternate

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "browser"))

MARK = "sonifold:two-clicks"
PATIENCE = 60_000  # ms


def measure(builds: tuple[Build, Build], rounds: int) -> list[Comparison]:
    """Seconds from the second click until the steps of both ways can be played; nothing was fetched before."""
    from chromium import chromium

    with servers(builds) as running, chromium() as browser:
        visitors = [Visitor(browser, server) for server in running]
        taken = alternate(visitors, rounds, lambda visitor, number: visitor.two_clicks(number))
    return [
        compare("page: two clicks until both morphs are ready, median", "s", *taken),
        compare("page: two clicks until both morphs are ready, p95", "s", *taken, summary="p95"),
    ]


class Visitor:
    """A page of a build. It asks only what every build's page tells: ``window.sonifold`` and its marks."""

    def __init__(self, browser: Any, server: Server) -> None:
        self._page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        self._page.set_default_timeout(PATIENCE)
        self._address = str(server.client.base_url)
        self._ids = sorted(server.json("GET", f"{server.model}/sounds")["id"])

    def two_clicks(self, number: int) -> float:
        """A link that has A already, then a click on B where the map shows it; another B where that missed."""
        draw = random.Random(number)
        while True:
            first, second = draw.sample(self._ids, 2)
            self._page.goto(f"{self._address}/?a={first}")
            self._wait("s.a && performance.getEntriesByName('sonifold:full-map').length > 0")
            place = self._page.evaluate(
                "(id) => window.sonifold.locate(window.sonifold.state().library.indexOf(id))", second
            )
            self._page.mouse.click(*place)
            if self._page.evaluate("() => window.sonifold.state().b !== null"):
                break
        self._wait(f"performance.getEntriesByName('{MARK}').length > 0")
        return float(
            self._page.evaluate(f"() => performance.getEntriesByName('{MARK}').at(-1).duration / 1000")
        )

    def _wait(self, condition: str) -> None:
        self._page.wait_for_function(f"() => {{ const s = window.sonifold?.state(); return {condition} }}")
