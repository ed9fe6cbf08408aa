"""Two builds side by side under build/against/: a revision, and another one or a copy of the files around this one."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

ROOT = Path(__file__).resolve().parents[3]
CHECKOUTS = ROOT / "build" / "against"
SERVE = "from sonifold_app.serve import serve; from sonifold_app.settings import Settings; serve(Settings())"
TICK = os.sysconf("SC_CLK_TCK")


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def default_revision() -> str:
    """The last tag; without one the merge base with main."""
    tags = git("tag", "--sort=-creatordate").split()
    return tags[0] if tags else git("merge-base", "HEAD", "main")


@dataclass(frozen=True)
class Build:
    """A revision of Sonifold as a folder. It runs in this Python's environment, with its own packages first."""

    name: str
    folder: Path

    def environment(self, **settings: str) -> dict[str, str]:
        """Variables of the system without any of Sonifold's, but for ``settings`` (without their prefix)."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SONIFOLD_")}
        own = {f"SONIFOLD_{name}": value for name, value in settings.items()}
        return {**clean, **own, "PYTHONPATH": str(self.folder / "backend")}


def checked_out(revision: str) -> Build:
    """A revision's files in a folder named for its commit; made once."""
    commit = git("rev-parse", "--verify", f"{revision}^{{commit}}")
    folder = CHECKOUTS / commit[:12]
    if not (folder / "pyproject.toml").exists():
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
    return Build(commit[:7], folder)


def this_build() -> Build:
    """The files around this one as they are now, changes that are in no commit among them: a copy, so that what is
    edited while it is measured is not measured half.
    """
    folder = CHECKOUTS / "new"
    shutil.rmtree(folder, ignore_errors=True)
    for name in git("ls-files", "--cached", "--others", "--exclude-standard", "-z").rstrip("\0").split("\0"):
        if (ROOT / name).is_file():  # not deleted, and no link to a folder
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return Build("new", folder)


class Server:
    """A server process of a build on a free port, with an empty data folder."""

    def __init__(self, build: Build, data: Path) -> None:
        self.build = build
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            env=build.environment(PORT="0", DATA=str(data), BROWSER="0", MODELS=str(build.folder / "models")),
            cwd=build.folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        address = re.search(r"http://\S+/", self._process.stdout.readline())
        if address is None:
            raise RuntimeError(f"the server of {build.name} ended before it said where it is")
        self.client = httpx.Client(base_url=address[0].rstrip("/"), timeout=300)
        self.seconds_to_ready = self._wait_until_ready()
        self.model = f"/api/v1/models/{self.json('GET', '/api/v1/models')['models'][0]['id']}"

    def _wait_until_ready(self) -> float:
        while True:
            try:
                if self.client.get("/readyz").status_code == 200:
                    return time.perf_counter() - self._began
            except httpx.TransportError:
                pass
            if self._process.poll() is not None:
                raise RuntimeError(f"the server of {self.build.name} has ended")
            time.sleep(0.01)

    def json(self, method: str, path: str, **body: Any) -> Any:
        """What a request answers; ``body``: as httpx takes it (``json=``, ``files=``)."""
        reply = self.client.request(method, path, **body)
        reply.raise_for_status()
        return reply.json()

    def cpu_seconds(self) -> float:
        """What the process has computed so far, in all its threads. Linux tells it."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> float:
        """Megabytes that the process holds now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        kilobytes = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert kilobytes
        return int(kilobytes[1]) * 1024 / 1e6

    def stop(self) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def servers(builds: tuple[Build, ...]) -> Iterator[tuple[Server, ...]]:
    """One running server a build, stopped at the end."""
    with tempfile.TemporaryDirectory() as folder:
        running: list[Server] = []
        try:
            for build in builds:
                running.append(Server(build, Path(folder) / build.name))
            yield tuple(running)
        finally:
            for server in running:
                server.stop()
