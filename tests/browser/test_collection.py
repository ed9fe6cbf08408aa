"""Folders of one's own: taken in where they lie, found as one writes, heard, and morphed with."""

from __future__ import annotations

import numpy as np
import soundfile
from playwright.sync_api import expect
from sessions import Session, state, wait

RATE = 44_100

#: Keys that are pressed faster than the list is drawn.
THREE_UP = """() => {
    for (let press = 0; press < 3; press++)
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp", bubbles: true}));
}"""
#: The list scrolled, and drawn again.
REDRAWN = """async (top) => {
    const rows = document.querySelector(".collection .rows");
    rows.scrollTop = top;
    rows.dispatchEvent(new Event("scroll"));
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""


def test_a_folder_is_taken_in_searched_heard_and_morphed_with(visit: Session, tmp_path) -> None:
    time_of = np.arange(RATE // 5) / RATE
    for number in range(120):
        tone = 0.5 * np.sin(2 * np.pi * (80 + 5 * number) * time_of) * np.exp(-20 * time_of)
        if number == 119:  # long enough to be seen playing on a busy machine
            tone = np.pad(tone, (0, 20 * RATE))
        soundfile.write(tmp_path / f"Kick {number:03d}.wav", np.stack([tone, tone], axis=1), RATE)
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    page = visit.open()
    page.keyboard.press("y")
    section = page.get_by_role("region", name="Library folders", exact=True)
    section.get_by_label("Folder to take in").fill(str(tmp_path))
    page.keyboard.press("Enter")
    section.get_by_text("121 files listed").wait_for(timeout=60_000)  # the analysis goes on behind

    search = section.get_by_label("Search your folders")
    search.fill("broken")
    expect(section.locator("li.find b")).to_have_text(["broken.wav"])
    search.fill("kick")
    expect(section.locator(".tally")).to_have_text("120 sounds")
    rows = section.locator("li.find")
    assert rows.count() < 40, "only those in sight are drawn"
    rows.first.locator("[data-act=play]").focus()
    page.keyboard.press("End")
    last = section.locator("li[aria-posinset='120']:not(.coming)")  # it is on a page that is fetched now
    expect(last.locator("[data-act=play]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(section.locator("li[aria-posinset='120']")).to_have_class("find sel")
    page.evaluate(THREE_UP)
    expect(section.locator("li[aria-posinset='117'] [data-act=play]")).to_be_focused()
    page.evaluate(REDRAWN, 0)
    expect(section.locator("li[aria-posinset='117'] [data-act=play]")).to_be_focused()
    expect(rows.locator("button[tabindex='0']")).to_have_count(1)

    rows.first.locator("[data-act=a]").hover()
    page.mouse.down()
    page.evaluate(REDRAWN, 0)
    page.mouse.up()
    wait(page, "s.a?.sound?.startsWith('u')")
    rows.nth(5).locator("[data-act=b]").click()
    wait(page, "s.b?.sound?.startsWith('u')")
    wait(page, "s.morph")
    assert state(page, "s.a.sound") != state(page, "s.b.sound")
    section.get_by_role("button", name="Pause").click()
    section.get_by_role("button", name="Go on").wait_for()
    section.get_by_role("button", name="Cancel", exact=True).click()
