"""Sounds of library folders on the map: pointed at, lit by a search, morphed with, selected; also without WebGL."""

from __future__ import annotations

import numpy as np
import soundfile
from playwright.sync_api import expect
from sessions import Session, state, wait

RATE = 44_100
#: Whether a point is painted on the plain canvas that takes WebGL's place.
PAINTED = """() => {
  const cloud = document.querySelector("canvas.cloud");
  const c = cloud.getContext("2d");
  return c !== null && c.getImageData(0, 0, cloud.width, cloud.height).data.some((value) => value > 0);
}"""
NO_WEBGL = """
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : getContext.call(this, kind, ...rest);
};
"""


def test_the_sounds_of_a_folder_stand_on_the_map(visit: Session, tmp_path) -> None:
    time_of = np.arange(RATE // 4) / RATE
    for number in range(12):
        tone = 0.5 * np.sin(2 * np.pi * (150 + 60 * number) * time_of) * np.exp(-15 * time_of)
        soundfile.write(tmp_path / f"Ping {number:02d}.wav", tone, RATE)
    page = visit.open()
    page.keyboard.press("y")
    section = page.get_by_role("region", name="Library folders", exact=True)
    section.get_by_label("Folder to take in").fill(str(tmp_path))
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.sonifold.state().cloud?.count >= 12", timeout=120_000)

    section.get_by_label("Search your folders").fill("ping")
    wait(page, "s.matches?.length === 12")
    row = state(page, "s.cloud.rowOf(s.matches[5])")
    at = page.evaluate("(row) => window.sonifold.locateRow(row)", row)
    page.mouse.move(*at)
    wait(page, "s.cloudPointed?.by === 'pointer'")
    expect(page.locator(".cloud-tip b")).to_contain_text("Ping")
    page.mouse.click(*at)
    wait(page, "s.a?.sound?.startsWith('u')")

    left, top, right, bottom = page.evaluate(
        "() => { const b = document.getElementById('map').getBoundingClientRect();"
        "return [b.left + 3, b.top + 3, b.right - 3, b.bottom - 3] }"
    )
    page.keyboard.down("Shift")
    page.mouse.move(left, top)  # its lower corner is round
    page.mouse.down()
    page.mouse.move(right, bottom, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    wait(page, "s.selection?.length === 12")
    expect(section.locator(".tally")).to_have_text("12 selected on the map.")
    expect(section.locator("li.find")).to_have_count(12)
    page.get_by_role("group", name="Selection").get_by_role("button", name="Clear").click()
    wait(page, "s.selection === null")

    section.get_by_role("radio", name="Folder").click()
    expect(section.locator(".cloud-key li").first).to_be_visible()
    page.add_init_script(NO_WEBGL)
    page.reload()
    wait(page, "s.cloud?.count >= 12")
    page.wait_for_function(PAINTED)

    page.set_viewport_size({"width": 400, "height": 860})
    page.keyboard.press("Escape")
    wait(page, "s.panel === null")
    page.mouse.move(*page.evaluate("(row) => window.sonifold.locateRow(row)", row))
    expect(page.locator(".cloud-tip .hint")).to_contain_text("morph")
    assert page.evaluate("document.querySelector('.cloud-tip').getBoundingClientRect().right") <= 400
