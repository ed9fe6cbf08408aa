"""The rooms of docs/ARCHITECTURE.md are those of the code, and a room of the page uses only rooms above its own.

Which room of the backend may use which is held by test_architecture.py.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
LAYERS = {"Science": "backend/sonifold", "Service": "backend/sonifold_app", "Page": "frontend"}


def documented_rooms(layer):
    """The rooms of a layer in their order."""
    section = ARCHITECTURE.split(f"### {layer}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([\w.]+)` \|", section, re.M)


def room_of(file, folder):
    """The folder of a file directly under the layer, or the file's own name."""
    path = file.relative_to(folder)
    return path.parts[0] if len(path.parts) > 1 else path.name.removesuffix(".py")


def page_arrows():
    """(file, room, room that it imports) within the page."""
    folder = ROOT / "frontend"
    for file in sorted(folder.rglob("*.js")):
        code = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S)
        for path in re.findall(r"\b(?:from|import)\s*\(?\s*\"(\.[^\"]+)\"", code):
            target = room_of((file.parent / path).resolve(), folder)
            if target != room_of(file, folder):
                yield file.relative_to(ROOT).as_posix(), room_of(file, folder), target


@pytest.mark.parametrize("layer", LAYERS)
def test_every_room_is_documented_and_there(layer):
    folder = ROOT / LAYERS[layer]
    pattern = "*.js" if layer == "Page" else "*.py"
    rooms = {room_of(file, folder) for file in folder.rglob(pattern)} - {"__init__", "first-paint.js"}
    assert set(documented_rooms(layer)) == rooms


def test_a_room_of_the_page_uses_only_rooms_above_it():
    order = {room: rank for rank, room in enumerate(documented_rooms("Page"))}
    arrows = list(page_arrows())
    backward = [
        f"{file}: {room} uses {target}" for file, room, target in arrows if order[target] >= order[room]
    ]
    assert len(arrows) > 20
    assert backward == []
