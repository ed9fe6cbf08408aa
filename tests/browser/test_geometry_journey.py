"""The geometry on the page, as a visitor uses it: every operation once by mouse and once by keyboard."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sessions import (
    PANELS,
    Session,
    apart,
    locate,
    pick_two,
    probe,
    state,
    tab_to,
    until,
    until_heard,
    until_said,
    until_silent,
    wait,
)

pytestmark = pytest.mark.long


def shift_click(page: Page, sound: int) -> None:
    page.keyboard.down("Shift")
    page.mouse.click(*locate(page, sound))
    page.keyboard.up("Shift")


def shown(page: Page) -> tuple[float, float]:
    """Where the newest result is on the screen: two library sounds say how the map lies."""
    x, y = page.evaluate(
        """() => {
            const {library: l, newSounds} = window.sonifold.state(), [x, y] = newSounds.at(-1).position;
            const far = [...l.x.keys()].reduce((best, i) => (l.x[i] > l.x[best] ? i : best), 0);
            const [p, q] = [0, far].map(window.sonifold.locate), scale = (q[0] - p[0]) / (l.x[far] - l.x[0]);
            return [p[0] + (x - l.x[0]) * scale, p[1] - (y - l.y[0]) * scale];
        }"""
    )
    return x, y


def walk_to(page: Page, key: str, times: int) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def lengths(page: Page) -> list[float]:
    found: list[float] = state(page, "['geodesic', 'linear'].map((k) => s.morph.paths[k].length)")
    return found


# -- the metric --------------------------------------------------------------------------------


def test_another_metric_is_another_way_and_the_straight_line_stays(page: Page) -> None:
    pick_two(page)
    before, line = lengths(page)
    drawn = page.locator(".over .bent").inner_html()
    page.get_by_role("button", name="How the path is chosen").click()
    page.get_by_role("radio", name="By known sounds only").check()
    wait(page, "s.metric === 'kernel' && s.morph?.phase === 'ready' && s.morph.key.endsWith('kernel')")
    after, same = lengths(page)
    assert same == line
    assert after != before
    until(page, "(drawn) => document.querySelector('.over .bent').innerHTML !== drawn", arg=drawn)
    expect(page.locator(".path.geo b")).to_have_text(f"{after:.1f}")
    expect(page.locator(".weight"), "the slider means nothing there").to_be_hidden()
    wait(page, "location.search.includes('metric=kernel')")
    page.keyboard.press("Escape")
    expect(page.locator("#lens")).to_be_hidden()


def test_the_metric_by_keyboard(page: Page) -> None:
    pick_two(page)
    tab_to(page, page.locator("button.lens"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("radio", name="By ear, near known sounds"))
    page.keyboard.press("ArrowDown")
    wait(page, "s.metric === 'pullback' && s.morph?.phase === 'ready'")
    until_said(page, "By ear only")
    page.keyboard.press("Escape")
    expect(page.locator("button.lens")).to_be_focused()


def test_ellipses_lie_on_the_land_when_asked_for(page: Page) -> None:
    pick_two(page)
    page.locator("button.lens").click()
    page.get_by_role("checkbox", name="Show ellipses of equal perceptual change").check()
    wait(page, "s.indicatrices.length > 20")
    until(page, "() => document.querySelectorAll('.over .ellipses path').length > 20")
    first = state(page, "s.indicatrices.map(({outline}) => outline[0])")
    page.get_by_role("radio", name="Plain, as a control").check()
    until(
        page,
        "(old) => JSON.stringify(window.sonifold.state().indicatrices.map(({outline}) => outline[0])) !== old",
        arg=str(first).replace(" ", ""),
    )
    page.get_by_role("checkbox", name="Show ellipses of equal perceptual change").uncheck()
    until(page, "() => document.querySelectorAll('.over .ellipses path').length === 0")


def test_what_changes_on_the_way_is_drawn_over_the_same_axis(page: Page) -> None:
    pick_two(page)
    page.locator("button.lens").click()
    page.get_by_label("Curve under the pictures").select_option("brightness")
    expect(page.locator(".speed canvas")).to_have_attribute(
        "aria-label", re.compile(r"^Brightness\..*curved: ")
    )
    wait(page, "s.morph.paths.geodesic.descriptors?.brightness?.length === 17")


# -- operations --------------------------------------------------------------------------------


def test_the_average_of_marked_sounds_by_mouse(page: Page) -> None:
    for sound in apart(page, 3):
        shift_click(page, sound)
    wait(page, "s.marked.length === 3")
    expect(page.locator(".over .finds .letter")).to_have_text(["1", "2", "3"])
    page.get_by_role("button", name="Average of these").click()
    wait(page, "s.newSounds.length === 1")
    until_heard(page)
    expect(page.locator(".over .courses path")).to_have_count(6)  # a halo and a line for each spoke
    spokes = state(page, "s.newSounds[0].courses.map(({line}) => line[line.length - 1])")
    marked = state(page, "s.marked.map(({sound}) => l.position(l.indexOf(sound)))")
    extent = state(page, "l.bounds()[1] - l.bounds()[0]")
    for (x, y), (u, v) in zip(spokes, marked, strict=True):
        assert abs(x - u) + abs(y - v) < 0.15 * extent, "each spoke leads to its sound"
    page.mouse.click(*shown(page))
    wait(page, "s.a?.code === s.newSounds[0].code")  # it can be an end like any other
    until_heard(page)


def test_the_average_of_marked_sounds_by_keyboard(page: Page) -> None:
    page.locator(".surface").focus()
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp"):
        walk_to(page, key, 3)
        page.keyboard.press("m")
    wait(page, "s.marked.length >= 2")
    until_said(page, "Marked: ")
    marked = state(page, "s.marked.length")
    page.keyboard.press("v")
    wait(page, "s.newSounds.length === 1")
    until_heard(page)
    until_said(page, f"Average of {marked}: ")
    page.keyboard.press("m")
    wait(page, f"s.marked.length === {marked - 1}")
    assert state(page, "s.operation") is None, "the average is of other sounds now"


def test_beyond_b_says_where_it_left_the_data(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    page.locator(".rail [data-panel=combine]").click()
    far = page.get_by_role("slider", name="Overshoot")
    far.fill("3")
    page.get_by_role("button", name="Go beyond B").click()
    wait(page, "s.newSounds.length === 1")
    until_heard(page)
    row = page.locator(".panel:not([hidden]) .find")
    expect(row.locator(".what b")).to_have_text(re.compile("^Beyond "))
    expect(row.locator(".note")).to_have_text(state(page, "s.newSounds[0].notes"))
    notes = " ".join(state(page, "s.newSounds[0].notes"))
    guesses = state(page, "s.newSounds[0].courses.filter(({guess}) => guess).length")
    assert ("left the data at t = " in notes) or guesses == 0
    x, y = state(page, "s.newSounds[0].courses[0].line[0]")
    u, v = state(page, "l.position(l.indexOf(s.b.sound))")
    extent = state(page, "l.bounds()[1] - l.bounds()[0]")
    assert abs(x - u) + abs(y - v) < 0.15 * extent, "it goes on from B"
    wait(page, "location.search.includes('op=beyond') && location.search.includes('to=3')")


def test_beyond_b_by_keyboard(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("x")
    wait(page, "s.newSounds[0]?.kind === 'beyond'")
    page.locator(".rail [data-panel=combine]").focus()
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".find .sound").first)
    wait(page, "s.pointed?.newSound === s.newSounds[0]")
    until_heard(page)
    page.keyboard.press("b")
    wait(page, "s.b?.code === s.newSounds[0].code && s.morph?.phase === 'ready'")


def test_an_analogy_by_mouse_and_by_keyboard(page: Page) -> None:
    first, second, third = apart(page, 3)
    for sound in (first, second):
        page.mouse.click(*locate(page, sound))
    wait(page, "s.morph?.phase === 'ready'")
    page.keyboard.press("Escape")
    shift_click(page, third)
    page.get_by_role("button", name="A is to B as this is to").click()
    wait(page, "s.newSounds[0]?.kind === 'analogy'")
    until_heard(page)
    x, y = state(page, "s.newSounds[0].courses[0].line[0]")
    u, v = state(page, f"l.position({third})")
    assert abs(x - u) + abs(y - v) < 0.15 * state(page, "l.bounds()[1] - l.bounds()[0]")
    page.keyboard.press("Escape")
    until_silent(page)
    page.keyboard.press("n")
    until_heard(page)  # the same again is heard again
    assert state(page, "s.newSounds.length") == 1


def test_what_an_operation_lacks_is_said(page: Page) -> None:
    page.keyboard.press("v")
    page.get_by_role("alert").get_by_text("Mark two sounds or more").wait_for()
    wait(page, "s.panel === 'combine'")


def test_an_operation_is_a_link(visit: Session) -> None:
    page = visit.open()
    first, second = (state(page, f"l.id[{i}]") for i in apart(page))
    other = visit.open(f"/?marked={first}!{second}&op=mean&panel=combine")
    wait(other, "s.newSounds.length === 1")
    other.locator(".find .what b", has_text="Average of 2").wait_for()


# -- samples -----------------------------------------------------------------------------------


def test_new_sounds_are_drawn_beside_the_priors_and_the_mixtures(page: Page, tmp_path: Path) -> None:
    page.locator(".rail [data-panel=sample]").click()
    page.get_by_label("How many").fill("8")
    page.get_by_role("button", name="Make 8 sounds").click()
    wait(page, "s.drawing?.phase === 'ready'")
    assert state(page, "s.drawing.draws.map(({samples}) => samples.length)") == [8, 8, 8]
    assert state(page, "s.drawing.draws.map(({samples}) => samples[0].shape)") == [
        "ring",
        "triangle",
        "square",
    ]
    until(page, "() => document.querySelectorAll('.over .finds path').length === 2 * 24")
    outcome = page.locator(".outcome")
    among = state(page, "s.drawing.draws[0].samples.filter(({inDistribution}) => inDistribution).length")
    expect(outcome).to_contain_text(
        "All 8 lie among" if among == 8 else f"{among} of 8" if among else "None of the 8"
    )
    rows = page.locator(".panel:not([hidden]) .find")
    different = state(page, "new Set(s.drawing.draws[0].samples.map(({code}) => code)).size")
    expect(rows).to_have_count(different)
    if different < 8:
        expect(outcome).to_contain_text(f"Only {different} of them differ.")
    rows.nth(2).hover()
    wait(page, "s.pointed?.newSound === s.drawing.draws[0].samples[2]")
    rows.nth(2).locator(".sound").click()
    until_heard(page)
    with page.expect_download() as download:
        rows.nth(2).get_by_role("button", name="Save as WAV").click()
    download.value.save_as(tmp_path / "sample.wav")
    with wave.open(str(tmp_path / "sample.wav")) as sound:
        assert sound.getframerate() == state(page, "s.model.sample_rate")
        assert sound.getnframes() == state(page, "s.model.sound_samples")


def test_a_seed_draws_the_same_sounds_again(visit: Session) -> None:
    drawn = []
    for _ in range(2):
        page = visit.open("/?panel=sample&seed=4711&n=4&sampler=mixture&temp=0.8&beside=off")
        wait(page, "s.drawing?.phase === 'ready'")
        drawn.append(state(page, "s.drawing.draws[0].samples.map(({code}) => code)"))
        expect(page.get_by_label("Seed")).to_have_value("4711")
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 4


def test_new_sounds_by_keyboard(page: Page) -> None:
    page.locator(".rail [data-panel=sample]").focus()
    page.keyboard.press("Enter")
    page.locator(".panel:not([hidden]) .pick input").first.wait_for()
    tab_to(page, page.locator("input[name=sampler]:checked"))
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    wait(page, "s.sampler === 'mixture'")
    tab_to(page, page.get_by_role("button", name="Make 16 sounds"))
    page.keyboard.press("Enter")
    wait(page, "s.drawing?.phase === 'ready'")
    tab_to(page, page.locator(".panel:not([hidden]) .find .sound").first)
    wait(page, "s.pointed?.newSound === s.drawing.draws[0].samples[0]")
    page.keyboard.press("ArrowDown")
    wait(page, "s.pointed?.newSound === s.drawing.draws[0].samples[1]")
    page.keyboard.press("a")
    wait(page, "s.a?.code === s.drawing.draws[0].samples[1].code")
    until_heard(page)


# -- kept sounds -------------------------------------------------------------------------------


def test_a_sound_is_kept_renamed_deleted_and_brought_back(visit: Session) -> None:
    page = visit.open("/?panel=sample&seed=5&n=3&beside=off")
    wait(page, "s.drawing?.phase === 'ready'")
    before = state(page, "l.count")
    row = page.locator(".panel:not([hidden]) .find").first
    row.hover()
    row.get_by_role("button", name="Keep in the library").click()
    wait(page, f"s.library.count === {before + 1}")
    expect(row.get_by_role("img", name="In the library")).to_be_visible()
    page.get_by_role("alert").get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="New name of").fill("My own kick")
    page.keyboard.press("Enter")
    wait(page, "s.library.name.includes('My own kick')")

    again = visit.open("/?panel=library&q=made")  # it is there after a reload, for everyone
    own = again.locator("tr[data-sound]", has_text="My own kick")
    own.wait_for()
    own.get_by_role("button", name="My own kick as A").click()
    wait(again, "s.a && s.library.kindOf(s.library.indexOf(s.a.sound)) === 'made'")
    loudest = again.evaluate(
        """async () => {
            const {model, a} = window.sonifold.state();
            const reply = await fetch(`api/v1/models/${model.id}/sounds/${a.sound}/audio?format=wav`);
            const samples = new Int16Array((await reply.arrayBuffer()).slice(44));
            return samples.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        }"""
    )
    assert loudest > 1000, "it can be heard"
    own.get_by_role("button", name="Delete My own kick").click()
    wait(again, f"s.library.count === {before} && s.a === null")
    again.get_by_role("alert").get_by_role("button", name="Undo").click()
    wait(again, f"s.library.count === {before + 1}")
    own.locator(".sound").focus()
    again.keyboard.press("Delete")
    wait(again, f"s.library.count === {before}")


# -- named sliders -----------------------------------------------------------------------------


def test_a_slider_is_heard_while_it_is_pulled(page: Page) -> None:
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.a")
    page.locator(".rail [data-panel=shape]").click()
    slider = page.get_by_role("slider", name="Brightness")
    until(page, "() => document.querySelector('[data-descriptor=brightness] output')?.textContent")
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=4)
    wait(page, "s.traversal?.phase === 'ready'")
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=4)
    until_heard(page)
    page.mouse.up()
    wait(page, "s.shape?.descriptor === 'brightness' && s.shape.by > 0")
    values, at, origin = (
        state(page, f"s.traversal.{name}") for name in ("reply.values", "at", "reply.origin")
    )
    assert values[at] > values[origin], "brighter is brighter"
    expect(page.locator(".over .courses circle")).to_have_count(len(values) + 1)
    page.get_by_role("button", name="Use as B").click()
    wait(page, "s.b?.code && s.morph?.phase === 'ready'")


def test_a_doubtful_word_says_so_and_the_rest_is_held_or_let_go(page: Page) -> None:
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.a")
    page.locator(".rail [data-panel=shape]").click()
    slider = page.get_by_role("slider", name="Roughness")
    until(page, "() => document.querySelector('[data-descriptor=roughness] output')?.textContent")
    slider.focus()
    slider.press("End")
    wait(page, "s.shape?.descriptor === 'roughness' && s.traversal?.phase === 'ready'")
    until_heard(page)
    caveat = page.locator("[data-descriptor=roughness] .note")
    expect(caveat).to_have_text(re.compile("^About two fifths of this change is heard on a recording"))
    expect(slider).to_have_attribute("aria-describedby", caveat.get_attribute("id") or "none")
    held = state(page, "s.traversal.reply.points")
    page.get_by_role("checkbox", name="Keep the other qualities").uncheck()
    wait(page, "s.traversal?.phase === 'ready' && s.traversal.key.includes(' false ')")
    assert state(page, "s.traversal.reply.points") != held
    wait(page, "location.search.includes('hold=off')")


def test_a_slider_by_keyboard_from_a_step_of_the_way(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    page.get_by_role("slider", name="Place on the morph").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.locator(".rail [data-panel=shape]").focus()
    page.keyboard.press("Enter")
    page.locator(".panel:not([hidden]) [role=radio]").first.wait_for()
    page.get_by_role("radio", name="Step 9").click()
    until(page, "() => document.querySelector('[data-descriptor=attack] output')?.textContent")
    slider = page.get_by_role("slider", name="Attack")
    slider.focus()
    before = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    wait(page, "s.shape?.descriptor === 'attack' && s.shape.by === 1")
    until_heard(page)
    expect(slider).not_to_have_attribute("aria-valuetext", before or "")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("1 step"))
    page.keyboard.press("End")
    wait(page, "s.traversal?.reply && s.traversal.at === s.traversal.reply.values.length - 1")
    why = state(page, "s.traversal.reply.stopped.more")
    if why != "as far as was asked":
        expect(page.locator(".panel:not([hidden]) .note[role=status]")).to_contain_text(why)


def test_a_key_opens_the_sliders_of_what_is_pointed_at_and_escape_leads_back(page: Page) -> None:
    page.locator(".surface").focus()
    page.keyboard.press("ArrowRight")
    wait(page, "s.pointed")
    name = state(page, "l.name[s.pointed.sound]")
    page.keyboard.press("t")
    until(page, "() => document.activeElement.dataset.for === 'shape'")
    page.locator(".panel:not([hidden])").get_by_role("button", name=name).wait_for()
    tab_to(page, page.get_by_role("slider", name="Decay"))
    page.keyboard.press("ArrowLeft")
    wait(page, "s.shape?.descriptor === 'decay' && s.shape.by === -1")
    until_heard(page)
    page.keyboard.press("Escape")
    wait(page, "s.panel === null")
    expect(page.locator(".rail [data-panel=shape]")).to_be_focused()


# -- for everyone ------------------------------------------------------------------------------


def test_every_control_of_every_panel_has_a_name(visit: Session) -> None:
    page = visit.open("/?panel=sample&seed=3&n=4")
    pick_two(page)
    wait(page, "s.drawing?.phase === 'ready'")
    for panel in PANELS:
        if state(page, "s.panel") != panel:
            page.locator(f".rail [data-panel={panel}]").click()
        page.locator(f"[data-for={panel}] h2").first.wait_for()
        assert probe(page, "nameless") == [], panel
        assert probe(page, "doubleIds") == [], panel
        assert probe(page, "count", "[aria-hidden=true] :is(button, a, input)") == 0, panel
        expect(page.locator("[data-for]:not([hidden])")).to_have_attribute("aria-labelledby", f"h-{panel}")


@pytest.mark.parametrize(("width", "height"), [(360, 740), (768, 1024), (1280, 720)])
def test_no_panel_runs_out_of_the_screen(visit: Session, width: int, height: int) -> None:
    page = visit.open("/?seed=3&n=4&a=@0,0", width=width, height=height, touch=width < 720)
    for panel in PANELS:
        page.locator(f".rail [data-panel={panel}]").click()
        page.locator(f"[data-for={panel}] h2").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{panel} scrolls sideways"
        )
        beyond = page.evaluate(
            "[...document.querySelectorAll('.panel:not([hidden]) *')]"
            ".filter((e) => !e.closest('.tablewrap') && e.getBoundingClientRect().right > innerWidth + 1)"
            ".map((e) => e.outerHTML.slice(0, 120))"
        )
        assert beyond == [], panel
        if width < 720:  # the sheet lies over the rail
            page.keyboard.press("Escape")
            wait(page, "s.panel === null")


def test_the_panels_are_fetched_only_when_they_are_opened(page: Page) -> None:
    fetched = (
        "performance.getEntriesByType('resource')"
        ".filter(({name}) => /\\/(sample|shape)\\/panel\\.js/.test(name)).length"
    )
    assert page.evaluate(fetched) == 0
    page.locator(".rail [data-panel=sample]").click()
    page.get_by_role("heading", name="New sounds").wait_for()
    assert page.evaluate(fetched) > 0
