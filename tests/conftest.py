"""One model for all, what a test needs, and the order of things."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from sonifold import Model

#: Seconds from which a file is begun before others.
LONG = 30


@pytest.fixture(scope="session")
def pack_folder() -> Path:
    """The folder of the project's own pack. A test that reads the pack in any way needs this, and is marked for it."""
    from sonifold import pack

    return pack.find("oneshots")


@pytest.fixture(scope="session")
def oneshots(pack_folder: Path) -> Model:
    """The project's own model. Everything in it is read-only."""
    import sonifold

    return sonifold.load(pack_folder)


@pytest.fixture(scope="session")
def model(oneshots: Model) -> Model:
    return oneshots


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory, pack_folder: Path) -> Path:
    """A folder of packs in which the same model has a short library: for what starts processes or saves packs."""
    from small_packs import small_pack

    models = tmp_path_factory.mktemp("models")
    small_pack(pack_folder, models)
    return models


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the pack or a browser; what is long comes first, and the browser's tests come last.

    Files go to whichever lane is free: with the long ones begun first, the lanes end together. Playwright's
    synchronous interface keeps an event loop running in this thread for as long as the browser is open, and while it
    does, no other test can have its own (``asyncio.run``).
    """
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
        if "pack_folder" in getattr(item, "fixturenames", ()):
            item.add_marker("pack")
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.get_closest_marker("browser") is not None, item.path not in long))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which files are dear, and of which of them the order does not know: one that has become so is seen."""
    reports = [
        report for group in terminalreporter.stats.values() for report in group if hasattr(report, "duration")
    ]
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds[report.location[0]] += report.duration
    known = {report.location[0] for report in reports if "long" in report.keywords}
    dear = [(file, spent) for file, spent in seconds.most_common(10) if spent > LONG]
    if dear:
        terminalreporter.section(f"files of more than {LONG} s")
    for file, spent in dear:
        terminalreporter.line(f"{spent:6.0f} s  {file}{'' if file in known else '  (not marked long)'}")
