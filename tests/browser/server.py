"""A real Sonifold on a free port, with the packs of the checkout and a data folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from sonifold.cli import main; sys.exit(main())"


@contextmanager
def running_server(**settings: str) -> Iterator[str]:
    """The address of a server that answers. ``settings``: more ``SONIFOLD_*`` variables, without the prefix."""
    with started_server(**settings) as (address, _):
        yield address


@contextmanager
def started_server(**settings: str) -> Iterator[tuple[str, int]]:
    """The same, and the id of its process."""
    with tempfile.TemporaryDirectory() as data:
        given = {"PORT": "0", "DATA": data, "BROWSER": "0", "MODELS": str(ROOT / "models"), **settings}
        given.setdefault("FINETUNE_NICE", "0")  # tests side by side leave nothing to whoever gives way
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SONIFOLD_")}
        environment |= {f"SONIFOLD_{key}": value for key, value in given.items()}
        process = subprocess.Popen(
            [sys.executable, "-c", START, "serve"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        try:
            address = _address(process)
            _await_models(address)
            yield address, process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)
            if process.stdout:
                process.stdout.close()


def _await_models(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=30):
                return
        except urllib.error.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("the server never got ready; its own output says why")


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://[\w.:\[\]-]+", line):
            return found.group().rstrip("/")
    raise RuntimeError(f"the server ended with {process.wait()} before it said where it is")


def workers(server: int) -> list[int]:
    """The processes that a server has started for its jobs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue  # it has just ended
        if parent == server and b"sonifold_app.jobs.worker" in command:
            found.append(int(folder.name))
    return found
