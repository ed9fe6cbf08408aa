"""The process of a judge, asked about one pair's morphs after another."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from sonifold_research.ears import environments, judges

PACKAGES = Path(judges.__file__).parent


class JudgeFailed(RuntimeError):
    """A judge's process ended before it had answered; its own words stand above on standard error."""


class JudgeProcess:
    """A judge that runs in an environment of its own, on one thread; to be used as a context."""

    def __init__(self, name: str, recordings: Path, environment: Path) -> None:
        """Raises EnvironmentFailed where its packages cannot be installed."""
        self.name = name
        program = environments.python(environment, PACKAGES / f"{name}.txt")
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [str(program), "-m", judges.__name__, name, str(recordings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads},
        )

    def __enter__(self) -> JudgeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def verdicts(self, morphs: Path) -> dict[str, Any]:
        """What it says of the morphs in a file, by method. Raises JudgeFailed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{morphs}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise JudgeFailed(f"{judges.JUDGES[self.name]} ended with {status} before it had answered.")
        verdicts: dict[str, Any] = json.loads(line)
        return verdicts
