"""What a visitor does, in words: open, point, click, listen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Route
from profiles import PATIENCE, Profiles
from server import ROOT

#: ms between two looks; looking in every frame makes the browser draw every frame, on a tenth of a core.
POLLING = 40

#: The page's state once own sounds have been taken into the model, and are heard.
ADAPTED = "s.adaptation?.phase === 'ready' && s.hear === 'after'"

#: The panels of the page, in the order of its rail.
PANELS = re.findall(
    r"\w+", (ROOT / "frontend" / "panels.js").read_text().partition("PANELS = [")[2].partition("]")[0]
)


class Session:
    """The pages of one test, and what the browser complained about on them."""

    def __init__(self, profiles: Profiles) -> None:
        self.address = profiles.address
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        self._profiles = profiles
        self._pages: list[tuple[Page, bool]] = []

    def open(
        self,
        link: str = "/",
        *,
        width: int = 1280,
        height: int = 800,
        touch: bool = False,
        instead: Mapping[str, str] | None = None,
    ) -> Page:
        """A page of its own browser profile, when its map can be used.

        ``instead``: modules in place of the server's, by their paths.
        """
        page = self._profiles.lend(width, height, touch)
        self._pages.append((page, touch))
        page.on("pageerror", self._note)
        page.on("console", self._listen)
        for path, text in (instead or {}).items():
            page.route(self.address + path, _serve(text))
        page.goto(self.address + link)
        wait(page, "performance.getEntriesByName('sonifold:first-map').length > 0")
        return page

    def _note(self, error: Error) -> None:
        self.complaints.append(f"{error}")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in self.expected):
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def close(self, again: bool = True) -> None:
        """Leave all pages; their profiles serve others, or not ``again``."""
        for page, touch in self._pages:
            page.unroute_all()
            page.remove_listener("pageerror", self._note)
            page.remove_listener("console", self._listen)
            if again and not page.is_closed():
                self._profiles.take_back(page, touch)
            else:
                page.context.close()


def _serve(module: str) -> Callable[[Route], None]:
    """Answers with the text of a module."""
    return lambda route: route.fulfill(body=module, content_type="text/javascript")


def wait(page: Page, condition: str) -> None:
    """Until a condition on ``s``, the page's state, holds."""
    until(page, f"() => {{ const s = window.sonifold?.state(); return {condition} }}")


def until(
    page: Page, function: str, arg: Any = None, *, timeout: float = PATIENCE, polling: int = POLLING
) -> None:
    """Until a function of the page's gives something true; ``arg``: what it is given."""
    page.wait_for_function(function, arg=arg, timeout=timeout, polling=polling)


def state(page: Page, expression: str) -> Any:
    """``expression`` of ``s``, the page's state, and ``l``, its library."""
    return page.evaluate(f"() => {{ const s = window.sonifold.state(), l = s.library; return {expression} }}")


def locate(page: Page, sound: int) -> tuple[float, float]:
    """Where a sound is on the screen, in pixels from the window's corner."""
    x, y = page.evaluate("(sound) => window.sonifold.locate(sound)", sound)
    return x, y


def probe(page: Page, name: str, *arguments: Any) -> Any:
    """One of the questions of probes.js."""
    return page.evaluate("([name, given]) => window.probes[name](...given)", [name, list(arguments)])


def apart(page: Page, count: int = 2) -> list[int]:
    """Sounds that lie alone on the map, far from each other: what one clicks is what one gets."""
    found: list[int] = probe(page, "apart", count)
    return found


def loudest(page: Page, milliseconds: int) -> float:
    """The highest level that reached the loudspeaker in a while: RMS of 46 ms, full scale = 1."""
    return max(levels(page, milliseconds))


def levels(page: Page, milliseconds: int) -> list[float]:
    """The level that reaches the loudspeaker, every few milliseconds."""
    measured: list[float] = probe(page, "levels", milliseconds)
    return measured


def until_heard(page: Page, threshold: float = 1e-3) -> None:
    """Until something has reached the loudspeaker since one last listened, also if it is over by now."""
    until(page, f"() => window.probes.heard({threshold})")


def until_silent(page: Page) -> None:
    until(page, "() => window.probes.silent()", polling=20)


def pick_two(page: Page) -> tuple[int, int]:
    """Two clicks on the map; back when both ways can be heard."""
    first, second = apart(page)
    page.mouse.click(*locate(page, first))
    wait(page, "s.a")
    page.mouse.click(*locate(page, second))
    wait(page, "s.morph?.phase === 'ready'")
    return first, second


def until_morph_after(page: Page, key: str) -> None:
    """Until another morph than the one of that key can be heard."""
    wait(page, f"s.morph?.phase === 'ready' && s.morph.key !== {json.dumps(key)}")


def until_said(page: Page, text: str) -> None:
    """Until those who do not see the page have been told."""
    until(page, "(text) => document.querySelector('#live').textContent.includes(text)", text)


def tab_to(page: Page, target: Locator) -> None:
    for _ in range(120):
        page.keyboard.press("Tab")
        if target.evaluate("(e) => e === document.activeElement"):
            return
    pytest.fail(f"Tab never comes to {target}")
