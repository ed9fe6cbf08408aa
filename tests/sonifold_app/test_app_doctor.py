"""``sonifold doctor``: it sees what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from pathlib import Path

import pytest
from data_folders import recording, stored

from sonifold.cli import main
from sonifold.cli.service import CHECKED
from sonifold_app.admin.doctor import CHECKS
from sonifold_app.store.data_folder import MOVING_IN, DataFolder
from sonifold_app.store.storage import Storage


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SONIFOLD_DATA", str(tmp_path / "data"))
    return stored(tmp_path / "data")


@pytest.fixture
def examined(capsys):
    """The findings of some checks: {(check, level): messages}, and the exit code."""

    def examine(*checks: str) -> tuple[dict[tuple[str, str], str], int]:
        code = main(["doctor", "--json", *(word for check in checks for word in ("--only", check))])
        report = json.loads(capsys.readouterr().out)
        assert report["ok"] == (code == 0)
        by_level: dict[tuple[str, str], str] = {}
        for finding in report["findings"]:
            key = finding["check"], finding["level"]
            by_level[key] = by_level.get(key, "") + finding["message"]
            assert (finding["advice"] == "") == (finding["level"] == "ok"), finding
        return by_level, code

    return examine


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder, when it was changed, and how large it is."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in (folder, *folder.rglob("*"))
    }


def test_the_command_line_names_every_check():
    assert tuple(CHECKS) == CHECKED


@pytest.mark.parametrize("served", [False, True], ids=["at rest", "while a server has it"])
def test_all_is_well_and_nothing_is_written(data, small_models, examined, monkeypatch, served):
    monkeypatch.setenv("SONIFOLD_MODELS", str(small_models))
    monkeypatch.setenv("SONIFOLD_PORT", "0")
    (data / "packs" / "mine" / "pack.json").unlink()
    storage = Storage(DataFolder(data), 1 << 30) if served else None
    before = state_of(data)
    try:
        findings, code = examined()
        assert state_of(data).keys() == before.keys()
        unchanged = {name for name in before if not name.endswith(("-shm",))}
        assert {name: state_of(data)[name] for name in unchanged} == {
            name: before[name] for name in unchanged
        }
    finally:
        if storage is not None:
            storage.close()
    assert code == 0, findings
    assert {check for check, _ in findings} == set(CHECKED)
    assert not {level for _, level in findings} & {"problem"}
    assert "oneshots is whole and loads" in findings["packs", "ok"]
    assert "there and whole (2)" in findings["store", "ok"]
    assert ("a Sonifold has it: process" in findings["folder", "ok"]) == served


def test_a_report_for_people_says_what_to_do(data, capsys):
    (data / MOVING_IN).mkdir()
    assert main(["doctor", "--only", "folder", "--only", "database"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if "->" not in line] == [
        ["ok", "folder"],
        ["problem", "folder"],
        ["ok", "database"],
    ]
    assert "sonifold restore" in lines[2]


def test_what_the_store_lacks_and_what_it_has_too_much_of(data, examined):
    recording(data, b"first").write_bytes(b"firs")
    second = recording(data, b"second")
    second.rename(data / "trash" / "2026-01-01" / (second.parent.name + second.name))
    stray = recording(data, b"stray")
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    os.utime(stray, (time.time() - 7200,) * 2)
    findings, code = examined("store")
    assert code == 1
    assert "1 file that the database names is damaged" in findings["store", "problem"]
    assert "1 file that the database names is in the trash" in findings["store", "warning"]
    assert "1 recording belongs to no row" in findings["store", "warning"]
    (data / "trash" / "2026-01-01" / (second.parent.name + second.name)).unlink()
    assert "1 file that the database names is missing" in examined("store")[0]["store", "problem"]


def test_a_database_that_is_damaged_newer_or_older(data, examined):
    file = data / "library" / "library.sqlite"

    def version(number: int) -> None:
        connection = sqlite3.connect(file)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.commit()
        connection.close()

    version(99)
    assert "version 99" in examined("database")[0]["database", "problem"]
    version(1)
    assert "makes a copy first" in examined("database")[0]["database", "ok"]
    pages = bytearray(file.read_bytes())
    pages[4096:12288] = bytes(8192)
    file.write_bytes(pages)
    findings, code = examined("database", "store")
    assert code == 1
    assert ("database", "problem") in findings


def test_a_pack_that_is_not_whole_is_named(data, examined, monkeypatch, tmp_path):
    monkeypatch.setenv("SONIFOLD_MODELS", str(tmp_path / "none"))
    findings, code = examined("packs")
    assert code == 1
    assert "there are no packs" in findings["packs", "problem"]
    assert "mine" in findings["packs", "problem"]


def test_a_device_and_a_port_that_cannot_be_had(examined, monkeypatch):
    monkeypatch.setenv("SONIFOLD_DEVICE", "mps" if os.uname().sysname == "Linux" else "cuda")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SONIFOLD_PORT", str(taken.getsockname()[1]))
        findings, code = examined("device", "port")
    assert code == 1
    assert "SONIFOLD_DEVICE=" in findings["device", "problem"]
    assert "cannot be had" in findings["port", "problem"]


def test_a_folder_that_cannot_be_written_to(examined, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SONIFOLD_DATA", str(tmp_path / "file" / "data"))
    assert "cannot be written to" in examined("folder")[0]["folder", "problem"]
