"""A real server, a real Chromium, and pages that must not complain."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from chromium import chromium, executable
from playwright.sync_api import Browser, Page, expect
from profiles import PATIENCE, Profiles
from recordings import bar, wav
from server import ROOT, running_server, started_server
from sessions import Session

expect.set_options(timeout=PATIENCE)

#: Of a test: whether it has failed.
FAILED = pytest.StashKey[bool]()


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


@pytest.fixture(scope="session")
def profiles_of_whole_library(browser: Browser, address: str) -> Iterator[Profiles]:
    profiles = Profiles(browser, address)
    yield profiles
    profiles.close()


@pytest.fixture(scope="session")
def short_library(small_models: Path) -> Iterator[tuple[str, int]]:
    """Where a Sonifold with a short library answers, and the id of its process."""
    with started_server(MODELS=str(small_models)) as server:
        yield server


@pytest.fixture(scope="session")
def address_of_short_library(short_library: tuple[str, int]) -> str:
    return short_library[0]


@pytest.fixture(scope="session")
def profiles_of_short_library(browser: Browser, address_of_short_library: str) -> Iterator[Profiles]:
    profiles = Profiles(browser, address_of_short_library)
    yield profiles
    profiles.close()


@pytest.fixture(scope="module")
def profiles(request: pytest.FixtureRequest) -> Profiles:
    """Of a Sonifold with a short library, where all is over sooner; of the project's own where a module is marked."""
    whole = request.node.get_closest_marker("whole_library")
    found: Profiles = request.getfixturevalue(f"profiles_of_{'whole' if whole else 'short'}_library")
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def visit(profiles: Profiles, request: pytest.FixtureRequest) -> Iterator[Session]:
    """Opens pages like a visitor; whatever the browser calls an error fails the test."""
    session = Session(profiles)
    yield session
    session.close(again=not request.node.stash.get(FAILED, False))
    assert session.complaints == []


@pytest.fixture
def page(visit: Session) -> Page:
    """The first screen, on a laptop."""
    return visit.open()


@pytest.fixture
def bars(tmp_path: Path) -> list[Path]:
    """Sounds of one instrument: what is learned of some is true of the others."""
    paths = []
    for hertz in (180, 262, 370, 523):
        path = tmp_path / f"Bar {hertz}.wav"
        path.write_bytes(wav(bar(hertz)))
        paths.append(path)
    return paths
