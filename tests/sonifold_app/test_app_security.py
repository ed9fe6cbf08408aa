"""What docs/security.md says is defended, where no other test asks it; and that every test it names is there.

Routes come from the OpenAPI document: a new one cannot be forgotten.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import os
import re
import stat
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from app_checks import API, assert_problem
from fastapi.testclient import TestClient

from sonifold.files import write_folder
from sonifold_app.app import create_app
from sonifold_app.collection.walk import walk
from sonifold_app.http.access import OPEN_PATHS, SAFE_METHODS
from sonifold_app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TOKEN = "sixteen-characters-and-more"
#: Names that would be something else to a shell, a file system, a browser or a spreadsheet.
ODD_NAMES = (
    "../../outside", "/etc/passwd", "..\\..\\outside", "C:\\outside", ".hidden", "a/b", "\u202e3pm.exe", "~root",
    "<img src=x onerror=alert(1)>", '"><b>&amp;', "=HYPERLINK(1)", "-1+1", "%2e%2e%2f", "sound;rm -rf .", "$(id)",
)  # fmt: skip


# -- the page ----------------------------------------------------------------------------------------


def test_every_test_that_the_threat_model_names_is_there():
    names = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
    assert len(names) > 30
    texts = {file: (ROOT / "tests" / file).read_text(encoding="utf-8") for file, _ in names}
    missing = [name for name in names if not re.search(rf"^def {name[1]}\(", texts[name[0]], re.M)]
    assert missing == []


def test_every_line_of_defence_names_a_test():
    tables = re.findall(r"^\| threat .*?\n\n", PAGE, re.M | re.S)
    assert len(tables) >= 4
    lines = [line for table in tables for line in table.splitlines()[2:] if line]
    assert [line for line in lines if "::test_" not in line] == []


# -- every route -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def routes(client):
    """(method, path) of every operation, with something in the place of its parameters."""
    paths = client.get(f"{API}/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{\w+\}", "x", path))
        for path, methods in paths.items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    ]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, engine_of):
    settings = Settings(data=tmp_path_factory.mktemp("data"), token=TOKEN, host="0.0.0.0", metrics=True)
    with TestClient(create_app(settings, engine_of()), base_url="http://studio.example:8750") as client:
        yield client


def test_no_route_answers_without_the_token(guarded, routes):
    assert len(routes) > 40
    for method, path in routes:
        if path not in OPEN_PATHS:
            assert_problem(guarded.request(method, path), 401, "token_required")
    assert_problem(guarded.get("/metrics"), 401, "token_required")


def test_no_route_answers_a_name_that_was_made_to_mean_this_machine(client, routes):
    for method, path in routes:
        if path not in OPEN_PATHS:
            answer = client.request(method, path, headers={"Host": "rebound.example:8750"})
            assert_problem(answer, 421, "host_refused")


def test_no_route_does_anything_for_another_sites_page(client, routes):
    kinds = ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"})
    for (method, path), headers in zip(routes, itertools.cycle(kinds)):
        if path.startswith("/api/") or method not in SAFE_METHODS:
            assert_problem(client.request(method, path, headers=headers), 403, "origin_refused")


def test_no_answer_may_be_read_by_another_sites_page(client, routes):
    for method, path in routes:
        answer = client.request("OPTIONS", path, headers={"Access-Control-Request-Method": method})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "access-control-allow-origin" not in client.get("/livez", headers={"Origin": "null"}).headers


# -- what leaves -------------------------------------------------------------------------------------


@pytest.fixture
def export_folder(client, tmp_path):
    state = client.app.state
    services = state.services
    settings = services.settings.model_copy(update={"exports": tmp_path / "exports"})
    state.services = dataclasses.replace(services, settings=settings)
    yield tmp_path / "exports"
    state.services = services


def test_no_name_leads_out_of_the_export_folder(client, name, ids, export_folder):
    sounds = [{"sound": ids[0]}] * len(ODD_NAMES)
    plain = {"sounds": sounds, "names": ODD_NAMES}
    kit = {"sounds": sounds[:4], "names": ODD_NAMES[:4], "instrument": {"kind": "sfz", "title": ODD_NAMES[0]}}
    for body in (plain, kit):
        answer = client.post(f"{API}/models/{name}/exports", json=body | {"destination": "folder"})
        assert answer.status_code == 201, answer.text
    files = [path for path in export_folder.parent.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.is_relative_to(export_folder)
        assert re.fullmatch(r"\w[\w.-]*", path.name), "nothing that a shell or a browser would take for more"


def test_a_folder_of_files_holds_no_path_that_leads_out(tmp_path):
    for path in ("../outside.txt", "inner/../../outside.txt", str(tmp_path / "outside.txt")):
        with pytest.raises(ValueError, match="leads out"):
            write_folder(tmp_path / "kit", {path: b"x"})
    assert list(tmp_path.iterdir()) == []


def test_names_in_an_instrument_are_text_and_no_formula(client, name, ids):
    names = ("<img src=x onerror=alert(1)>", '"><b>&amp;', "=HYPERLINK(1)")
    sounds = [{"sound": ids[0]}] * len(names)
    body = {"sounds": sounds, "names": names, "instrument": {"kind": "h2drumkit", "title": names[1]}}
    answer = client.post(f"{API}/models/{name}/exports", json=body)
    assert answer.status_code == 200, answer.text
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}
    (kit,) = (data for path, data in files.items() if path.endswith(".xml"))
    assert not {element.tag.lower() for element in ElementTree.fromstring(kit).iter()} & {"img", "b"}
    (table,) = (data for path, data in files.items() if path.endswith(".csv"))
    cells = [cell for row in csv.reader(io.StringIO(table.decode())) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]


# -- what comes in -----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_an_ingest_opens_files_and_nothing_that_only_has_a_files_name(tmp_path):
    """Reading a pipe would wait for ever, and a device may never end."""
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nothing")
    (tmp_path / "sound.wav").write_bytes(b"RIFF")
    assert stat.S_ISFIFO((tmp_path / "pipe.wav").stat().st_mode)
    assert [file.name for file in walk(tmp_path)] == ["sound.wav"]
