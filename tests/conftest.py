"""One model for all, what a test needs, and the order of things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sonifold import Model

#: Fixtures that read the project's own pack.
OF_THE_PACK = {"oneshots", "small_models"}


@pytest.fixture(scope="session")
def oneshots() -> Model:
    """The project's own model. Everything in it is read-only."""
    import sonifold

    return sonifold.load("oneshots")


@pytest.fixture(scope="session")
def model(oneshots: Model) -> Model:
    return oneshots


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the pack or a browser; what is long comes first, and the browser's tests come last.

    Files go to whichever lane is free: with the long ones begun first, the lanes end together. Playwright's
    synchronous interface keeps an event loop running in this thread for as long as the browser is open, and while it
    does, no other test can have its own (``asyncio.run``).
    """
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
        if not OF_THE_PACK.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("pack")
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.get_closest_marker("browser") is not None, item.path not in long))
