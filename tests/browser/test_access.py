"""The same without a mouse, with a finger, without seeing, and when something is wrong."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from profiles import Profiles
from sessions import (
    Session,
    apart,
    locate,
    pick_two,
    probe,
    state,
    until,
    until_heard,
    until_said,
    until_silent,
    wait,
)

import sonifold
from sonifold.choices import DistanceName

pytestmark = pytest.mark.long


def test_everything_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the map"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    wait(page, "s.pointed")
    page.keyboard.press("Enter")
    until_heard(page)
    until_said(page, state(page, "l.name[s.pointed.sound]"))
    page.keyboard.press("a")
    wait(page, "s.a")
    here = state(page, "l.position(l.indexOf(s.a.sound))")
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    wait(page, f"s.library.x[s.pointed?.sound] < {here[0]}")
    page.keyboard.press("l")  # so that it does not come to its end by itself
    page.keyboard.press("b")
    wait(page, "s.morph?.phase === 'ready' && s.playing")
    until_heard(page)
    until_said(page, "The curved")
    page.keyboard.press(" ")
    wait(page, "!s.playing")
    until_silent(page)

    def focus(role: str, name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.get_by_role(role, name=name).evaluate("(e) => e === document.activeElement"):  # type: ignore[arg-type]
                return
        pytest.fail(f"Tab never comes to the {role} {name}")

    focus("radio", "Curved")
    page.keyboard.press("ArrowRight")
    wait(page, "s.path === 'linear'")
    focus("slider", "Place on the morph")
    page.keyboard.press("End")
    wait(page, "s.progress === 1 && document.activeElement.ariaValueText.startsWith('Step 17 of 17')")
    page.keyboard.press("ArrowLeft")
    wait(page, "document.activeElement.ariaValueNow === '16'")
    until_heard(page)
    page.keyboard.press("Escape")
    until_silent(page)


def test_a_finger_looks_first_and_goes_there_then(visit: Session) -> None:
    page = visit.open(width=390, height=844, touch=True)
    first, second = apart(page)
    page.touchscreen.tap(*locate(page, first))
    wait(page, "s.a")
    until_heard(page)
    page.wait_for_timeout(300)
    target = apart(page)[1]
    page.touchscreen.tap(*locate(page, target))
    wait(page, "s.pointed?.by === 'touch'")
    assert state(page, "s.b") is None
    page.get_by_role("button", name="Morph to here").tap()
    wait(page, "s.morph?.phase === 'ready'")
    until_heard(page)
    page.keyboard.press("Escape")  # where it is from now on is where it was put
    wait(page, "!s.playing")
    box = page.locator(".scrub").bounding_box()
    assert box
    assert box["y"] > 844 / 2  # where the thumb is
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait(page, "Math.abs(s.progress - 0.5) < 0.2")
    assert page.get_by_role("button", name="Save as files").is_visible()
    assert second != first


def resize(page: Page, width: int, height: int) -> None:
    """Back when the page has drawn itself anew."""
    page.set_viewport_size({"width": width, "height": height})
    until(page, "(width) => innerWidth === width", arg=width)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize(
    "sizes",
    [
        [(360, 740), (390, 844)],
        [(768, 1024), (1024, 768), (1280, 720), (1920, 1080), (3840, 2160)],
    ],
    ids=["touch", "mouse"],
)
def test_nothing_runs_out_of_the_screen(visit: Session, sizes: list[tuple[int, int]]) -> None:
    (width, height), *_ = sizes
    page = visit.open(width=width, height=height, touch=width < 720)
    for size in sizes:
        resize(page, *size)
        for panel in (False, True):
            if panel:
                page.locator(".rail [data-panel=library]").click()
                page.locator("[data-for=library] h2").wait_for()
            sideways = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not sideways, f"it scrolls sideways at {size}"
        page.keyboard.press("Escape")
        wait(page, "s.panel === null")
    page.locator(".trip").first.click()
    wait(page, "s.morph?.phase === 'ready'")
    for size in sizes:
        page.evaluate("scrollTo(0, 0)")
        resize(page, *size)
        assert probe(page, "outside") == [], size
        page.evaluate("scrollTo(0, document.body.scrollHeight)")  # on a phone the rest lies below
        assert probe(page, "crossing") == [], size


def test_every_control_has_a_name_and_ids_are_given_once(page: Page) -> None:
    pick_two(page)
    page.locator(".rail [data-panel=library]").click()
    wait(page, "document.querySelectorAll('tr[data-sound]').length > 5")
    assert probe(page, "nameless") == []
    assert probe(page, "doubleIds") == []
    assert probe(page, "count", "[tabindex]:not([tabindex='0']):not([tabindex='-1'])") == 0
    assert probe(page, "count", "[aria-hidden=true] :is(button, a, input)") == 0
    # one tab stop in each group of choices, and it is the chosen one
    assert set(probe(page, "tabStops")) == {"true"}


def test_before_two_sounds_are_picked_nothing_can_be_pressed_in_vain(visit: Session) -> None:
    page = visit.open()
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.a")
    assert probe(page, "pressable") == 0


def test_the_library_is_in_step_with_the_map(page: Page) -> None:
    page.locator(".rail [data-panel=library]").click()
    page.get_by_role("searchbox").fill("kick")
    rows = "[...document.querySelectorAll('tr[data-sound]')]"
    wait(page, f"{rows}.length > 2 && {rows}.every((row) => /kick/i.test(row.innerText))")
    page.get_by_role("button", name="Length").click()
    page.get_by_role("button", name="Length").click()
    expect(page.get_by_role("columnheader", name="Length")).to_have_attribute("aria-sort", "descending")
    until(
        page,
        """() => {
            const cells = [...document.querySelectorAll("tr[data-sound] td:nth-child(3)")];
            const seconds = cells.map((cell) => parseFloat(cell.innerText));
            return seconds.length > 2 && seconds.every((value, row) => row === 0 || seconds[row - 1] >= value);
        }""",
    )
    rows = page.locator("tr[data-sound]")
    first = int(rows.nth(0).get_attribute("data-sound") or -1)
    rows.nth(0).hover()
    wait(page, f"s.pointed?.sound === {first}")
    rows.nth(0).get_by_role("button", name="as A").click()
    rows.nth(1).get_by_role("button", name="as B").click()
    wait(page, f"s.a?.sound === s.library.id[{first}] && s.morph?.phase === 'ready'")
    until_heard(page)
    page.get_by_role("searchbox").fill("nothing is called this")
    page.get_by_text("No sound called that.").wait_for()
    page.get_by_role("button", name="Clear the filter?").click()
    wait(page, "s.query === ''")


def test_the_table_is_saved_with_all_its_rows(page: Page, tmp_path: Path) -> None:
    page.mouse.click(*locate(page, apart(page)[0]))
    wait(page, "s.distances")
    page.locator(".rail [data-panel=library]").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "library.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "library.csv").read_text(encoding="utf-8"))))
    assert len(rows) == state(page, "l.count")
    assert {row["id"] for row in rows} == set(state(page, "l.id"))
    own = next(row for row in rows if row["id"] == state(page, "s.a.sound"))
    assert float(own["perceptual_distance_to_a_tdB"]) < 1e-3


def test_one_distance_has_one_name_and_number_on_the_page_on_the_wire_and_in_python(
    page: Page, profiles: Profiles, small_models: Path
) -> None:
    a, b = pick_two(page)
    wait(page, "s.distances")
    page.locator(".rail [data-panel=library]").click()
    head = page.get_by_role("button", name="Distance to A").locator("..")
    page.get_by_role("searchbox").fill(f'"{state(page, f"l.name[{b}]")}"')
    cell = page.locator(f"tr[data-sound='{b}'] td:nth-child(5)")
    ids = state(page, "l.id")
    model = sonifold.load("oneshots", folder=small_models)
    distance = model.distance(model.sound(ids[a]), model.sound(ids[b]))
    choice = page.request.get(f"{profiles.address}/api/v1/models").json()["choices"]["distances"][0]
    wire = page.request.get(f"{profiles.address}/api/v1/models/{model.name}/sounds/{ids[a]}/distances").json()
    assert wire["distance"] == choice["id"] == next(iter(DistanceName))
    assert wire["distances"][b] == pytest.approx(distance, rel=1e-3)
    expect(cell).to_have_text(re.compile(r"\d"))
    assert float(cell.inner_text()) == pytest.approx(distance, abs=0.051)
    title = head.get_attribute("title") or ""
    assert choice["term"] in title.lower()
    assert wire["unit"] in title
    assert wire["unit"] == model.unit


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("/?a=000000000000", "a sound that is not in this library (a=000000000000)"),
        ("/?path=foo", "The link says path=foo; it can be geodesic, linear or retimed."),
        ("/?model=nonsense", "The link asks for the model nonsense"),
        ("/?w=many&t=9", "it can be a number from 0 to 1."),
    ],
)
def test_a_bad_link_is_explained(visit: Session, link: str, sentence: str) -> None:
    page = visit.open(link)
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text(sentence)
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_be_hidden()


def test_when_the_server_is_away_it_says_so_and_comes_back_by_itself(visit: Session) -> None:
    visit.expected = ("Failed to load resource", "net::ERR")
    page = visit.open()
    page.context.route("**/api/v1/**", lambda route: route.abort())
    page.locator(".trip").first.click()
    notice = page.get_by_role("alert")
    notice.get_by_text("Trying again in").wait_for()
    assert notice.get_by_role("button", name="Try now").is_visible()
    page.context.unroute("**/api/v1/**")
    wait(page, "s.server.phase === 'ready' && s.morph?.phase === 'ready'")
    expect(notice).to_be_hidden()


def test_dark_and_light(visit: Session) -> None:
    page = visit.open("/?theme=light")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between dark and light").click()
    until(page, "(light) => getComputedStyle(document.body).backgroundColor !== light", arg=light)
    wait(page, "location.search === '?theme=dark'")


def test_plotly_draws_the_land(page: Page) -> None:
    wait(page, "performance.getEntriesByName('sonifold:full-map').length > 0")
    assert page.locator(".land .contourlayer path").count() > 5
    expect(page.locator("canvas.sketch")).to_be_hidden()
