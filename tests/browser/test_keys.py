"""By keys alone, and by what is said: the focus is never lost, one tab stop a list, everything has a key."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from sessions import PANELS, Session, pick_two, state, until, until_heard, until_said, until_silent, wait

FOCUS = "document.activeElement"


def test_the_end_key_leads_to_the_last_row_and_the_row_stays_when_it_is_scrolled_away(page: Page) -> None:
    page.keyboard.press("f")
    wait(page, f"{FOCUS}.type === 'search' && s.panel === 'library'")
    page.keyboard.press("ArrowDown")
    wait(page, f"{FOCUS}.closest('tr')?.ariaRowIndex === '2'")
    page.keyboard.press("End")
    wait(page, f"{FOCUS}.closest('tr')?.ariaRowIndex === String(s.library.count + 1)")
    page.locator(".tablewrap").evaluate("(wrap) => (wrap.scrollTop = 0)")
    wait(page, "document.querySelector('tr[aria-rowindex=\"2\"]')")
    assert page.evaluate(f"{FOCUS}.closest('tr').ariaRowIndex") == str(state(page, "l.count") + 1)
    page.keyboard.press("ArrowUp")
    wait(page, f"{FOCUS}.closest('tr')?.ariaRowIndex === String(s.library.count)")
    page.keyboard.press("b")
    wait(page, f"s.b !== null && {FOCUS}.closest('tr')?.querySelector('[data-end=b]').ariaPressed === 'true'")
    page.keyboard.press("Home")
    wait(page, f"{FOCUS}.closest('tr')?.ariaRowIndex === '2'")
    page.keyboard.press("ArrowRight")
    wait(page, f"{FOCUS}.dataset.act === 'save'")
    page.keyboard.press("ArrowRight")
    wait(page, f"{FOCUS}.dataset.end === 'a'")
    page.keyboard.press("Enter")
    wait(page, f"s.a !== null && {FOCUS}.dataset.end === 'a'")


def test_a_search_that_leaves_the_focused_row_out_does_not_lose_the_focus(page: Page) -> None:
    page.keyboard.press("f")
    page.keyboard.press("ArrowDown")
    wait(page, f"{FOCUS}.closest('tr')")
    page.evaluate("document.querySelector('.library input[type=search]').value = 'no such sound'")
    page.evaluate("document.querySelector('.library input[type=search]').dispatchEvent(new Event('input'))")
    wait(page, "s.query === 'no such sound'")
    until(page, f"() => {FOCUS} !== document.body")


def test_what_is_found_by_its_name_is_pointed_at_on_the_map(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("bass drum -soft")
    wait(page, "s.query === 'bass drum -soft'")
    page.keyboard.press("Enter")
    wait(page, f"{FOCUS}.id === 'surface' && s.pointed?.by === 'keys'")
    name = state(page, "l.name[s.pointed.sound]")
    assert "soft" not in name
    until_said(page, name)
    page.keyboard.press("Enter")
    until_heard(page)


def test_whoever_opens_a_panel_is_in_it_and_escape_leads_back(page: Page) -> None:
    for panel in PANELS:
        page.locator(f".rail [data-panel={panel}]").focus()
        page.keyboard.press("Enter")
        wait(page, f"{FOCUS}.dataset.for === '{panel}' || {FOCUS}.id === '{panel}'")
        page.keyboard.press("Tab")
        wait(page, f"{FOCUS}.closest('#sheet') !== null")
        page.keyboard.press("Escape")
        wait(page, f"s.panel === null && {FOCUS}.dataset.panel === '{panel}'")


def test_a_list_is_one_tab_stop(visit: Session) -> None:
    page = visit.open("/?panel=sample&seed=3&n=6&beside=off")
    wait(page, "s.drawing?.phase === 'ready'")
    page.locator(".find .sound").first.wait_for()
    expect(page.locator(".find :is(button, a)[tabindex='0']")).to_have_count(1)
    page.locator(".find .sound").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    wait(page, f"{FOCUS}.closest('li') === document.querySelectorAll('.find')[2]")
    wait(page, f"{FOCUS}.dataset.act === 'shape'")
    page.keyboard.press("Tab")
    wait(page, f"{FOCUS}.closest('.find') === null")
    page.keyboard.press("Shift+Tab")
    wait(page, f"{FOCUS}.closest('li') === document.querySelectorAll('.find')[2]")
    page.keyboard.press("End")
    wait(page, f"{FOCUS}.closest('li') === document.querySelectorAll('.find')[5]")


def test_walking_the_map_is_heard_when_one_wants_it(page: Page) -> None:
    page.get_by_role("button", name="Turn sound on").click()
    wait(page, "s.sound === 'on'")
    page.locator(".surface").focus()
    page.keyboard.press("ArrowRight")
    wait(page, "s.pointed?.by === 'keys'")
    page.wait_for_timeout(200)
    assert page.evaluate("window.sonifold.listen.level()") == 0
    page.keyboard.press("h")
    until_said(page, "Sounds play while you walk the map.")
    page.keyboard.press("ArrowRight")
    until_heard(page)
    page.keyboard.press("Escape")
    until_silent(page)


def test_the_map_can_be_walked_by_family_and_told(page: Page) -> None:
    page.locator(".surface").focus()
    families = []
    for _ in range(3):
        page.keyboard.press("PageDown")
        wait(page, f"s.pointed && !{families}.includes(s.library.family[s.pointed.sound])")
        families.append(state(page, "l.family[s.pointed.sound]"))
    page.keyboard.press("PageUp")
    wait(page, f"s.library.family[s.pointed.sound] === {families[1]}")
    page.keyboard.press("i")
    count = f"{state(page, 'l.count'):,}".replace(",", "\u202f")
    until_said(page, f"Map of {count} sounds, north is up:")


def test_a_morph_is_told_and_its_switches_are_announced(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    until_said(page, "in 17 steps.")
    for key, words in [
        ("l", "Loop on."),
        ("l", "Loop off."),
        ("g", "Glide."),
        ("g", "Steps."),
        ("2", "Direct, straight."),
    ]:
        page.keyboard.press(key)
        until_said(page, words)
    slider = page.get_by_role("slider", name="Place on the morph")
    slider.focus()
    page.keyboard.press("End")
    wait(page, "s.progress === 1")
    text = slider.get_attribute("aria-valuetext") or ""
    assert text.startswith("Step 17 of 17, ")
    known = state(page, "s.morph.paths.linear.on_land[16]")
    assert ("known sounds" if known else "guesswork") in text
    assert "brightness " in text
    page.locator(".surface").focus()
    page.keyboard.press("Home")
    wait(page, "s.library.id[s.pointed?.sound] === s.a.sound")
    page.keyboard.press("End")
    wait(page, "s.library.id[s.pointed?.sound] === s.b.sound")


def test_panels_have_keys(page: Page) -> None:
    for key, panel in [("y", "yours"), ("o", "combine"), ("p", "sample"), ("f", "library")]:
        page.keyboard.press(key)
        wait(page, f"s.panel === '{panel}' && {FOCUS}.closest('#sheet')")
        page.keyboard.press("Escape")
        wait(page, "s.panel === null")
