"""A new panel is a folder, and one name in panels.js: the skeleton of the manual, put on the real page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from server import ROOT
from sessions import PANELS, Session, until_heard, wait

SKELETON = ROOT / "docs" / "skeletons" / "panel"


@pytest.fixture
def files() -> dict[str, str]:
    """The files of the skeleton, and panels.js with its name in it."""
    panels = (ROOT / "frontend" / "panels.js").read_text()
    panels = panels.replace("yours];", "yours, skeleton];")
    panels = panels.replace(
        "import { yours }", 'import { skeleton } from "./skeleton/index.js";\nimport { yours }'
    )
    return {"/panels.js": panels} | {
        f"/skeleton/{file.name}": file.read_text() for file in SKELETON.glob("*.js")
    }


def test_a_new_panel_has_its_button_key_state_and_link(visit: Session, files: dict[str, str]) -> None:
    page = visit.open("/?amount=5", instead=files)
    expect(page.locator(".rail [data-panel]")).to_have_count(len(PANELS) + 1)
    page.locator(".rail [data-panel=skeleton]").click()
    expect(page.locator("#skeleton li")).to_have_count(5)
    page.locator("#skeleton li button").first.click()
    until_heard(page)
    page.get_by_label("Number of sounds").focus()
    page.keyboard.press("ArrowLeft")
    wait(page, "s.amount === 4 && location.search === '?panel=skeleton&amount=4'")
    page.keyboard.press("Escape")
    wait(page, "s.panel === null")
    page.keyboard.press("k")
    page.get_by_role("heading", name="Skeleton").wait_for()


def test_a_link_opens_a_new_panel_and_says_what_it_can_be(visit: Session, files: dict[str, str]) -> None:
    page = visit.open("/?panel=skeleton&amount=12", instead=files)
    page.get_by_role("heading", name="Skeleton").wait_for()
    expect(page.locator("#skeleton li")).to_have_count(3)
    expect(page.locator("#notice")).to_contain_text("it can be a number from 1 to 9")
