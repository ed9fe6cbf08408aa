"""Long measurements that go on where they stopped: one line of JSON a finished case."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sonifold.evaluate.measures import default_folder
from sonifold.files import write_whole

Case = dict[str, Any]


def cases(
    name: str, about: Case, count: int, measure: Callable[[int], Case], folder: Path | None = None
) -> list[Case]:
    """``measure(0)`` to ``measure(count - 1)``, those of an earlier, interrupted run read back instead.

    They lie in build/evaluation/NAME.jsonl until :func:`forget`, under a first line that says what they are
    ``about`` (the pack's digest, the seed); a file about something else is begun anew.
    """
    file = _file(name, folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    results = _read(file, about)
    if not results:
        write_whole(file, (json.dumps(about) + "\n").encode(), durable=False)
    with file.open("a", encoding="utf-8") as out:
        for index in range(len(results), count):
            results.append(measure(index))
            out.write(json.dumps(results[-1]) + "\n")
            out.flush()
    return results[:count]


def forget(name: str, folder: Path | None = None) -> None:
    """Remove what was kept, once everything made from it is written."""
    _file(name, folder).unlink(missing_ok=True)


def _file(name: str, folder: Path | None) -> Path:
    return (folder or default_folder().with_name("evaluation")) / f"{name}.jsonl"


def _read(file: Path, about: Case) -> list[Case]:
    """Finished cases; none if the file is missing, about something else, or damaged at its head."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]  # the last one may have been cut off
    try:
        if not whole or json.loads(whole[0]) != about:
            return []
        results = [json.loads(line) for line in whole[1:]]
    except ValueError:
        return []
    if len(whole) < len(lines):
        write_whole(file, "".join(whole).encode(), durable=False)
    return results
