"""A real server, a real Chromium, and pages that must not complain."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from chromium import chromium, executable
from playwright.sync_api import Browser, Page
from server import ROOT, running_server
from sessions import Session


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser there is nothing to test here; on CI that is a mistake, elsewhere it is said."""
    missing = None if executable() else "no Chromium on this machine"
    missing = missing or (None if any((ROOT / "models").glob("*/pack.json")) else "no pack under models/")
    if missing and not os.environ.get("CI"):
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where a Sonifold with the project's own pack answers."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def visit(address: str, browser: Browser) -> Iterator[Session]:
    """Opens pages like a visitor; whatever the browser calls an error fails the test."""
    session = Session(browser, address)
    yield session
    session.close()
    assert session.complaints == []


@pytest.fixture
def page(visit: Session) -> Page:
    """The first screen, on a laptop."""
    return visit.open()
