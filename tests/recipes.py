"""Recipes of CONTRIBUTING.md, followed to the letter in a copy of the backend."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from script_modules import ROOT

NAME, LABEL = "growing", "Near the middle"


def copied_backend(folder: Path) -> Path:
    """A copy of ``backend`` in a folder."""
    backend = folder / "backend"
    shutil.copytree(ROOT / "backend", backend, ignore=shutil.ignore_patterns("__pycache__"))
    return backend


def backend_with_metric(folder: Path) -> Path:
    """A copy of ``backend`` with the skeleton's metric: one new file, and its words in another."""
    backend = copied_backend(folder)
    skeleton = ROOT / "docs" / "skeletons" / "metric.py"
    shutil.copyfile(skeleton, backend / "sonifold" / "metric" / f"{NAME}.py")
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipe = text.split("### a metric\n")[1].split("\n#")[0]
    (words,) = re.findall(r"^ *```python\n(.*?)^ *```$", recipe, re.M | re.S)
    member = textwrap.indent(textwrap.dedent(words), "    ").rstrip()
    replace(
        backend / "sonifold" / "choices.py", "\n\n\nclass DistanceName", f"\n{member}\n\n\nclass DistanceName"
    )
    return backend


def replace(file: Path, old: str, new: str) -> None:
    """Another text in a file, where it stands once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def changed_files(backend: Path) -> set[str]:
    """The files of a copy of ``backend`` that are not as in the checkout."""
    return {
        file.relative_to(backend).as_posix()
        for file in backend.rglob("*.py")
        if not (original := ROOT / "backend" / file.relative_to(backend)).exists()
        or original.read_bytes() != file.read_bytes()
    }


def printed_by(script: str, backend: Path) -> Any:
    """What a script prints as JSON in a process that imports a copy of ``backend``, with no models."""
    folder = backend.parent
    settings = {"SONIFOLD_MODELS": str(folder / "models"), "SONIFOLD_DATA": str(folder / "data")}
    environment = os.environ | {"PYTHONPATH": str(backend)} | settings
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
