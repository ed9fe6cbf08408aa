"""A morph that comes slowly: drawn at once, heard as far as it has come, kept where it breaks off."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from profiles import Profiles
from sessions import Session, state, until_heard, wait
from slow_line import SlowLine, slow_line

STEP_BYTES = 2 * 65_536
#: Paths, both ends, and two steps beyond A.
SOME = 4 * STEP_BYTES + 80_000
THERE = "s.morph?.paths.geodesic?.sounds.there?.filter(Boolean).length"
VALUE = "document.querySelector('.scrub').getAttribute('aria-valuetext')"


pytestmark = pytest.mark.long


@pytest.fixture
def line(profiles: Profiles) -> Iterator[tuple[str, SlowLine]]:
    with slow_line(profiles.address) as (address, slow):
        slow.bytes = SOME
        yield address, slow


@pytest.fixture
def held(visit: Session, profiles: Profiles, line: tuple[str, SlowLine]) -> Page:
    """A page whose morph has come as far as a few steps."""
    with urllib.request.urlopen(f"{profiles.address}/api/v1/models") as models:
        model = json.load(models)["models"][0]["id"]
    with urllib.request.urlopen(f"{profiles.address}/api/v1/models/{model}/sounds") as sounds:
        first, second = json.load(sounds)["id"][:2]
    visit.address = line[0]
    page = visit.open(f"/?a={first}&b={second}")
    wait(page, f"{THERE} >= 4")
    return page


def test_what_has_come_is_drawn_and_heard_and_the_rest_follows(
    held: Page, line: tuple[str, SlowLine]
) -> None:
    assert state(held, "[s.morph.phase, s.morph.paths.linear.map.length > 2]") == ["arriving", True]
    assert held.locator(".path.geo b").inner_text() != "–"
    edge = state(held, "s.morph.paths.geodesic.sounds.there.indexOf(false) - 1")
    held.get_by_role("button", name="Play the morph").click()
    until_heard(held)
    wait(held, f"s.playing && Math.round(s.progress * 16) === {edge}")
    held.wait_for_timeout(2_500)  # longer than a step lasts
    assert state(held, "[s.playing, Math.round(s.progress * 16)]") == [True, edge]
    line[1].go_on.set()
    wait(held, f"Math.round(s.progress * 16) > {edge}")
    wait(held, "s.morph.phase === 'ready'")
    until_heard(held)


def test_a_line_that_breaks_leaves_what_has_come_and_offers_the_rest(
    held: Page, visit: Session, line: tuple[str, SlowLine]
) -> None:
    visit.expected = ("ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR")
    line[1].cut = True
    line[1].go_on.set()
    wait(held, "s.morph.phase === 'partial' && s.notice")
    assert state(held, f"{THERE} >= 4")
    line[1].bytes = None
    again = held.locator(".notice button", has_text="again")
    again.click()
    wait(held, "s.morph.phase === 'ready'")


def test_another_click_breaks_the_stream_off(held: Page, line: tuple[str, SlowLine]) -> None:
    held.get_by_role("button", name="Swap A and B").click()
    line[1].go_on.set()
    assert line[1].gone.wait(30)
