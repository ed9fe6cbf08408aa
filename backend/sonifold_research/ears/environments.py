"""Environments of their own for programs that are compared with, on top of the packages of the running one.

They share its torch and NumPy, so that all compute with the same; what they need beside lies in their own environment
and comes first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PATIENCE = 300  # seconds that making one may take


class EnvironmentFailed(RuntimeError):
    """An environment could not be made; with the installer's last words."""


def python(folder: Path, requirements: Path) -> Path:
    """The interpreter of the environment in ``folder``, made first where it is missing or its packages are others.

    ``requirements``: a file of pinned packages. They are installed without what they depend on.

    Raises:
        EnvironmentFailed: it cannot be made, as without a network.
    """
    wanted = requirements.read_text(encoding="utf-8")
    program = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and program.exists():
        return program
    print(f"  installing {requirements.stem} into {folder}", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
    packages = _run([str(program), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    shared = [sysconfig.get_path("purelib"), *_sources()]
    Path(packages, "project.pth").write_text("\n".join(shared) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(program), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-deps", "--requirement", str(requirements)])
    stamp.write_text(wanted, encoding="utf-8")
    return program


def _sources() -> list[str]:
    """Where the running package lies, if it is not installed but a checkout."""
    return [str(Path(__file__).resolve().parents[2])]


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise EnvironmentFailed(f"not installed within {PATIENCE} s: {' '.join(command[-3:])}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise EnvironmentFailed(f"not installed: {last[:300]}")
    return done.stdout
