"""Which room of the code may import from which: no circle, and no arrow but those drawn here.

A room is a folder. Loose modules at the top of a package are the room ``base``, which no room lies below; the modules
that a user enters by, such as the command line, are doors: they may import everything, and no room imports them.
The rooms of the page are held to their order in tests/frontend/architecture.test.mjs.
"""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BACKEND = ROOT / "backend"
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")

#: Room -> the rooms that it imports from, of the science. What lies below comes first.
SCIENCE = {
    "base": "",
    "audio": "base",
    "representation": "base audio",
    "metric": "base",
    "geodesic": "base metric",
    "sample": "base metric",
    "atlas": "base metric",
    "vae": "base metric representation",
    "pack": "base atlas representation vae",
    "morph": "base geodesic audio representation vae",
    "quotient": "base audio geodesic metric morph",
    "model": "base atlas audio geodesic metric morph pack quotient representation sample vae",
    "instruments": "base audio model pack",
    "adapt": "base atlas audio geodesic metric model morph pack representation sample vae",
    "analysis": "base audio model pack",
    "training": "base atlas audio metric model pack representation vae",
    "listening": "base audio",
    "evaluate": "base audio geodesic metric model morph pack representation training",
}
SCIENCE_DOORS = {"sonifold", "sonifold.cli", "sonifold.plot"}

#: The same of the service.
SERVICE = {
    "base": "",
    "engine": "base",
    "store": "base engine",
    "collection": "base engine store",
    "user": "base engine store",
    "jobs": "base engine store user",
    "http": "base collection engine store user",
    "schemas": "base collection engine store user",
    "routes": "base collection engine http jobs schemas store user",
    "admin": "base engine store user",
}
SERVICE_DOORS = {"sonifold_app.app", "sonifold_app.command", "sonifold_app.serve", "sonifold_app.workspaces"}


def modules(package):
    """The modules of a package: name -> file."""
    files = (BACKEND / package).rglob("*.py")
    return {
        ".".join(file.relative_to(BACKEND).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


def imported(module, file, known):
    """The modules among ``known`` that a module imports anywhere in it, also for the types alone."""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{source}.{alias.name}"
                yield from (
                    candidate for candidate in [name if name in known else source] if candidate in known
                )


def room(module):
    """The folder of a module under its package, or ``base``."""
    parts = module.split(".")
    is_folder = (BACKEND / parts[0] / parts[1]).is_dir() if len(parts) > 1 else False
    return parts[1] if is_folder else "base"


def is_door(module, doors):
    """Whether a module is a door, or in the folder of one."""
    return module in doors or ".".join(module.split(".")[:2]) in doors


def arrows(package, doors):
    """Every arrow between rooms of a package: (from, to) -> the imports that draw it."""
    known = modules(package)
    drawn = {}
    for module, file in known.items():
        if is_door(module, doors):
            continue
        for target in imported(module, file, known):
            if room(target) != room(module) or is_door(target, doors):
                pair = room(module), "a door" if is_door(target, doors) else room(target)
                drawn.setdefault(pair, []).append(f"{module} imports {target}")
    return drawn


LAYERS = {"sonifold": (SCIENCE, SCIENCE_DOORS), "sonifold_app": (SERVICE, SERVICE_DOORS)}


@pytest.mark.parametrize("package", LAYERS)
def test_no_room_imports_from_a_room_it_may_not(package):
    rooms, doors = LAYERS[package]
    wrong = {
        pair: imports
        for pair, imports in arrows(package, doors).items()
        if pair[1] not in rooms.get(pair[0], "").split()
    }
    assert wrong == {}


@pytest.mark.parametrize("package", LAYERS)
def test_every_arrow_that_is_drawn_is_there(package):
    rooms, doors = LAYERS[package]
    drawn = {(source, target) for source, targets in rooms.items() for target in targets.split()}
    assert drawn - arrows(package, doors).keys() == set()


@pytest.mark.parametrize("package", LAYERS)
def test_the_rooms_have_no_circle_and_stand_in_order(package):
    rooms, _ = LAYERS[package]
    tuple(TopologicalSorter({name: targets.split() for name, targets in rooms.items()}).static_order())
    names = list(rooms)
    assert all(names.index(target) < names.index(name) for name in rooms for target in rooms[name].split())


def test_the_science_reaches_its_experiments_by_the_command_line_alone():
    research = modules("sonifold_research")
    science = modules("sonifold")
    reaching = {module for module, file in science.items() if list(imported(module, file, research))}
    assert all(is_door(module, {"sonifold.cli"}) for module in reaching)
    for module, file in research.items():
        assert not any(is_door(target, {"sonifold.cli"}) for target in imported(module, file, science))


@pytest.mark.parametrize(
    ("layer", "folder", "pattern"),
    [
        ("Science", "backend/sonifold", "*.py"),
        ("Service", "backend/sonifold_app", "*.py"),
        ("Page", "frontend", "*.js"),
    ],
)
def test_every_room_is_documented_and_there(layer, folder, pattern):
    """In docs/ARCHITECTURE.md a file beside the folders is a room of its own; a new panel needs no row."""
    section = ARCHITECTURE.split(f"### {layer}\n")[1].split("\n#")[0]
    documented = re.findall(r"^\| `([\w.]+)` \|", section, re.M)
    paths = (file.relative_to(ROOT / folder) for file in (ROOT / folder).rglob(pattern))
    rooms = {path.parts[0] if len(path.parts) > 1 else path.name.removesuffix(".py") for path in paths}
    panels = (ROOT / "frontend" / "panels.js").read_text(encoding="utf-8")
    may_lack = {"__init__", "first-paint.js", *re.findall(r'from "\./(\w+)/index\.js"', panels)}
    assert set(documented) <= rooms
    assert rooms - set(documented) <= may_lack
