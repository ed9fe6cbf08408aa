"""Blind listening tests in a real browser: by mouse, by keyboard alone, by finger; cut off in the middle; by ear."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe import barriers
from playwright.sync_api import Browser, Page, expect
from profiles import PATIENCE
from server import started_server

pytestmark = pytest.mark.long


def call(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def made(address: str, **changes: Any) -> str:
    """The address of the page of a new test."""
    request = {
        "conditions": [{"kind": "linear"}, {"kind": "crossfade"}],
        "draw": {"count": 1, "seed": 3},
        "trials": 3,
        "steps": 3,
        "step_seconds": 0.2,
    } | changes
    return address + call(address, "/api/v1/listening-tests", request)["url"]


@pytest.fixture
def address(address_of_short_library: str) -> str:
    return address_of_short_library


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    contexts = []

    def opened(url: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()


def begun(page: Page) -> None:
    page.get_by_role("button", name="Turn sound on and begin").click()
    expect(page.get_by_text("Trial 1 of")).to_be_visible(timeout=PATIENCE)


def hear_all(page: Page, press: str = "click") -> None:
    for pad in page.locator(".pad").all():
        getattr(pad, press)()
        expect(pad).to_have_attribute("aria-pressed", "true")


def test_by_mouse_with_the_server_killed_and_the_page_reloaded_in_the_middle(
    open_page: Any, tmp_path: Path, small_models: Path
) -> None:
    models = str(small_models)
    with started_server(DATA=str(tmp_path), MODELS=models) as (address, server):
        page = open_page(made(address))
        begun(page)
        answers = page.locator(".answer")
        expect(answers.first).to_have_attribute("aria-disabled", "true")
        hear_all(page)
        answers.first.click()
        expect(page.get_by_text("Trial 2 of 3.")).to_be_visible(timeout=PATIENCE)
        hear_all(page)
        os.kill(server, signal.SIGKILL)
        answers.last.click()
        expect(page.get_by_text("Trying again; nothing is lost")).to_be_visible(timeout=PATIENCE)
    with started_server(DATA=str(tmp_path), MODELS=models, PORT=address.rpartition(":")[2]):
        expect(page.get_by_text("Trial 3 of 3.")).to_be_visible(timeout=PATIENCE)
        page.reload()
        page.get_by_role("button", name="Turn sound on and go on").click()
        expect(page.get_by_text("Trial 3 of 3.")).to_be_visible(timeout=PATIENCE)
        hear_all(page)
        page.locator(".answer").first.click()
        expect(page.locator(".sentence")).to_contain_text("of 3 right", timeout=PATIENCE)
        expect(page.locator("tbody tr")).to_have_count(1)


def test_with_the_keyboard_alone(open_page: Any, address: str) -> None:
    page = open_page(made(address, trials=2))
    start = page.get_by_role("button", name="Turn sound on and begin")
    start.wait_for()
    for _ in range(10):
        if start.evaluate("(button) => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number in (1, 2):
        expect(page.get_by_text(f"Trial {number} of 2.")).to_be_visible(timeout=PATIENCE)
        for key in ("1", "x", "2"):
            page.keyboard.press(key)
            expect(page.locator(f".pad[data-sound='{key.upper()}']")).to_have_attribute(
                "aria-pressed", "true"
            )
        page.keyboard.press(" ")
        expect(page.locator(".pad[aria-pressed=true]")).to_have_count(0)
        page.keyboard.press(" ")
        expect(page.locator(".pad[aria-pressed=true]")).to_have_count(1)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    expect(page.locator(".sentence")).to_contain_text("of 2 right", timeout=PATIENCE)


def test_with_a_finger_on_a_phone_and_without_barriers(open_page: Any, address: str) -> None:
    link = made(address, method="preference", trials=2)
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(link, **phone)
    page.get_by_role("button", name="Turn sound on and begin").wait_for()
    assert barriers(page) == []
    page.get_by_role("button", name="Turn sound on and begin").tap()
    for number in (1, 2):
        expect(page.get_by_text(f"Trial {number} of 2.")).to_be_visible(timeout=PATIENCE)
        hear_all(page, "tap")
        if number == 1:
            assert barriers(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="No preference").tap()
    expect(page.locator(".sentence")).to_contain_text("no preference: 2", timeout=PATIENCE)
    assert barriers(page) == []


def test_one_is_made_on_the_page_and_deleted(open_page: Any, address: str) -> None:
    page = open_page(f"{address}/listen.html")
    page.get_by_role("button", name="Make the test").wait_for()
    assert barriers(page) == []
    page.get_by_label("Trials").fill("1")
    page.get_by_role("button", name="Make the test").click()
    page.get_by_role("button", name="Turn sound on and begin").wait_for(timeout=PATIENCE)
    page.goto(f"{address}/listen.html")
    page.on("dialog", lambda dialog: dialog.accept())
    before = page.locator(".tests li")
    before.first.wait_for()
    count = before.count()
    before.first.get_by_role("button").click()
    expect(page.locator(".tests li")).to_have_count(count - 1)


PLAY = """async ([sounds, switches]) => {
  const {createPlayer} = await import("/trial/player.js");
  const rate = 44100, context = new OfflineAudioContext(1, rate, rate);
  const buffer = context.createBuffer(sounds.length, sounds[0].length, rate);
  sounds.forEach((sound, index) => buffer.copyToChannel(Float32Array.from(sound), index));
  const player = createPlayer(context);
  player.load(buffer);
  player.choose(0);
  for (const [seconds, index] of switches)
    context.suspend(seconds).then(() => { player.choose(index); context.resume(); });
  return [...(await context.startRendering()).getChannelData(0)];
}"""


def test_switches_keep_the_position_and_do_not_click(open_page: Any, address: str) -> None:
    page = open_page(f"{address}/listen.html")
    rate = 44100
    tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(rate // 10) / rate)  # whole periods: its loop is seamless
    switches = [[128 * 60 / rate * number, number % 2] for number in range(1, 5)]
    heard = np.array(page.evaluate(PLAY, [[tone.tolist(), tone.tolist()], switches]))
    expected = np.tile(tone, 10)
    settled = slice(round(0.01 * rate), None)
    assert np.abs(heard - expected)[settled].max() < 1e-4

    louder = np.array(page.evaluate(PLAY, [[tone.tolist(), (0.5 * tone).tolist()], switches]))
    at = round(switches[0][0] * rate)
    window = np.hanning(2048)
    spectrum = np.abs(np.fft.rfft(louder[at - 1024 : at + 1024] * window))
    frequency = np.fft.rfftfreq(2048, 1 / rate)
    assert spectrum[frequency > 4000].max() < 1e-4 * spectrum.max()
