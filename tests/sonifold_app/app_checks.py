"""What several test files use: sound files as bytes, and how a problem must look."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import soundfile

API = "/api/v1"
RATE = 44_100


def tone(seconds: float = 0.5, hertz: float = 220.0, rate: int = RATE) -> np.ndarray:
    """A decaying sine (sample,)."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * t) * np.exp(-6 * t)).astype(np.float32)


def file_of(samples: np.ndarray, rate: int = RATE, format: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def samples_of(data: bytes) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(data), dtype="float32")


def format_of(data: bytes) -> str:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        return file.format


def wait_for(condition: Callable[[], Any], seconds: float = 150, what: str = "it did not happen") -> Any:
    """Until a condition holds; returns what it gave. ``what``: the message where it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(what)


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The response is a problem document with that status and code; returns it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["code"] == code, problem
    assert problem["type"] == f"urn:sonifold:problem:{code}"
    assert problem["title"]
    assert problem["detail"].rstrip().endswith((".", "!")), problem["detail"]
    assert "Traceback" not in response.text
    return problem


def renamed_pack(client: Any, name: str, new_name: str = "another") -> bytes:
    """A model's file under another name."""
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{API}/models/{name}/file").content))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as again:
        for entry in archive.namelist():
            data = archive.read(entry)
            if entry == "pack.json":
                data = json.dumps(json.loads(data) | {"name": new_name}).encode()
            again.writestr(entry, data)
    return buffer.getvalue()
