"""No circles: a room uses only rooms that stand above it in the tables of docs/ARCHITECTURE.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGES = ("sonifold", "sonifold_app", "sonifold_research")
LAYERS = {"Science": "backend/sonifold", "Service": "backend/sonifold_app", "Page": "frontend"}


def documented_rooms(layer):
    """The rooms of a layer in their order."""
    section = ARCHITECTURE.split(f"### {layer}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([\w.]+)` \|", section, re.M)


def room_of(file, folder):
    """The folder of a file directly under the layer, or the file's own name."""
    path = file.relative_to(folder)
    return path.parts[0] if len(path.parts) > 1 else path.name.removesuffix(".py")


def python_modules(file):
    """Every module that a Python file imports, late imports too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def python_arrows(package):
    """(file, room, room that it imports) within a package."""
    folder = ROOT / "backend" / package
    rooms = {room_of(file, folder) for file in folder.rglob("*.py")}
    for file in sorted(folder.rglob("*.py")):
        for module in python_modules(file):
            top, _, rest = module.partition(".")
            target = rest.partition(".")[0]
            if top == package and target in rooms and target != room_of(file, folder):
                yield file.relative_to(ROOT).as_posix(), room_of(file, folder), target


def page_arrows():
    """(file, room, room that it imports) within the page."""
    folder = ROOT / "frontend"
    for file in sorted(folder.rglob("*.js")):
        code = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S)
        for path in re.findall(r"\b(?:from|import)\s*\(?\s*\"(\.[^\"]+)\"", code):
            target = room_of((file.parent / path).resolve(), folder)
            if target != room_of(file, folder):
                yield file.relative_to(ROOT).as_posix(), room_of(file, folder), target


def arrows(layer):
    """The imports between rooms. A package's own front (``__init__``) gathers names, and is no room."""
    found = page_arrows() if layer == "Page" else python_arrows(LAYERS[layer].rpartition("/")[2])
    return [arrow for arrow in found if "__init__" not in arrow[1:]]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_room_is_documented_and_there(layer):
    folder = ROOT / LAYERS[layer]
    pattern = "*.js" if layer == "Page" else "*.py"
    rooms = {room_of(file, folder) for file in folder.rglob(pattern)} - {"__init__", "first-paint.js"}
    assert set(documented_rooms(layer)) == rooms


@pytest.mark.parametrize("layer", LAYERS)
def test_a_room_uses_only_rooms_above_it(layer):
    order = {room: place for place, room in enumerate(documented_rooms(layer))}
    backward = [
        f"{file}: {room} uses {target}"
        for file, room, target in arrows(layer)
        if order[target] >= order[room]
    ]
    assert len(arrows(layer)) > 20
    assert backward == []


def packages_named_in(folder):
    """{file: the packages of this repository that it imports}"""
    return {
        file.relative_to(folder).as_posix(): {module.partition(".")[0] for module in python_modules(file)}
        & set(PACKAGES)
        for file in (ROOT / "backend" / folder.name).rglob("*.py")
    }


def test_the_product_stands_without_the_research():
    for package in ("sonifold", "sonifold_app"):
        named = packages_named_in(ROOT / "backend" / package)
        assert {file for file, packages in named.items() if "sonifold_research" in packages} <= {"cli.py"}


def test_the_research_stands_on_the_science_alone():
    named = packages_named_in(ROOT / "backend" / "sonifold_research")
    assert set().union(*named.values()) <= {"sonifold", "sonifold_research"}
