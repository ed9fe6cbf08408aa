"""The peers' environments: one each under build/peers, with what peers/NAME.txt pins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sonifold_research.ears import environments

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BUILD = ROOT / "build"
PEERS = ("stochman", "pythae", "latent-geometry", "geomstats")


class PeerFailed(RuntimeError):
    """A peer could not be installed or did not run, with its own last words."""


def python(peer: str, requirements: Path = HERE / "peers") -> Path:
    """The interpreter of a peer's environment, made first if need be. Raises ``PeerFailed``.

    ``requirements``: the folder of NAME.txt.
    """
    try:
        return environments.python(BUILD / "peers" / peer, requirements / f"{peer}.txt")
    except environments.EnvironmentFailed as error:
        raise PeerFailed(str(error)) from error


def run(script: str, *arguments: object, peer: str | None = None, limit: float) -> str:
    """A script of peers/ in its environment (``None``: ours), one thread. Returns "" or why it stopped early."""
    program = sys.executable if peer is None else str(python(peer))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [program, str(HERE / "peers" / f"{script}.py"), *map(str, arguments)]
    try:
        done = subprocess.run(
            command, env={**os.environ, **threads}, timeout=limit, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {limit:g} s"
    return "" if done.returncode == 0 else f"failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}"
