"""A visitor's own recordings: picked or dropped, split, corrected, heard, kept, gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page
from recordings import RATE, hit, pick, remove_all, wav
from sessions import Session, apart, locate, probe, state, until_heard, wait


@pytest.fixture
def hits(tmp_path: Path) -> list[Path]:
    paths = []
    for hertz in (70, 220, 660):
        path = tmp_path / f"Hit {hertz}.wav"
        path.write_bytes(wav(hit(hertz)))
        paths.append(path)
    return paths


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Three hits, a second apart, in one recording."""
    samples = np.zeros(int(3.4 * RATE))
    for nth, hertz in enumerate((80, 300, 900)):
        start = int((0.2 + nth) * RATE)
        samples[start : start + int(0.5 * RATE)] += hit(hertz)
    path = tmp_path / "take.wav"
    path.write_bytes(wav(samples))
    return path


def test_picked_files_are_on_the_map_and_can_be_travelled_from(page: Page, hits: list[Path]) -> None:
    before = state(page, "l.count")
    pick(page, hits)
    wait(page, f"s.library.count === {before + 3} && s.check?.count === 3")
    rows = page.locator(".panel:not([hidden]) li[data-id]")
    assert sorted(rows.locator("b").all_inner_texts()) == ["Hit 220", "Hit 660", "Hit 70"]
    assert page.locator(".summary").inner_text().startswith("3 sounds, ")
    rows.first.locator(".sound").click()
    until_heard(page)
    rows.nth(0).get_by_role("button", name="as A").click()
    rows.nth(1).get_by_role("button", name="as B").click()
    wait(page, "s.journey?.phase === 'ready'")
    assert state(page, "l.kindOf(l.indexOf(s.a.sound))") == "uploaded"
    remove_all(page)


def test_a_recording_is_split_and_what_is_chosen_is_kept(page: Page, take: Path) -> None:
    before = state(page, "l.count")
    pick(page, [take])
    wait(page, "s.uploading?.phase === 'choosing'")
    assert state(page, "s.uploading.cuts.map(({start}) => Math.round(10 * start) / 10)") == [0.2, 1.2, 2.2]
    page.get_by_role("button", name="Play take 2").click()
    until_heard(page)
    picture = page.locator(".recording").bounding_box()
    assert picture
    end = state(page, "s.uploading.cuts[2].end")
    x, y = picture["x"] + picture["width"] * end / 3.4, picture["y"] + picture["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 20, y, steps=3)
    page.mouse.up()
    moved = state(page, "s.uploading.cuts[2].end")
    assert moved == pytest.approx(end - 20 * 3.4 / picture["width"], abs=0.03)
    page.get_by_role("checkbox", name="Keep take 1").uncheck()
    page.get_by_label("Name of sound 2").fill("My snare")
    page.get_by_role("button", name="Keep 2 sounds").click()
    wait(page, f"s.library.count === {before + 2}")
    assert state(page, "l.name.slice(-2).sort()") == ["My snare", "take 3"]
    remove_all(page)


def test_a_dropped_file_is_taken_wherever_it_is_dropped(page: Page, hits: list[Path]) -> None:
    before = state(page, "l.count")
    page.evaluate(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "Dropped.wav", {type: "audio/wav"}));
            for (const type of ["dragover", "drop"])
                window.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        list(hits[0].read_bytes()),
    )
    wait(page, f"s.panel === 'yours' && s.library.count === {before + 1}")
    assert state(page, "l.name[l.count - 1]") == "Dropped"
    assert not page.locator(".veil").is_visible()
    remove_all(page)


def test_a_file_that_is_no_sound_is_explained(visit: Session, tmp_path: Path) -> None:
    visit.expected = ("Failed to load resource",)
    page = visit.open()
    path = tmp_path / "notes.wav"
    path.write_text("not a sound")
    pick(page, [path])
    notice = page.get_by_role("alert")
    notice.wait_for()
    assert "notes.wav" in notice.inner_text()
    wait(page, "s.uploading === null")


def test_an_upload_is_deleted_only_when_one_is_sure(page: Page, hits: list[Path]) -> None:
    before = state(page, "l.count")
    pick(page, hits[:1])
    wait(page, f"s.library.count === {before + 1}")
    row = page.locator(".panel:not([hidden]) li[data-id]")
    row.hover()
    row.get_by_role("button", name="Delete Hit 70").click()
    notice = page.get_by_role("alert")
    assert "cannot be brought back" in notice.inner_text()
    assert state(page, "l.count") == before + 1
    notice.get_by_role("button", name="Delete", exact=True).click()
    wait(page, f"s.library.count === {before}")


def test_own_sounds_by_keyboard(page: Page, hits: list[Path]) -> None:
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.a")
    page.locator(".rail [data-panel=yours]").focus()
    page.keyboard.press("Enter")
    picker = page.get_by_label("Sound files")
    picker.wait_for(state="attached")
    for _ in range(40):
        page.keyboard.press("Tab")
        if picker.evaluate("(e) => e === document.activeElement"):
            break
    else:
        pytest.fail("Tab never comes to the file picker")
    picker.set_input_files(hits[:1])
    wait(page, "s.check?.count === 1")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Hit 70 as B":
            break
    page.keyboard.press("Enter")
    wait(page, "s.b && s.journey?.phase === 'ready'")
    assert probe(page, "nameless") == []
    remove_all(page)


def test_learning_is_watched_found_again_after_a_reload_and_cancelled(page: Page, hits: list[Path]) -> None:
    pick(page, hits)
    wait(page, "s.check?.count === 3")
    page.get_by_role("button", name="Fine-tune on these 3 sounds").click()
    wait(page, "s.job?.progress")
    job = state(page, "s.job.id")
    meter = page.get_by_role("progressbar", name="Learning")
    assert 0 <= int(meter.get_attribute("aria-valuenow") or -1) <= 100
    page.goto(page.url)
    wait(page, f"s.job?.id === '{job}'")
    page.get_by_role("button", name="Cancel").click()
    wait(page, "['cancelled', 'done'].includes(s.job.phase)")
    if state(page, "s.job.phase") == "cancelled":  # else it was quicker than the click
        assert page.get_by_text("Nothing was changed.").is_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    assert page.get_by_role("button", name="Fine-tune on these 3 sounds").is_visible()
    remove_all(page)
