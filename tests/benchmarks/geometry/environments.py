"""The peers' environments: one each under build/peers, on top of the project's own packages.

A peer shares the project's torch, so that all are timed with the same one; what it needs beside, pinned in
peers/NAME.txt, lies in its own environment and comes first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BUILD = ROOT / "build"
#: Seconds that making one environment may take.
PATIENCE = 300
PEERS = ("stochman", "pythae", "latent-geometry", "geomstats")


class PeerFailed(RuntimeError):
    """A peer could not be installed or did not run, with its own last words."""


def python(peer: str, requirements: Path = HERE / "peers") -> Path:
    """The interpreter of a peer's environment, made first if need be. Raises ``PeerFailed``.

    ``requirements``: the folder of NAME.txt.
    """
    listed = requirements / f"{peer}.txt"
    folder = BUILD / "peers" / peer
    program = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = listed.read_text(encoding="utf-8")
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and program.exists():
        return program
    print(f"  installing {peer} into {folder.relative_to(ROOT)}", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
    own = subprocess.run(
        [program, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(own.stdout.strip()) / "project.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(program), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-deps", "--requirement", str(listed)])
    stamp.write_text(wanted, encoding="utf-8")
    return program


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


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"not installed within {PATIENCE} s: {' '.join(command[-3:])}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise PeerFailed(f"not installed: {last[:300]}")
