"""The main job, as a visitor does it: open, click two sounds, hear, switch, scrub, save, come back."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect
from sessions import (
    Session,
    apart,
    levels,
    locate,
    loudest,
    pick_two,
    probe,
    state,
    until_heard,
    until_morph_after,
    until_silent,
    wait,
)

pytestmark = [pytest.mark.whole_library, pytest.mark.long]

STEP = 65_536  # samples


def test_nothing_sounds_before_the_first_click_and_the_first_click_is_heard(page: Page) -> None:
    sound, _ = apart(page)
    page.mouse.move(*locate(page, sound))
    assert loudest(page, 300) == 0
    page.mouse.click(*locate(page, sound))
    until_heard(page)
    assert state(page, "l.indexOf(s.a.sound)") == sound
    assert state(page, "s.sound") == "on"


def test_pointing_is_heard_when_sound_is_on_and_never_twice_at_once(page: Page) -> None:
    page.get_by_role("button", name="Turn sound on").click()
    wait(page, "s.sound === 'on'")
    for sound in apart(page, 4):
        page.mouse.move(*locate(page, sound))
        wait(page, f"s.pointed?.sound === {sound}")
        until_heard(page)
    page.mouse.move(*locate(page, sound), steps=1)
    page.keyboard.press("Escape")
    until_silent(page)
    assert state(page, "s.a") is None


def test_two_clicks_are_heard_on_both_ways(page: Page) -> None:
    first, second = pick_two(page)
    assert state(page, "[l.indexOf(s.a.sound), l.indexOf(s.b.sound)]") == [first, second]
    wait(page, "s.playing")
    until_heard(page)
    page.keyboard.press("2")
    wait(page, "s.path === 'linear'")
    until_heard(page)
    assert state(page, "s.morph.paths.geodesic.length") > 0
    expect(page.locator(".path.geo b")).not_to_have_text("–")
    expect(page.locator(".head p:not(.others)")).to_contain_text("The curved")


def test_switching_the_path_starts_no_sound_and_leaves_no_gap(page: Page) -> None:
    # two long sounds, so that there is something to interrupt
    long = state(
        page, "l.id.map((id, i) => [l.seconds[i], id]).sort((p, q) => q[0] - p[0]).slice(0, 2).map(p => p[1])"
    )
    page.goto(page.url.split("?")[0] + f"?a={long[0]}&b={long[1]}")
    wait(page, "s?.morph?.paths.retimed")
    page.get_by_role("button", name="Play the morph").click()
    wait(page, "s.playing")
    until_heard(page, 3e-3)
    started, step = state(page, "[window.sonifold.listen.started(), Math.round(s.progress * 16)]")
    before = levels(page, 60)
    page.evaluate("document.querySelector('[data-value=linear]').click()")
    after = levels(page, 60)
    now, still = state(page, "[window.sonifold.listen.started(), Math.round(s.progress * 16)]")
    if still == step:  # no new step has begun by itself meanwhile
        assert min(after) > 0.1 * min(before)
        # three more: the next step of all three paths is laid out ahead
        assert now in (started, started + 3)
    assert state(page, "s.playing && s.path === 'linear'")


def test_the_thumb_is_heard_where_it_is_and_goes_on_when_let_go(page: Page) -> None:
    pick_two(page)
    wait(page, "s.playing")
    box = page.locator(".scrub").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], middle)
    page.mouse.down()
    for i in range(12):
        page.mouse.move(box["x"] + (0.4 + 0.02 * i) * box["width"], middle)
        page.wait_for_timeout(30)
    until_heard(page)
    held = state(page, "s.progress")
    assert 0.55 < held < 0.72
    page.mouse.up()
    wait(page, f"s.progress > {held} + 0.1")


def test_a_glide_is_heard_and_can_be_left(page: Page) -> None:
    pick_two(page)
    page.get_by_role("radio", name="Glide").click()
    wait(page, "s.morph?.glides.geodesic")
    if not state(page, "s.playing"):
        page.get_by_role("button", name="Play the morph").click()
    until_heard(page)
    page.keyboard.press("Escape")
    until_silent(page)
    assert state(page, "s.playing") is False


def test_what_is_saved_is_what_was_played(visit: Session) -> None:
    page = visit.open()
    pick_two(page)
    url = state(page, "s.morph.paths.geodesic.audio.url")
    saved, _ = soundfile.read(io.BytesIO(page.request.get(f"{visit.address}{url}?format=wav").body()))
    assert np.allclose(saved[:STEP], probe(page, "firstStep", "geodesic"), atol=1e-4)


def test_a_link_brings_everything_back_and_plays(visit: Session) -> None:
    page = visit.open()
    first, second = pick_two(page)
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.locator(".scrub").focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    page.locator(".rail [data-panel=library]").click()
    page.get_by_role("searchbox").fill("a")
    for part in ("q=a", "t=0.3125", "loop=on"):
        wait(page, f"location.search.includes('{part}')")
    link = page.url[len(visit.address) :]
    again = visit.open(link)
    assert state(again, "[l.indexOf(s.a.sound), l.indexOf(s.b.sound)]") == [first, second]
    assert state(again, "[s.path, s.progress, s.panel, s.query, s.loop, s.mode]") == [
        "linear",
        0.3125,
        "library",
        "a",
        True,
        "steps",
    ]
    wait(again, "s.morph?.phase === 'ready'")
    expect(again.locator(".scrub")).to_have_attribute("aria-valuetext", re.compile("^Step 6 of 17"))
    again.get_by_role("button", name="Play the morph").click()
    until_heard(again)


def test_back_leads_back(page: Page) -> None:
    first, second = apart(page)
    page.mouse.click(*locate(page, first))
    wait(page, "location.search.includes('a=')")  # two clicks in quick succession are one step back
    page.mouse.click(*locate(page, second))
    wait(page, "s.morph?.phase === 'ready'")
    page.keyboard.press("Escape")
    wait(page, "location.search.includes('b=')")
    page.go_back()
    wait(page, "s.b === null")
    assert state(page, "l.indexOf(s.a.sound)") == first


def test_an_end_can_be_carried_to_a_place_and_to_a_sound(page: Page) -> None:
    first, second = pick_two(page)
    page.keyboard.press("Escape")
    x, y = locate(page, second)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 40, steps=4)
    wait(page, "s.preview")
    page.mouse.move(*locate(page, first), steps=6)
    third = apart(page, 5)[-1]
    page.mouse.move(*locate(page, third), steps=6)
    page.mouse.up()
    wait(page, f"s.b?.sound === s.library.id[{third}] && s.morph?.phase === 'ready'")
    empty = probe(page, "empty")
    page.keyboard.press("Escape")
    page.mouse.move(*locate(page, third))
    page.mouse.down()
    page.mouse.move(*empty, steps=8)
    page.mouse.up()
    wait(page, "s.b?.position && s.morph?.phase === 'ready'")
    wait(page, "/b=@-?[0-9.]+,-?[0-9.]+/.test(location.search)")
    until_heard(page)


def test_swap_turns_the_morph_round(page: Page) -> None:
    first, second = pick_two(page)
    page.keyboard.press("Escape")
    key = state(page, "s.morph.key")
    page.get_by_role("button", name="swap A and B").first.click()
    until_morph_after(page, key)
    assert state(page, "[l.indexOf(s.a.sound), l.indexOf(s.b.sound)]") == [second, first]


def test_the_weight_bends_the_geodesic_and_ends_at_the_graph(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    slider = page.get_by_role("slider", name="The curved path, from shortest to safest")
    straight = state(page, "s.morph.paths.linear.audio.url")
    slider.focus()
    key = state(page, "s.morph.key")
    slider.press("Home")
    until_morph_after(page, key)
    shortest, key = state(page, "[s.morph.paths.geodesic, s.morph.key]")
    slider.press("End")
    until_morph_after(page, key)
    assert state(page, "s.weight === Infinity")
    graph = state(page, "s.morph.paths.geodesic")
    assert (shortest["kind"], graph["kind"]) == ("geodesic", "graph")
    assert graph["length"] > shortest["length"]
    assert state(page, "s.morph.paths.linear.audio.url") == straight
    expect(page.locator(".head p:not(.others)")).to_contain_text("From known sound to known sound")
