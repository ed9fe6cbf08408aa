"""Recordings that visitors bring along, and the way they do."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
from playwright.sync_api import Page
from profiles import rest

RATE = 44_100


def hit(hertz: float, seconds: float = 0.5) -> np.ndarray:
    """A struck tone."""
    t = np.arange(int(RATE * seconds)) / RATE
    return 0.7 * np.exp(-8 * t / seconds) * np.sin(2 * np.pi * hertz * t)


def bar(hertz: float, seconds: float = 0.7) -> np.ndarray:
    """A struck bar: the partials of a free one, the higher the shorter. Several of them belong together."""
    t = np.arange(int(RATE * seconds)) / RATE
    partials = [(1, 1, 6), (2.76, 0.7, 9), (5.4, 0.5, 12), (8.93, 0.35, 15)]
    return (
        0.3
        * (1 - np.exp(-900 * t))
        * sum(
            level * np.exp(-decay * t / seconds) * np.sin(2 * np.pi * ratio * hertz * t)
            for ratio, level, decay in partials
        )
    )


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def pick(page: Page, files: list[Path]) -> None:
    page.locator(".rail [data-panel=yours]").click()
    page.get_by_label("Sound files").set_input_files(files)


def drop(page: Page, paths: list[Path]) -> None:
    """Files and folders from the desktop, let go over the middle of the page, as the browser itself hands them over."""
    browser = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 300, "data": data})
    browser.detach()


def remove_all(page: Page) -> None:
    """The server is everyone's: what a test has brought it takes away, when its page does not need it any more."""
    origin = page.evaluate("location.origin")
    rest(page, origin)
    models = f"{origin}/api/v1/models"
    listed = page.request.get(models).json()["models"]
    for model in listed:
        if model["kind"] != "library":  # first: what was kept with it moves to its base
            page.request.delete(f"{models}/{model['id']}")
    for model in listed:
        if model["kind"] == "library":
            sounds = page.request.get(f"{models}/{model['id']}/sounds").json()
            for id, kind in zip(sounds["id"], sounds["kind"], strict=True):
                if kind == "uploaded":
                    page.request.delete(f"{models}/{model['id']}/sounds/{id}")
