"""How soon the page shows its map, and how soon two clicks can be heard, in a real browser.

python -m pytest tests/benchmarks/test_bench_page.py -s
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from sonifold.evaluate.measures import record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

from chromium import chromium, executable
from profiles import Profiles
from server import running_server
from sessions import Session, locate, state, wait

COMMAND = "python -m pytest tests/benchmarks/test_bench_page.py -s"
PAIRS = 50
VISITS = 7

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def visit() -> Iterator[Session]:
    with running_server() as address, chromium() as browser:
        session = Session(Profiles(browser, address))
        session.open()  # the server has loaded its pack
        yield session
        session.close()


def mark(page: Page, name: str) -> float:
    """When a mark of the page was set, in seconds after the navigation began."""
    wait(page, f"performance.getEntriesByName('{name}').length > 0")
    return page.evaluate("(name) => performance.getEntriesByName(name)[0].startTime / 1000", name)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def test_first_map(visit: Session) -> None:
    first, whole = [], []
    for _ in range(VISITS):
        page = visit.open()  # with an empty cache each time
        first.append(mark(page, "sonifold:first-map"))
        whole.append(mark(page, "sonifold:full-map"))
        page.context.close()
    slowest = "page: map to see and to use after opening, slowest visit"
    record(slowest, max(first), "s", "<= 2", VISITS, COMMAND, name="page")
    record(
        "page: map with plotly's contour lines, slowest visit",
        max(whole),
        "s",
        None,
        VISITS,
        COMMAND,
        name="page",
    )


def test_two_clicks(visit: Session) -> None:
    """From the second click until the steps of both ways lie ready in memory; nothing was fetched before."""
    page = visit.open()
    mark(page, "sonifold:full-map")
    draw = random.Random(0)
    count = state(page, "l.count")
    seconds: list[float] = []
    while len(seconds) < PAIRS:
        one, other = draw.sample(range(count), 2)
        page.get_by_role("button", name="start over").click()
        page.mouse.click(*locate(page, one))
        wait(page, "s.a")
        page.mouse.click(*locate(page, other))
        if state(page, "s.b") is None:  # a word of the page lies over it
            continue
        wait(page, "s.morph?.phase === 'ready'")
        wait(page, f"performance.getEntriesByName('sonifold:two-clicks').length === {len(seconds) + 1}")
        seconds.append(
            page.evaluate("() => performance.getEntriesByName('sonifold:two-clicks').at(-1).duration / 1000")
        )
        wait(page, "s.morph?.paths.retimed")
        page.keyboard.press("Escape")
    ready = "page: two clicks until both morphs are ready"
    record(f"{ready}, p95", percentile(seconds, 0.95), "s", "<= 1", PAIRS, COMMAND, name="page")
    record(f"{ready}, median", statistics.median(seconds), "s", None, PAIRS, COMMAND, name="page")
