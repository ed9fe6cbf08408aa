"""A hundred thousand and a million sounds of library folders on the page's map, in Chromium without a GPU.

python -m pytest tests/benchmarks/test_bench_cloud.py -s -n 0
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import chromium, executable
from cloud.collections_of_rows import fill
from playwright.sync_api import Page
from server import started_server

import sonifold
from sonifold.evaluate.measures import record

COMMAND = "python -m pytest tests/benchmarks/test_bench_cloud.py -s -n 0"
PICKS = 500
FRAMES = 60

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")

#: Picks at places spread over the map, each timed with the grid that the pointer uses.
PICKING = """(count) => {
  const { cloud } = window.sonifold.state();
  const [x0, x1, y0, y1] = cloud.columns.extent;
  const radius = 14 * (x1 - x0) / 900;
  const times = [];
  for (let pick = 0; pick < count; pick++) {
    const row = (pick * 7919) % cloud.count;
    const since = performance.now();
    cloud.grid.nearest(cloud.x[row] + radius / 3, cloud.y[row], radius);
    times.push(performance.now() - since);
  }
  return times;
}"""
#: Longest pauses between two turns of the page's loop from the start on.
WATCHED = """
window.longestPause = 0;
let before = performance.now();
const channel = new MessageChannel();
channel.port1.onmessage = () => {
  const now = performance.now();
  window.longestPause = Math.max(window.longestPause, now - before);
  before = now;
  setTimeout(() => channel.port2.postMessage(0), 4);
};
channel.port2.postMessage(0);
"""
#: The time between pictures while a hand moves the map.
PANNING = """(frames) => new Promise((resolve) => {
  const map = document.getElementById("map");
  const box = map.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const fire = (type, dx) => map.dispatchEvent(new PointerEvent(type, {
    clientX: x + dx, clientY: y, pointerId: 1, pointerType: "mouse", button: 0, bubbles: true,
  }));
  map.setPointerCapture = () => {};
  fire("pointerdown", 0);
  const times = [];
  let before = performance.now();
  let frame = 0;
  const step = () => {
    const now = performance.now();
    if (frame > 0) times.push(now - before);
    before = now;
    if (frame++ === frames) { fire("pointerup", 0); return resolve(times); }
    fire("pointermove", 6 + 3 * (frame % 30));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def most_memory(process: int) -> int:
    """Bytes of memory that a process had at most, as Linux counts them."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.fixture(scope="module", params=[100_000, 1_000_000])
def measured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """A server with so many made sounds, and its page as soon as their points are there."""
    data = tmp_path_factory.mktemp("data")
    fill(data, request.param, sonifold.load("oneshots"))
    began = time.monotonic()
    with started_server(DATA=str(data)) as (address, server), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCHED)
        sent = []
        page.on("response", lambda reply: sent.append(reply) if "/positions" in reply.url else None)
        page.goto(address)
        page.wait_for_function("() => window.sonifold?.state().cloud", timeout=120_000)
        usable = time.monotonic() - began
        page.wait_for_function(
            "() => performance.getEntriesByName('sonifold:full-map').length", timeout=120_000
        )
        page.wait_for_timeout(2000)
        yield {
            "count": request.param,
            "page": page,
            "usable": usable,
            "bytes": len(sent[0].body()),
            "memory": most_memory(server),
        }


def note(
    measured: dict[str, Any], measure: str, value: float, unit: str, bar: str | None, number: int | None
) -> None:
    name = f"cloud: {measured['count']} sounds, {measure}"
    print(f"\n{name}: {value:.4g} {unit} ({bar})")
    record(name, value, unit, bar, number, COMMAND, name="cloud")


def test_what_is_sent_and_when_the_map_can_be_used(measured: dict[str, Any]) -> None:
    small = measured["count"] == 100_000
    note(measured, "bytes sent", measured["bytes"] / 1e6, "MB", "<= 12", 1)
    note(
        measured,
        "server's start until the map can be used",
        measured["usable"],
        "s",
        "<= 4" if small else None,
        1,
    )
    note(measured, "memory of the server", measured["memory"] / 1e9, "GB", "<= 1.2" if small else None, 1)


def test_picking_freezes_and_frames(measured: dict[str, Any]) -> None:
    page: Page = measured["page"]
    freeze = page.evaluate("window.longestPause")
    picks = page.evaluate(PICKING, PICKS)
    frames = page.evaluate(PANNING, FRAMES)
    small = measured["count"] == 100_000
    note(measured, "picking, p95", percentile(picks, 0.95), "ms", "< 50" if small else None, PICKS)
    note(measured, "longest freeze since the page opened", freeze, "ms", "< 200" if small else None, 1)
    note(measured, "frame while panning, median", percentile(frames, 0.5), "ms", None, FRAMES)
    note(measured, "frame while panning, p95", percentile(frames, 0.95), "ms", None, FRAMES)
