"""No barriers that axe-core knows of in the states of the panel *Yours*: one visit, three widths, both themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe import barriers
from playwright.sync_api import Page
from recordings import hit, pick, remove_all, wav
from sessions import ADAPTED, Session, probe, wait

pytestmark = pytest.mark.long

#: Both themes, and the widths of test_barriers.py: no rule needs all six pairs of them.
LOOKS = [(400, 860, "dark"), (1280, 720, "light"), (1920, 1080, "dark")]
PANEL, NOTICE, SWITCH = "#sheet", "#notice", ".map > .hear"
TOO_WIDE = """(part) => {
    const element = document.querySelector(part);
    const {left, right} = element.getBoundingClientRect();
    return element.scrollWidth > element.clientWidth || left < 0 || right > innerWidth ||
        document.documentElement.scrollWidth > innerWidth;
}"""


@pytest.fixture
def files(bars: list[Path], tmp_path: Path) -> list[Path]:
    """Two sounds, a recording of three, and a file that is no sound."""
    take, broken = tmp_path / "take.wav", tmp_path / "broken.wav"
    take.write_bytes(wav(np.concatenate([hit(hertz, 0.8) for hertz in (80, 300, 900)])))
    broken.write_text("no sound")
    return [*bars[:2], take, broken]


@pytest.fixture
def folder(bars: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / "samples"
    path.mkdir()
    for bar in bars:
        (path / bar.name).write_bytes(bar.read_bytes())
    (path / "torn.wav").write_text("no sound")
    return path


def everywhere(page: Page, part: str) -> list[str]:
    """What is wrong with a part of the page as it is now, by width and theme: its barriers, and what does not fit."""
    found = []
    tools = page.context.new_cdp_session(page)
    for width, height, theme in LOOKS:
        tools.send("Emulation.setTouchEmulationEnabled", {"enabled": width < 720})  # phones have fingers
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        wrong = barriers(page, part=part) + probe(page, "nameless") + probe(page, "outside")
        if page.evaluate(TOO_WIDE, part):
            wrong.append("wider than what it is in")
        found += [f"{width} px, {theme}: {what}" for what in wrong]
    tools.detach()
    return found


def states(page: Page, files: list[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Has the panel go through its states: what each is called, and the part of the page that shows it."""
    panel = page.locator(PANEL)
    pick(page, files)
    wait(page, "s.uploading?.phase === 'choosing' && s.leftOut?.refused.length")
    panel.get_by_role("button", name="More for").first.click()
    panel.get_by_label("End of sound 2, seconds").fill("0")
    yield "a recording to split, with a wrong number, and a file left out", PANEL
    panel.get_by_label("End of sound 2, seconds").fill("1.2")
    panel.get_by_role("button", name="Keep 3 sounds").click()
    wait(page, f"{ADAPTED} && s.check?.count === 5")
    panel.get_by_role("button", name="Bar 180 as A").click()
    wait(page, "s.a")
    panel.locator("summary", has_text="Hear what changed").click()
    panel.locator("summary", has_text="Make any sound more like yours").click()
    panel.get_by_role("slider", name="More of your sounds").press("End")
    wait(page, "s.amounts.common === 2")
    yield "adapted to, heard, and added to A", PANEL
    panel.locator("li[data-id]", has_text="Bar 180").locator(".sound").focus()
    panel.get_by_role("button", name="Pitch of Bar 180").click()
    panel.get_by_label("Pitch of Bar 180: a note or Hz").fill("loud")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("is no pitch").wait_for()
    yield "the pitch of one written", PANEL
    yield "what is wrong with it", NOTICE
    page.keyboard.press("Escape")
    panel.get_by_label("Folder to take in").fill(str(folder))
    page.keyboard.press("Enter")
    panel.get_by_text("torn.wav", exact=True).wait_for()
    panel.get_by_role("button", name="Choose several").click()
    panel.get_by_role("checkbox", name="Choose Bar 180").check()
    yield "several chosen, and a library folder", PANEL
    panel.get_by_label("Search your folders").fill("length:loud")
    page.locator("[aria-invalid=true]").wait_for()
    yield "a search that cannot be read", PANEL
    panel.get_by_role("button", name="Done").click()
    panel.get_by_role("button", name="Close your sounds").click()
    yield "both models, beside the map", SWITCH
    page.locator(".rail [data-panel=yours]").click()
    panel.get_by_role("button", name="Undo").click()
    wait(page, "s.adaptation.phase === 'offered'")
    yield "taken back", PANEL
    panel.get_by_role("button", name="Fine-tune on these 5 sounds").click()
    wait(page, "s.job?.curve.length > 1 && s.job.previews")
    yield "fine-tuning", PANEL
    page.wait_for_function("() => ['done', 'failed'].includes(window.sonifold.state().job.phase)")
    yield "fine-tuned", PANEL
    panel.get_by_role("link", name="Open the new model").click()
    wait(page, "s?.model?.kind === 'finetuned' && s.library")
    panel.get_by_role("button", name="Rename").first.click()
    panel.get_by_label("New name of").wait_for()
    yield "a model of one's own, being named", PANEL
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Delete").last.click()
    yield "asked whether to delete it", NOTICE


def test_axe_finds_no_barrier_in_any_state_of_yours(visit: Session, files: list[Path], folder: Path) -> None:
    visit.expected = ("Failed to load resource",)
    page = visit.open()
    page.emulate_media(reduced_motion="reduce")  # colours half way through a fade are not what one reads
    found = {name: everywhere(page, part) for name, part in states(page, files, folder)}
    remove_all(page)
    assert {name: what for name, what in found.items() if what} == {}
