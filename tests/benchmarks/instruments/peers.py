"""Programs that were not written here: those of the system, and those that install into build/peers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sonifold_research.ears import environments

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build"
ROOM = BUILD / "bench" / "instruments"  # what is exported and rendered
SECONDS = 1.3  # of a note
LIMIT = 120  # seconds that one program may take


class PeerMissing(RuntimeError):
    """A program is not there, or does not run; with the reason."""


def program(name: str) -> str:
    """The path of a program of the system. Raises PeerMissing."""
    path = shutil.which(name)
    if path is None:
        raise PeerMissing(f"{name} is not installed (Debian: apt-get install {PACKAGES[name]})")
    return path


PACKAGES = {
    "polyphone": "polyphone",
    "fluidsynth": "fluidsynth",
    "h2cli": "hydrogen",
    "sox": "sox",
    "xmllint": "libxml2-utils",
}


def environment(name: str) -> Path:
    """The interpreter of an environment with what peers/NAME.txt pins, made first if need be. Raises PeerMissing."""
    try:
        return environments.python(BUILD / "peers" / name, HERE / "peers" / f"{name}.txt")
    except environments.EnvironmentFailed as error:
        raise PeerMissing(str(error)) from error


def run(command: list[str], stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What a program says. Raises PeerMissing where it fails."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=LIMIT, env=environment
        )
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"{Path(command[0]).name} did not end within {LIMIT} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise PeerMissing(f"{Path(command[0]).name}: {last[:200]}")
    return done.stdout + done.stderr
