"""No barriers that axe-core knows of: every panel, both themes, a phone, a laptop, a large screen."""

from __future__ import annotations

import pytest
from axe import COLOURS, barriers
from playwright.sync_api import Page
from sessions import PANELS, Session, wait

pytestmark = pytest.mark.long

SCREENS = [(400, 860), (1280, 720), (1920, 1080)]
BOXES = {"How the path is chosen": "#lens", "Sound and volume": "#sound", "Save as files": "#save"}


def both_themes(page: Page, part: str = "html") -> list[str]:
    """The barriers of the whole page in the dark, and of the colours of what has just come in the light."""
    found = barriers(page)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    found += [f"in the light: {barrier}" for barrier in barriers(page, part=part, rules=COLOURS)]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    return found


def survey(page: Page) -> dict[str, list[str]]:
    """The barriers of every screen, panel and box, one after the other."""
    found = {"first": both_themes(page)}
    page.locator(".trip").first.click()
    wait(page, "s.morph?.paths.retimed")
    page.keyboard.press("Escape")
    found["morph"] = both_themes(page)
    for panel in PANELS:
        page.locator(f".rail [data-panel={panel}]").click()
        page.locator(f"[data-for={panel}] h2").first.wait_for()
        found[panel] = both_themes(page, f"[data-for={panel}]")
        page.keyboard.press("Escape")
        wait(page, "s.panel === null")
    for name, box in BOXES.items():
        page.get_by_role("button", name=name).click()
        page.locator(box).wait_for()
        found[name] = both_themes(page, box)
        page.keyboard.press("Escape")
    page.locator(".rail .keys").click()
    page.locator("dialog[open]").wait_for()
    found["help"] = both_themes(page, "dialog[open]")
    return {where: what for where, what in found.items() if what}


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_axe_finds_no_barrier_on_any_screen(visit: Session, width: int, height: int) -> None:
    page = visit.open("/?theme=dark", width=width, height=height, touch=width < 720)
    page.emulate_media(reduced_motion="reduce")  # colours half way through a fade are not what one reads
    assert survey(page) == {}
