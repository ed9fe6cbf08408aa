"""No barriers that axe-core knows of: every panel, both themes, a phone, a laptop, a large screen."""

from __future__ import annotations

import pytest
from axe import barriers
from playwright.sync_api import Page
from sessions import PANELS, Session, wait

pytestmark = pytest.mark.long

SCREENS = [(400, 860), (1280, 720), (1920, 1080)]


def survey(page: Page) -> dict[str, list[str]]:
    """The barriers of every screen, panel and box, one after the other."""
    found = {"first": barriers(page)}
    page.locator(".trip").first.click()
    wait(page, "s.morph?.paths.retimed")
    page.keyboard.press("Escape")
    found["morph"] = barriers(page)
    for panel in PANELS:
        page.locator(f".rail [data-panel={panel}]").click()
        section = f"[data-for={panel}]"
        page.locator(f"{section} h2").first.wait_for()
        found[panel] = barriers(page)
        page.keyboard.press("Escape")
        wait(page, "s.panel === null")
    for name, box in [
        ("How the path is chosen", "#lens"),
        ("Sound and volume", "#sound"),
        ("Save as files", "#save"),
    ]:
        page.get_by_role("button", name=name).click()
        page.locator(box).wait_for()
        found[name] = barriers(page)
        page.keyboard.press("Escape")
    page.locator(".rail .keys").click()
    page.locator("dialog[open]").wait_for()
    found["help"] = barriers(page)
    return {where: what for where, what in found.items() if what}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_axe_finds_no_barrier_on_any_screen(visit: Session, width: int, height: int, theme: str) -> None:
    page = visit.open(f"/?theme={theme}", width=width, height=height, touch=width < 720)
    page.emulate_media(reduced_motion="reduce")  # colours half way through a fade are not what one reads
    assert survey(page) == {}
