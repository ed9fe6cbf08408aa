"""An ingest in a process of its own: how much memory it takes, killed at once with all its workers."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

LOOK_SECONDS = 0.25  # between looks at the memory

Analysed = dict[str, tuple[int, int, str]]  # path -> (id, row of the arrays, sha256)


def environment(data: Path) -> dict[str, str]:
    return {**os.environ, "SONIFOLD_DATA": str(data), "SONIFOLD_PORT": "0", "SONIFOLD_BROWSER": "0"}


class Running:
    """``sonifold ingest FOLDER``, with its most memory so far: the proportional set size of all its processes."""

    def __init__(self, data: Path, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "sonifold.cli", "ingest", str(folder), *options]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, env=environment(data), stdout=subprocess.DEVNULL, start_new_session=True
        )
        self.megabytes = 0.0
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def wait(self) -> float:
        """Seconds that it took. Raises RuntimeError where it failed."""
        if self.process.wait():
            raise RuntimeError(f"the ingest ended with {self.process.returncode}")
        return time.perf_counter() - self.started

    def kill(self) -> bool:
        """Whether it was still going on."""
        was_running = self.process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return was_running

    def _look(self) -> None:
        while self.process.poll() is None:
            self.megabytes = max(self.megabytes, sum(map(proportional_megabytes, group(self.process.pid))))
            time.sleep(LOOK_SECONDS)


def group(leader: int) -> list[int]:
    """The processes of a group."""
    members = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getpgid(int(entry.name)) == leader:
                members.append(int(entry.name))
    return members


def proportional_megabytes(process: int) -> float:
    """What a process has in memory; of what it shares, its part. Linux says it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def read(data: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a collection's database; none where there is no database yet."""
    path = data / "collection" / "collection.sqlite"
    if not path.exists():
        return []
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise
    finally:
        connection.close()


def analysed(data: Path) -> Analysed:
    rows = read(data, "SELECT path, id, vector, sha256 FROM sounds WHERE state = 'analysed'")
    return {path: (id, vector, sha256) for path, id, vector, sha256 in rows}
