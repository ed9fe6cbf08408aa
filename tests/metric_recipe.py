"""The recipe for a metric in CONTRIBUTING.md, followed to the letter in a copy of the backend."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

from script_modules import ROOT

NAME, LABEL = "growing", "Near the middle"


def backend_with_metric(folder: Path) -> Path:
    """A copy of ``backend`` in a folder, with the skeleton's metric: one new file, and its words in another."""
    backend = folder / "backend"
    shutil.copytree(ROOT / "backend", backend, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "docs" / "skeletons" / "metric.py", backend / "sonifold" / "metric" / f"{NAME}.py")
    recipe = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (words,) = re.findall(
        r"^ *```python\n(.*?)^ *```$", recipe.split("### a metric\n")[1].split("\n#")[0], re.M | re.S
    )
    choices = backend / "sonifold" / "choices.py"
    before, after = choices.read_text(encoding="utf-8").split("\n\n\nclass SamplerName")
    member = textwrap.indent(textwrap.dedent(words), "    ").rstrip()
    choices.write_text(f"{before}\n{member}\n\n\nclass SamplerName{after}", encoding="utf-8")
    return backend


def changed_files(backend: Path) -> set[str]:
    """The files of a copy of ``backend`` that are not as in the checkout."""
    return {
        file.relative_to(backend).as_posix()
        for file in backend.rglob("*.py")
        if not (original := ROOT / "backend" / file.relative_to(backend)).exists()
        or original.read_bytes() != file.read_bytes()
    }
