"""Settings for operators."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from sonifold_app.settings import Settings


def test_every_setting_is_described_by_a_sentence():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description[0].isupper()
        assert field.description.endswith("."), name


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    values = {"HOST": "0.0.0.0", "PORT": "9000", "DATA": str(tmp_path), "MODELS": str(tmp_path / "m"),
              "TOKEN": "a long enough secret", "THREADS": "3", "DEVICE": "cpu"}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"SONIFOLD_{name}", value)
    settings = Settings()
    assert (settings.host, settings.port, settings.threads, settings.device) == ("0.0.0.0", 9000, 3, "cpu")
    assert settings.data == tmp_path
    assert settings.models == tmp_path / "m"
    assert settings.token is not None
    assert settings.token.get_secret_value() == "a long enough secret"
    assert "a long enough secret" not in repr(settings)
    assert not settings.loopback


def test_by_default_only_this_machine_can_reach_the_server(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SONIFOLD_{name.upper()}", raising=False)
    settings = Settings()
    assert settings.loopback
    assert settings.port == 8750
    assert isinstance(settings.data, Path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which cores a process may use")
def test_by_default_there_are_as_many_computations_as_cores_that_may_be_used(monkeypatch):
    monkeypatch.delenv("SONIFOLD_THREADS", raising=False)
    usable = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(usable)})
        assert Settings().threads == 1
    finally:
        os.sched_setaffinity(0, usable)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "70000"),
        ("THREADS", "0"),
        ("TOKEN", "fifteen letters"),
        ("TOKEN", "tökentökentökentöken"),
        ("TOKEN", " spaces around it all "),
        ("TOKEN", "a line\nand another one"),
        ("DEVICE", "tpu"),
        ("KEEP_BYTES", "1"),
    ],
)
def test_settings_out_of_bounds_are_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"SONIFOLD_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.2", False),
        ("example.org", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, loopback):
    assert Settings(host=host).loopback is loopback


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]
