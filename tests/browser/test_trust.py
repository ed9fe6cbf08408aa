"""What the page says is what it shows; nothing is filtered, lost or moved without a word."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sessions import (
    Session,
    apart,
    locate,
    loudest,
    pick_two,
    probe,
    state,
    until,
    until_heard,
    until_said,
    wait,
)

pytestmark = pytest.mark.long


def test_guesswork_stands_beside_every_length(page: Page) -> None:
    pick_two(page)
    wait(page, "s.morph.paths.retimed")
    for kind in ("geodesic", "linear", "retimed"):
        length, guesswork = state(page, f"[s.morph.paths.{kind}.length, s.morph.paths.{kind}.guesswork]")
        key = page.locator(f".path[data-value={kind}]")
        expect(key).to_contain_text(f"{length:.1f}")
        expect(key).to_contain_text("under 1 %" if 0 < guesswork < 0.005 else f"{100 * guesswork:.0f} %")
    curved, direct = state(page, "['geodesic', 'linear'].map((kind) => s.morph.paths[kind].length)")
    heading = page.locator(".head p:not(.others)")
    expect(heading).to_contain_text("The curved")
    assert ("short" in heading.inner_text()) == (curved < 0.98 * direct)


def test_a_filter_is_seen_and_cleared_outside_the_library(page: Page) -> None:
    page.locator(".rail [data-panel=library]").click()
    page.get_by_role("searchbox").fill("kick")
    page.keyboard.press("Escape")
    wait(page, "s.panel === null")
    chip = page.get_by_role("group", name="Filter")
    chip.get_by_text("“kick”").wait_for()
    page.locator(".legend").get_by_role("button", name="Snare").click()
    chip.get_by_text("No sound fits “kick”, Snare").wait_for()
    chip.get_by_role("button", name="Show all").click()
    wait(page, "s.query === '' && s.families.length === 0")
    expect(chip).to_be_hidden()
    expect(page.locator("#surface")).to_be_focused()


def test_what_was_made_in_a_visit_is_there_after_a_reload(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    wait(page, "s.newSounds.length === 1")
    page.locator(".surface").focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        page.keyboard.press("m")
    wait(page, "s.marked.length >= 2")
    page.keyboard.press("v")
    wait(page, "s.newSounds.length === 2")
    names = state(page, "s.newSounds.map(({name}) => name)")
    wait(page, "location.search.includes('op=mean')")
    page.goto(page.url)
    wait(page, "s?.newSounds.length === 2 && s.working === null")
    assert state(page, "s.newSounds.map(({name}) => name)") == names
    page.locator(".rail [data-panel=combine]").click()
    page.locator(".find .sound").last.click()
    until_heard(page)


def test_a_renamed_sound_stays_in_sight_and_keeps_the_focus(visit: Session) -> None:
    page = visit.open("/?panel=sample&seed=8&n=1&beside=off")
    wait(page, "s.drawing?.phase === 'ready'")
    row = page.locator(".panel:not([hidden]) .find").first
    row.hover()
    row.get_by_role("button", name="Keep in the library").click()
    page.get_by_role("alert").get_by_role("button", name="Rename").click()
    for name in ("Zzz last", "Aaa first"):
        page.get_by_role("textbox", name="New name of").fill(name)
        page.keyboard.press("Enter")
        until(page, "(name) => document.activeElement?.textContent === name", arg=name)
        until(
            page,
            """() => {
                const row = document.activeElement.closest("tr[data-sound]")?.getBoundingClientRect();
                const frame = document.querySelector(".tablewrap").getBoundingClientRect();
                const middle = row && (row.top + row.bottom) / 2;
                return frame.top < middle && middle < frame.bottom;
            }""",
        )
        page.keyboard.press("F2")
        until(page, "() => document.activeElement?.matches('input')")
    page.keyboard.press("Escape")
    until(page, "() => document.activeElement?.textContent === 'Aaa first'")
    page.keyboard.press("Delete")
    until(page, "() => document.activeElement?.closest('tr[data-sound]')")


def test_another_window_sees_what_came_and_what_went(visit: Session) -> None:
    page = visit.open("/?panel=sample&seed=9&n=1&beside=off")
    wait(page, "s.drawing?.phase === 'ready'")
    beside = page.context.new_page()
    beside.goto(page.url.split("?")[0])
    wait(beside, "s?.library")
    elsewhere = visit.open()  # another browser: it hears nothing, and looks when one comes back to it
    count = state(page, "l.count")
    row = page.locator(".panel:not([hidden]) .find").first
    row.hover()
    row.get_by_role("button", name="Keep in the library").click()
    wait(beside, f"s.library.count === {count + 1}")
    elsewhere.evaluate("window.dispatchEvent(new Event('focus'))")
    wait(elsewhere, f"s.library.count === {count + 1}")
    kept = state(page, "Object.values(s.storedAs)[0]")
    beside.goto(f"{page.url.split('?')[0]}?a={kept}")
    wait(beside, f"s?.a?.sound === '{kept}'")
    page.evaluate("(id) => fetch(`api/v1/models/oneshots/sounds/${id}`, {method: 'DELETE'})", kept)
    beside.evaluate("window.dispatchEvent(new Event('focus'))")
    wait(beside, f"s.library.count === {count} && s.a === null")


def test_the_map_stays_under_the_pointer_when_an_end_is_picked(page: Page) -> None:
    first, second = apart(page)
    before = [locate(page, sound) for sound in (first, second)]
    page.mouse.click(*before[0])
    wait(page, "s.a")
    page.mouse.click(*before[1])
    wait(page, "s.b && s.morph?.phase === 'ready'")
    assert state(page, "[l.indexOf(s.a.sound), l.indexOf(s.b.sound)]") == [first, second]
    assert [locate(page, sound) for sound in (first, second)] == before


def test_a_click_on_nothing_is_answered(page: Page) -> None:
    page.mouse.click(*probe(page, "empty"))
    page.get_by_text("No sound here.").wait_for()


def test_whoever_points_before_sound_is_on_is_told_how_to_hear(page: Page) -> None:
    sound = apart(page)[0]
    page.mouse.move(*locate(page, sound))
    page.locator(".tip", has_text="click once to hear").wait_for()
    page.mouse.click(*locate(page, sound))
    wait(page, "s.sound === 'on'")
    page.mouse.move(*probe(page, "empty"))
    page.mouse.move(*locate(page, apart(page)[1]))
    page.locator(".tip", has_text="morph to here").wait_for()


def test_the_slider_is_there_only_where_it_means_something(page: Page) -> None:
    pick_two(page)
    page.locator(".weight").wait_for()
    page.get_by_role("button", name="How the path is chosen").click()
    for name in ("By ear only", "By known sounds only", "Plain, as a control"):
        page.get_by_role("radio", name=name).check()
        page.locator(".weight").wait_for(state="hidden")
    page.get_by_role("radio", name="By ear, near known sounds").check()
    page.locator(".weight").wait_for()


def test_a_sliders_number_is_the_same_before_and_after_it_was_touched(page: Page) -> None:
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.a")
    page.locator(".rail [data-panel=shape]").click()
    for name in ("brightness", "noisiness", "inharmonicity"):
        output = page.locator(f"[data-descriptor={name}] output")
        until(
            page,
            "(name) => document.querySelector(`[data-descriptor=${name}] output`)?.textContent",
            arg=name,
        )
        resting = output.inner_text()
        slider = page.get_by_role("slider", name=name.capitalize())
        slider.focus()
        page.keyboard.press("ArrowRight")
        wait(page, f"s.traversal?.descriptor === '{name}' && s.traversal.phase === 'ready'")
        page.locator(f"[data-descriptor={name}]").dblclick(position={"x": 4, "y": 4})
        wait(page, "s.traversal.at === s.traversal.reply.origin")
        expect(output).to_have_text(resting)


def test_the_volume_is_heard_and_kept(page: Page) -> None:
    page.get_by_role("button", name="Sound and volume").click()
    page.get_by_role("slider", name="Volume").fill("0")
    page.keyboard.press("Escape")
    pick_two(page)
    wait(page, "s.playing")
    assert loudest(page, 300) < 1e-6
    page.goto(page.url.split("?")[0])
    wait(page, "s?.volume === 0 && s.library")
    page.get_by_role("button", name="Sound and volume").click()
    page.get_by_role("slider", name="Volume").fill("100")
    page.keyboard.press("Escape")
    page.locator(".trip").first.click()
    until_heard(page)


def test_nothing_is_said_over_the_music_but_its_start_and_its_end(page: Page) -> None:
    page.evaluate(
        """() => {
            window.said = [];
            for (const region of document.querySelectorAll("[aria-live], [role=status], [role=alert]"))
                new MutationObserver(() => window.said.push(region.textContent))
                    .observe(region, {childList: true, characterData: true, subtree: true});
        }"""
    )
    pick_two(page)
    wait(page, "s.playing")
    until_said(page, "Playing 17 steps.")
    page.evaluate("window.said.length = 0")
    wait(page, "s.progress > 0.25")
    assert page.evaluate("window.said") == []
    page.keyboard.press(" ")
    until_said(page, "Stopped at step")
