"""A visitor's own recordings: picked or dropped, split, corrected, heard, kept, gone."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from recordings import RATE, drop, hit, pick, remove_all, wav
from sessions import Session, apart, locate, probe, state, until_heard, wait

pytestmark = pytest.mark.long


AT_B = "document.activeElement.getAttribute('aria-label') === 'Hit 70 as B'"


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
    rows = page.locator(".panel:not([hidden]) li[data-id]:not(.finding *)")
    expect(rows).to_have_count(3)
    assert sorted(rows.locator("b").all_inner_texts()) == ["Hit 220", "Hit 660", "Hit 70"]
    expect(page.locator(".summary")).to_have_text(re.compile("^3 sounds, "))
    rows.first.locator(".sound").click()
    until_heard(page)
    rows.nth(0).get_by_role("button", name="as A").click()
    rows.nth(1).get_by_role("button", name="as B").click()
    wait(page, "s.morph?.phase === 'ready'")
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
    wait(page, f"s.uploading.cuts[2].end !== {end}")
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
    expect(page.locator(".veil")).to_be_hidden()
    remove_all(page)


def test_a_folder_as_samplers_leave_it_is_dropped_and_every_good_file_is_taken(
    visit: Session, tmp_path: Path
) -> None:
    visit.expected = ("Failed to load resource",)
    page = visit.open()
    before = state(page, "l.count")
    kit = tmp_path / "kit"
    deep = kit / "snares" / "deep"
    deep.mkdir(parents=True)
    for nth in range(3):
        (kit / f"Kick {nth}.wav").write_bytes(wav(hit(60 + 9 * nth, 0.2)))
        (deep / f"Snare {nth}.wav").write_bytes(wav(hit(200 + 31 * nth, 0.2)))
    for name in ("._Kick 0.wav", ".DS_Store", "Kick 0.asd", "notes.txt"):
        (kit / name).write_text("no sound")
    (kit / "broken.wav").write_text("no sound either")
    (kit / "room.wav").write_bytes(wav(np.zeros(RATE)))
    drop(page, [kit])
    wait(page, f"s.library.count === {before + 6} && s.uploading === null")
    assert state(page, "l.name.slice(-6).sort()") == [
        f"{drum} {nth}" for drum in ("Kick", "Snare") for nth in range(3)
    ]
    told = page.locator(".left-out")
    expect(told).to_contain_text("2 files were not taken")
    for name in ("broken.wav", "room.wav"):
        expect(told.get_by_role("listitem").filter(has_text=name)).to_have_count(1)
    expect(told).to_contain_text("4 files are no sounds and were left out")
    expect(told.get_by_role("button", name="again"), "it would not help").to_be_hidden()
    assert probe(page, "nameless") == []
    told.get_by_role("button", name="Dismiss what was left out").click()
    expect(told).to_be_hidden()
    remove_all(page)


def test_more_files_than_the_server_takes_at_once_are_sent_in_parts(page: Page, tmp_path: Path) -> None:
    before, most = state(page, "l.count"), state(page, "s.model.limits.upload_files")
    files = []
    for nth in range(most + 4):
        files.append(tmp_path / f"Tick {nth:02d}.wav")
        files[-1].write_bytes(wav(hit(300 + 40 * nth, 0.06)))
    pick(page, files)
    meter = page.get_by_role("progressbar", name="Files listened to")
    expect(meter).to_have_attribute("aria-valuemax", str(most + 4))
    wait(page, f"s.library.count === {before + most + 4}")
    remove_all(page)


def test_edits_of_a_split_survive_another_threshold_and_cuts_are_joined_added_and_halved(
    page: Page, take: Path
) -> None:
    before = state(page, "l.count")
    pick(page, [take])
    wait(page, "s.uploading?.phase === 'choosing'")
    page.get_by_label("Name of sound 1").fill("my tight kick")
    page.get_by_role("checkbox", name="Keep take 2").uncheck()
    finder = page.get_by_label("How many sounds to find")
    finder.focus()
    page.keyboard.press("End")
    wait(page, "s.uploading.threshold !== null && !s.uploading.finding")
    assert state(page, "s.uploading.cuts.filter(({name}) => name === 'my tight kick').length") == 1
    assert state(page, "s.uploading.cuts.filter(({on}) => !on).map(({name}) => name)") == ["take 2"]
    page.get_by_label("End of sound 1, seconds").fill("9")
    expect(page.get_by_text("The recording is 3.4 s long.")).to_be_visible()
    expect(page.get_by_role("button", name="has a wrong number")).to_be_disabled()
    page.get_by_label("End of sound 1, seconds").fill("0.5")
    count = state(page, "s.uploading.cuts.length")
    page.get_by_role("button", name="More for my tight kick").click()
    page.get_by_role("button", name="Join with the next").click()
    wait(page, f"s.uploading.cuts.length === {count - 1}")
    page.get_by_role("button", name="More for my tight kick").click()
    page.get_by_role("button", name="Cut in two").click()
    wait(page, f"s.uploading.cuts.length === {count}")
    page.get_by_role("button", name="Add a sound").click()
    wait(page, f"s.uploading.cuts.length === {count + 1}")
    assert probe(page, "nameless") == []
    page.get_by_role("button", name="None", exact=True).click()
    page.get_by_role("checkbox", name="Keep my tight kick", exact=True).check()
    page.get_by_role("button", name="Keep 1 sound").click()
    wait(page, f"s.library.count === {before + 1}")
    assert state(page, "l.name[l.count - 1]") == "my tight kick"
    remove_all(page)


def test_one_of_each_kind_is_chosen_from_a_loop(page: Page, tmp_path: Path) -> None:
    samples = np.zeros(int(5.2 * RATE))
    for nth in range(9):
        start = int((0.1 + 0.55 * nth) * RATE)
        samples[start : start + int(0.4 * RATE)] += hit((80, 300, 900)[nth % 3], 0.4) * (0.6 + 0.04 * nth)
    loop = tmp_path / "loop.wav"
    loop.write_bytes(wav(samples))
    pick(page, [loop])
    wait(page, "s.uploading?.phase === 'choosing'")
    assert state(page, "s.uploading.cuts.length") == 9
    page.get_by_role("button", name="One of each kind").click()
    wait(page, "s.uploading.cuts.filter(({on}) => on).length === 3")
    assert state(page, "s.uploading.cuts.map(({on}) => on).slice(0, 4)") == [True, True, True, False]
    page.get_by_role("button", name="Cancel").click()
    wait(page, "s.uploading === null")


def test_a_file_that_is_no_sound_is_explained(visit: Session, tmp_path: Path) -> None:
    visit.expected = ("Failed to load resource",)
    page = visit.open()
    path = tmp_path / "notes.wav"
    path.write_text("not a sound")
    pick(page, [path])
    told = page.locator(".left-out")
    told.wait_for()
    expect(told).to_contain_text("notes.wav could not be read")
    wait(page, "s.uploading === null")


def test_what_is_deleted_can_be_taken_back_also_after_a_reload(page: Page, hits: list[Path]) -> None:
    before = state(page, "l.count")
    pick(page, hits)
    wait(page, f"s.library.count === {before + 3} && s.check?.count === 3")
    ids = state(page, "l.id.slice(-3)")
    row = page.locator(".panel:not([hidden]) li[data-id]").first
    row.hover()
    row.get_by_role("button", name="Delete Hit").click()
    wait(page, f"s.library.count === {before + 2} && s.check?.count === 2")
    expect(page.get_by_role("alert").get_by_role("button", name="Undo")).to_be_visible()
    page.reload()
    wait(page, f"s.library?.count === {before + 2}")
    page.locator(".panel:not([hidden]) p", has_text="Deleted").get_by_role("button", name="Undo").click()
    wait(page, f"s.library.count === {before + 3}")
    assert state(page, "l.id.slice(-3)") == ids, "the very sounds, not new ones"
    remove_all(page)


def test_several_are_chosen_saved_and_deleted_together(page: Page, hits: list[Path], tmp_path: Path) -> None:
    before = state(page, "l.count")
    pick(page, hits)
    wait(page, f"s.library.count === {before + 3}")
    page.get_by_role("button", name="Choose several").click()
    page.get_by_label("Choose Hit 70").check()
    page.get_by_label("Choose Hit 660").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save 2").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["README.txt", "hit-660.wav", "hit-70.wav", "sounds.csv"]
    page.get_by_role("group", name="The chosen sounds").get_by_role("button", name="All").click()
    page.get_by_role("button", name="Delete 3").click()
    wait(page, f"s.library.count === {before} && s.deleted.length === 3")
    # the time to change one's mind is over: gone from the server too, at the next visit
    page.evaluate(
        """() => localStorage.setItem("sonifold:deleted", JSON.stringify(
            JSON.parse(localStorage.getItem("sonifold:deleted")).map((one) => ({...one, until: 0}))))"""
    )
    page.reload()
    wait(page, f"s.deleted.length === 0 && s.library?.count === {before}")
    origin = page.evaluate("location.origin")
    assert page.request.get(f"{origin}/api/v1/models/oneshots/sounds").json()["count"] == before


def test_several_are_chosen_by_keyboard(page: Page, hits: list[Path]) -> None:
    before = state(page, "l.count")
    pick(page, hits)
    wait(page, f"s.library.count === {before + 3} && s.check?.count === 3")
    page.get_by_role("button", name="Choose several").focus()
    page.keyboard.press("Enter")
    wait(page, "document.activeElement.textContent === 'All'")
    page.locator("li[data-id] input[type=checkbox]").first.focus()
    for key in ("Space", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Delete 2").focus()
    page.keyboard.press("Enter")
    wait(page, f"s.library.count === {before + 1}")
    remove_all(page)


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
    for key, there in (("Tab", "!!document.activeElement.closest('li[data-id]')"), ("ArrowRight", AT_B)):
        for _ in range(40):
            page.keyboard.press(key)
            if page.evaluate(there):
                break
        else:
            pytest.fail(f"{key} never comes to where {there}")
    page.keyboard.press("Enter")
    wait(page, "s.b && s.morph?.phase === 'ready'")
    assert probe(page, "nameless") == []
    remove_all(page)


def test_learning_is_watched_found_again_after_a_reload_and_cancelled(page: Page, hits: list[Path]) -> None:
    pick(page, hits)
    wait(page, "s.check?.count === 3")
    page.get_by_role("button", name="Fine-tune on these 3 sounds").click()
    wait(page, "s.job?.progress")
    job = state(page, "s.job.id")
    meter = page.get_by_role("progressbar", name="Fine-tuning")
    assert 0 <= int(meter.get_attribute("aria-valuenow") or -1) <= 100
    page.goto(page.url)
    wait(page, f"s.job?.id === '{job}'")
    page.get_by_role("button", name="Cancel").click()
    wait(page, "['cancelled', 'done'].includes(s.job.phase)")
    if state(page, "s.job.phase") == "cancelled":  # else it was quicker than the click
        expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("button", name="Fine-tune on these 3 sounds")).to_be_visible()
    remove_all(page)
