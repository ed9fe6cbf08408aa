"""Pictures of every state of the page: ``python tests/browser/screenshots.py OUT [URL] [--states NAME...]``.

Without a URL a server is started on a free port. The pair is chosen from the library itself: the first of the morphs
that the first screen offers.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chromium import chromium
from playwright.sync_api import Browser, Page
from recordings import bar, wav

SIZES = {
    "desktop": (1280, 800),
    "laptop": (1280, 720),
    "phone": (390, 844),
    "small-phone": (360, 740),
    "4k": (3840, 2160),
}
THEMES = ("dark", "light")
STATES = (
    *("first", "a", "ready", "playing", "glide", "straight", "retimed", "library", "away"),
    *("metric", "ellipses", "curve", "marked", "mean", "analogy", "beyond", "sample", "shape", "kept"),
    *("yours", "refining"),
)
NOTES = (180, 220, 262, 311, 370, 440, 523, 622)  # Hz, of the sounds that are brought along


def open_page(browser: Browser, url: str, size: str, theme: str, query: str = "") -> Page:
    width, height = SIZES[size]
    phone = "phone" in size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        has_touch=phone,
        is_mobile=phone,
        device_scale_factor=2 if phone else 1,
        color_scheme=theme,
    )
    page.on("pageerror", lambda error: print("page error:", error))
    page.goto(f"{url}/{query}")
    page.wait_for_function(
        "() => performance.getEntriesByName('sonifold:full-map').length > 0", timeout=90_000
    )
    return page


def pair(browser: Browser, url: str) -> tuple[str, str]:
    """The ids of the first morph that the page offers."""
    page = open_page(browser, url, "desktop", "dark")
    page.locator(".trip").first.click()
    page.wait_for_function("() => window.sonifold.state().b")
    ends = page.evaluate("() => { const {a, b} = window.sonifold.state(); return [a.sound, b.sound] }")
    page.close()
    return ends[0], ends[1]


def into(page: Page, state: str, b: str) -> None:
    """From a link to a state that a link cannot say: something pointed at, something playing."""
    if state == "a":
        x, y = page.evaluate("(b) => window.sonifold.locate(window.sonifold.state().library.indexOf(b))", b)
        if page.viewport_size and page.viewport_size["width"] < 720:
            page.touchscreen.tap(x, y)
        else:
            page.mouse.move(x - 40, y - 40)
            page.mouse.move(x, y)
        with contextlib.suppress(Exception):
            page.wait_for_function("() => window.sonifold.state().preview", timeout=4000)
        page.wait_for_timeout(400)
        return
    if state in ("first", "away"):
        page.wait_for_timeout(300)
        return
    page.wait_for_function("() => window.sonifold.state().morph?.paths.retimed", timeout=90_000)
    if state == "glide":
        page.wait_for_function("() => window.sonifold.state().morph?.glides.geodesic", timeout=90_000)
    page.wait_for_timeout(900)
    if state in ("yours", "refining"):
        bring(page)
    if state == "refining":
        page.get_by_role("button", name="Fine-tune on").click()
        page.wait_for_function("() => window.sonifold.state().job?.previews", timeout=90_000)
    if state in ("mean", "analogy", "beyond"):
        page.wait_for_function("() => window.sonifold.state().newSounds.length", timeout=90_000)
    if state == "sample":
        page.wait_for_function("() => window.sonifold.state().drawing?.phase === 'ready'", timeout=90_000)
    if state == "shape":
        page.wait_for_function("() => window.sonifold.state().traversal?.phase === 'ready'", timeout=90_000)
    if state == "ellipses":
        page.wait_for_function("() => window.sonifold.state().indicatrices.length", timeout=90_000)
    if state == "metric":
        page.locator("button.lens").click()
    if state == "kept":
        page.wait_for_selector(".own")
    page.wait_for_timeout(500)
    if state == "playing":
        page.locator(".play").click()
        page.wait_for_timeout(500)


def bring(page: Page) -> None:
    """Sounds of one's own, unless they are there already."""
    if "uploaded" not in page.evaluate("window.sonifold.state().library.kind"):
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"Bar {nth}.wav" for nth in range(1, len(NOTES) + 1)]
            for file, hertz in zip(files, NOTES, strict=True):
                file.write_bytes(wav(bar(hertz)))
            page.get_by_label("Sound files").set_input_files(files)
            page.wait_for_function("() => window.sonifold.state().check", timeout=90_000)
    page.wait_for_function("() => window.sonifold.state().adaptation?.phase === 'ready'", timeout=90_000)
    page.wait_for_function(
        "() => window.sonifold.state().morph.key.endsWith(window.sonifold.state().adaptation.result)",
        timeout=90_000,
    )
    page.wait_for_timeout(900)


def query(state: str, a: str, b: str) -> str:
    ends = f"a={a}&b={b}"
    marked = f"marked={a}!{b}"
    return {
        "metric": f"?{ends}&metric=kernel",
        "ellipses": f"?{ends}&ellipses=on",
        "curve": f"?{ends}&curve=brightness&t=0.375",
        "marked": f"?{ends}&{marked}",
        "mean": f"?{ends}&{marked}&op=mean&panel=combine",
        "analogy": f"?{ends}&marked={b}&op=analogy&panel=combine",
        "beyond": f"?{ends}&op=beyond&to=2&panel=combine",
        "sample": f"?{ends}&panel=sample&seed=4711",
        "shape": f"?{ends}&panel=shape&shape=brightness.2",
        "yours": f"?{ends}&panel=yours&hear=after",
        "refining": f"?{ends}&panel=yours&hear=after&t=0.375",
        "kept": f"?{ends}&panel=library&q=made",
        "first": "",
        "away": "",
        "a": f"?a={a}",
        "ready": f"?{ends}",
        "playing": f"?{ends}&t=0.375",
        "glide": f"?{ends}&mode=glide&t=0.4",
        "straight": f"?{ends}&path=linear&t=0.5",
        "retimed": f"?{ends}&path=retimed&t=0.25",
        "library": f"?{ends}&panel=library&sort=distance&t=0.375&path=linear",
    }[state]


def shots(url: str, out: Path, states: list[str], sizes: list[str], themes: list[str]) -> Iterator[Path]:
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        a, b = pair(browser, url)
        for size in sizes:
            for theme in themes:
                for state in states:
                    page = open_page(browser, url, size, theme, query(state, a, b))
                    into(page, state, b)
                    if state == "away":
                        page.route("**/api/v1/**", lambda route: route.abort())
                        page.locator(".trip").first.click()
                        page.wait_for_timeout(600)
                    path = out / f"{size}-{state}-{theme}.png"
                    page.screenshot(path=path)
                    if state == "refining":
                        page.get_by_role("button", name="Cancel").click()
                    page.close()
                    yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("url", nargs="?", help="of a server that runs already")
    parser.add_argument("--states", nargs="*", default=list(STATES), choices=STATES)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=SIZES)
    parser.add_argument("--themes", nargs="*", default=list(THEMES), choices=THEMES)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        url = arguments.url
        if url is None:
            from server import running_server

            url = stack.enter_context(running_server())
        for path in shots(url, arguments.out, arguments.states, arguments.sizes, arguments.themes):
            print(path)


if __name__ == "__main__":
    main()
