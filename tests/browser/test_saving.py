"""Sounds out of the page: the files are what was heard, under good names, with their origin inside."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import soundfile
from playwright.sync_api import Page, expect
from sessions import Session, pick_two, state, wait


def save(page: Page, choice: str) -> tuple[str, bytes]:
    """One choice of the dialog; the name of the file and its bytes."""
    if not page.locator(".save-box").is_visible():
        page.get_by_role("button", name="Save as files").click()
    page.locator(f".save-box input[value={choice}]").check()
    with page.expect_download() as download:
        page.locator(".save-box").get_by_role("button", name="Save", exact=True).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def dragged(page: Page, button: str) -> list[str]:
    """What Chromium would fetch where a drag of a button ends: the kind of file, its name, its address."""
    assert page.locator(button).get_attribute("draggable") == "true"
    text = page.evaluate(
        """(button) => {
          const dataTransfer = new DataTransfer();
          const event = new DragEvent("dragstart", { bubbles: true, dataTransfer });
          document.querySelector(button).dispatchEvent(event);
          return dataTransfer.getData("DownloadURL");
        }""",
        button,
    )
    return text.split(":", 2)


def record(data: bytes) -> dict:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        return json.loads(file.comment)


def test_what_is_saved_is_what_was_heard_as_one_file_or_as_many(visit: Session) -> None:
    page = visit.open()
    pick_two(page)
    page.keyboard.press("Escape")
    url, samples = state(page, "s.morph.paths.geodesic.audio.url"), state(page, "s.model.sound_samples")
    heard, rate = soundfile.read(io.BytesIO(page.request.get(f"{visit.address}{url}?format=wav").body()))
    steps = heard.reshape(17, samples)
    kind, title, link = dragged(page, ".deck button.save")
    assert (kind, title[-4:]) == ("audio/wav", ".wav")
    assert link == f"{visit.address}{url}?format=wav"

    name, data = save(page, "steps")
    assert name.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [one for one in archive.namelist() if one.endswith(".wav")]
        assert names == [f"{name.removesuffix('.zip')}-{nth:02d}.wav" for nth in range(1, 18)]
        assert {"sounds.csv", "README.txt"} <= set(archive.namelist())
        for nth, file in enumerate(names):
            np.testing.assert_array_equal(soundfile.read(io.BytesIO(archive.read(file)))[0], steps[nth])

    _, data = save(page, "sequence")
    joined, _ = soundfile.read(io.BytesIO(data))
    durations = page.evaluate(
        "async () => (await import('/listen/timing.js')).stepsAsPlayed(window.sonifold.state().morph)"
    )
    assert len(joined) == sum(round(seconds * rate) for seconds in durations)
    begin = 0
    for step, seconds in zip(steps, durations, strict=True):
        until_fade = round((seconds - 0.02) * rate)
        np.testing.assert_array_equal(joined[begin : begin + until_fade], step[:until_fade])
        begin += round(seconds * rate)
    assert record(data)["path"] == "geodesic"


def test_format_bits_level_number_of_steps_and_instrument_are_chosen(page: Page) -> None:
    pick_two(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save as files").click()
    box = page.locator(".save-box")
    box.get_by_label("Kind of file").select_option("flac")
    assert box.get_by_label("Bits").locator("option").all_inner_texts() == ["16 bit", "24 bit"]
    box.get_by_label("Bits").select_option("24")
    box.get_by_label("Level").select_option("normalise")
    box.get_by_label("silence").check()
    box.locator("input[value=step]").check()
    box.get_by_label("Number of steps").fill("5")
    box.get_by_label("Number of steps").blur()
    wait(page, "s.saving.steps === 5")
    name, data = save(page, "step")
    assert name.endswith("-01.flac")
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert file.subtype == "PCM_24"
        assert abs(np.abs(file.read()).max() - 10 ** (-1 / 20)) < 1e-4
    assert record(data)["steps"] == 5
    page.locator(".save-box input[value=instrument]").check()
    box.get_by_label("Kind of instrument").select_option("dslibrary")
    expect(box.get_by_label("Kind of file")).to_be_hidden()
    name, data = save(page, "instrument")
    assert name.endswith(".dslibrary")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (preset,) = [one for one in archive.namelist() if one.endswith(".dspreset")]
        assert archive.read(preset).count(b"<sample ") == 5
    name, data = save(page, "b")
    assert state(page, "l.name[l.indexOf(s.b.sound)]") == record(data)["title"]
    assert record(data)["sources"][0]["licence"] == state(page, "l.licence[l.indexOf(s.b.sound)]")


def test_a_glide_is_heard_and_saved_as_long_as_one_likes(page: Page) -> None:
    pick_two(page)
    page.get_by_role("radio", name="Glide").click()
    wait(page, "s.morph?.glides.geodesic")
    assert abs(state(page, "s.morph.glides.geodesic.buffer.duration") - 4) < 0.02
    page.get_by_role("button", name="Save as files").click()
    seconds = page.locator(".save-box").get_by_label("Length of the glide")
    seconds.fill("2.5")
    seconds.blur()
    wait(page, "Math.abs((s.morph?.glides.geodesic?.buffer.duration ?? 0) - 2.5) < 0.02")
    name, data = save(page, "glide")
    assert name.endswith("-glide.wav")
    assert abs(len(soundfile.read(io.BytesIO(data))[0]) / 44_100 - 2.5) < 0.02
