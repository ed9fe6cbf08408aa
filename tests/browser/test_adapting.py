"""Own sounds change the model at once; heard before and after, and taken back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from recordings import hit, pick, remove_all, wav
from sessions import (
    ADAPTED,
    Session,
    apart,
    locate,
    pick_two,
    probe,
    state,
    tab_to,
    until,
    until_heard,
    until_morph_after,
    until_said,
    until_silent,
    wait,
)

pytestmark = pytest.mark.long

WAY = "s.morph?.phase === 'ready'"


def url(page: Page, path: str = "geodesic") -> str:
    """The address of what a way sounds like: the hash of the recording."""
    found: str = state(page, f"s.morph.paths.{path}.audio.url")
    return found


def test_uploads_are_taken_in_at_once_heard_before_and_after_and_taken_back(
    page: Page, bars: list[Path]
) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    untouched, ends, first = url(page), state(page, "[s.a.sound, s.b.sound]"), state(page, "l.position(0)")
    pick(page, bars)
    wait(page, f"{ADAPTED} && {WAY} && s.morph.key.endsWith(s.adaptation.result)")
    expect(page.locator(".adapted [role=status]")).to_contain_text("expect")
    after = url(page)
    assert after != untouched
    assert state(page, "[s.a.sound, s.b.sound]") == ends
    assert state(page, "l.position(0)") == first  # the map stays
    page.get_by_role("button", name="Play the morph").click()
    until_heard(page)
    page.locator(".map").get_by_role("radio", name="Original model").click()
    wait(page, f"s.hear === 'before' && {WAY} && !s.morph.key.endsWith(s.adaptation.result)")
    assert url(page) == untouched
    until_heard(page)
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    wait(page, f"s.hear === 'after' && {WAY} && s.morph.key.endsWith(s.adaptation.result)")
    assert url(page) == after
    until_said(page, "With your sounds")
    key = state(page, "s.morph.key")
    page.get_by_role("button", name="Undo").click()
    wait(page, "s.hear === null && s.adaptation.phase === 'offered'")
    until_morph_after(page, key)
    assert url(page) == untouched
    expect(page.locator(".map .hear")).to_be_hidden()
    wait(page, "!location.search.includes('hear')")
    page.goto(page.url)
    wait(page, f"s.adaptation?.phase === 'offered' && {WAY}")  # it stays undone
    page.get_by_role("button", name="Adapt to your 4 sounds").click()
    wait(page, f"{ADAPTED} && {WAY} && s.morph.key.endsWith(s.adaptation.result)")
    assert url(page) == after
    remove_all(page)


def test_before_after_and_the_original_are_heard_side_by_side(page: Page, bars: list[Path]) -> None:
    pick(page, bars)
    wait(page, ADAPTED)
    page.locator("summary", has_text="Hear what changed").click()
    for take in ("Original model", "With your sounds", "Your recording"):
        page.locator(".adapted").get_by_role("button", name=f"Play: {take}").click()
        until_heard(page)
        page.keyboard.press("Escape")
        until_silent(page)
        page.locator(".rail [data-panel=yours]").click()
    page.get_by_label("The sound to compare").select_option("Bar 262")
    page.locator(".adapted").get_by_role("button", name="Play: With your sounds").click()
    until_heard(page)
    remove_all(page)


def test_more_of_ones_own_sounds_by_keyboard_and_after_a_reload(page: Page, bars: list[Path]) -> None:
    pick(page, bars)
    wait(page, ADAPTED)
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.a")
    page.keyboard.press("Escape")
    until_silent(page)
    if (
        state(page, "s.panel") != "yours"
    ):  # Escape silences first what already sounds, and closes the panel otherwise
        page.locator(".rail [data-panel=yours]").focus()
        page.keyboard.press("Enter")
    tab_to(page, page.locator(".adapted summary", has_text="Hear what changed"))
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".adapted").get_by_role("radio", name="With your sounds"))
    page.keyboard.press("ArrowLeft")
    wait(page, "s.hear === 'before'")
    page.keyboard.press("ArrowRight")
    wait(page, "s.hear === 'after'")
    slider = page.get_by_role("slider", name="More of your sounds")
    tab_to(page, page.locator(".amounts summary"))
    page.keyboard.press("Enter")
    tab_to(page, slider)
    page.keyboard.press("End")
    wait(page, "s.amounts.common === 2")
    until_heard(page)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("1 is as much as your sounds have"))
    wait(page, "location.search.includes('more=common.2') && location.search.includes('hear=after')")
    assert probe(page, "nameless") == []
    page.goto(page.url)
    wait(page, f"{ADAPTED} && s.amounts.common === 2")
    slider.wait_for()
    expect(slider).to_have_value("2")
    page.locator(".amounts").get_by_role("button", name="Play").click()
    until_heard(page)
    page.get_by_role("button", name="Reset").click()
    wait(page, "!('common' in s.amounts)")
    remove_all(page)


def test_a_pitch_is_corrected(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "Hit.wav"
    path.write_bytes(wav(hit(220)))
    pick(page, [path])
    wait(page, "s.check?.count === 1")
    wait(page, ADAPTED)  # what is told of it moves the list
    own = "l.pitch[l.kind.indexOf('uploaded')]"
    row = page.locator(".panel:not([hidden]) li[data-id]:not(.finding *)")
    for written, hertz in (("C4", 261.63), ("61.7 Hz", 61.7)):
        row.locator(".sound").focus()
        row.get_by_role("button", name="Pitch of Hit").click()
        field = page.get_by_label("Pitch of Hit: a note or Hz")
        field.fill(written)
        field.press("Enter")
        until(
            page,
            f"() => {{ const l = window.sonifold.state().library; return Math.abs({own} - {hertz}) < 0.1 }}",
        )
    expect(row).to_contain_text("B1")
    row.locator(".sound").focus()
    row.get_by_role("button", name="Pitch of Hit").click()
    field.fill("loud")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is no pitch")
    row.get_by_role("button", name="None").click()
    until(page, f"() => {{ const l = window.sonifold.state().library; return {own} === null }}")
    page.goto(page.url)
    wait(page, "s.library?.kind.includes('uploaded')")
    assert state(page, own) is None
    remove_all(page)


def test_an_earlier_adaptation_is_listed_with_its_size_and_can_be_deleted(
    visit: Session, bars: list[Path]
) -> None:
    page = visit.open()
    base = f"{visit.address}/api/v1/models/{state(page, 's.model.id')}"
    files = [{"name": path.name, "mimeType": "audio/wav", "buffer": path.read_bytes()} for path in bars[:2]]
    ids = [
        page.request.post(f"{base}/sounds", multipart={"files": file}).json()["sounds"][0]["id"]
        for file in files
    ]
    adaptation = page.request.post(f"{base}/adaptations", data={"sounds": ids}).json()
    for id in ids:
        page.request.delete(f"{base}/sounds/{id}")
    page.reload()
    wait(page, f"s?.models?.some(({{id}}) => id === '{adaptation['result']}') && s.library")
    page.locator(".rail [data-panel=yours]").click()
    row = page.locator(f"[data-model='{adaptation['result']}']")
    expect(row).to_contain_text(f"{-(-adaptation['bytes'] // 1024)} kB")
    row.get_by_role("button", name=f"Delete {adaptation['title']}").click()
    page.get_by_role("alert").get_by_role("button", name="Delete", exact=True).click()
    wait(page, f"!s.models.some(({{id}}) => id === '{adaptation['result']}')")
    assert page.request.get(f"{base}/adaptations").json()["adaptations"] == []


def test_a_file_that_is_no_model_is_explained(visit: Session, tmp_path: Path) -> None:
    visit.expected = ("Failed to load resource",)
    page = visit.open()
    before = state(page, "s.models.length")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["no zip"], "kit.sonifold.zip", {type: "application/zip"}));
            for (const type of ["dragover", "drop"])
                window.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        }"""
    )
    notice = page.get_by_role("alert")
    notice.wait_for()
    expect(notice).to_have_text(re.compile(r"\w"))
    assert state(page, "[s.models.length, s.uploading]") == [before, None]
