"""A server process of its own, from any tree, with an empty data folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SERVE = "from sonifold_app.serve import serve; from sonifold_app.settings import Settings; serve(Settings())"


class Server:
    """``with Server(tree, data) as server``: its ``url``, once it is ready."""

    def __init__(self, tree: Path, data: Path, **settings: str) -> None:
        """``settings``: more variables of its environment."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(tree / "backend"),
            "SONIFOLD_MODELS": str(tree / "models"),
        }
        environment |= {"SONIFOLD_PORT": "0", "SONIFOLD_DATA": str(data), "SONIFOLD_BROWSER": "false"}
        environment |= settings
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE], env=environment, cwd=tree, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+/", self.process.stdout.readline())
        assert found, "the server did not say where it is"
        self.url = found[0]

    def __enter__(self) -> Server:
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}readyz"):
                    return self
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def memory(self) -> float:
        """Megabytes in use now (``VmRSS``)."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1]) * 1024 / 1e6
