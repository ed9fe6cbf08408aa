"""All measured figures, stored beside the bars they must meet.

A measuring command calls :func:`record` once for each figure. They lie in ``build/measures/NAME.json``, each
file a list of rows; ``make measures`` prints all of them as one table, oldest first, so that a figure nobody
has measured for long stands on top.
"""

from __future__ import annotations

import json
import math
import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sonifold.pack import DEFAULT

#: "<= 4.8" reads: met when the value is at most 4.8. The unit is the row's, not the bar's.
BAR = re.compile(r"(<=|>=|==|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Row:
    """One figure. ``n`` is the number of cases behind it, ``command`` what measures it again."""

    measure: str
    value: float
    unit: str
    bar: str | None
    n: int | None
    command: str
    machine: str
    measured: str
    """When, in UTC, as ISO 8601 with microseconds: sorts as text."""

    @property
    def verdict(self) -> str:
        """``met`` or ``MISSED``; empty where there is no bar."""
        if self.bar is None:
            return ""
        compare, limit = read_bar(self.bar)
        return "met" if compare(self.value, limit) else "MISSED"


def read_bar(bar: str) -> tuple[Callable[[float, float], bool], float]:
    """``"<= 4.8"`` as the comparison and its limit; ``ValueError`` for anything else."""
    match = BAR.fullmatch(bar.strip())
    if match is None:
        raise ValueError(
            f"cannot read the bar {bar!r}: write a comparison (one of {' '.join(COMPARE)}) and a number "
            'in the unit of the value, such as "<= 4.8"; a figure without a bar has bar=None'
        )
    return COMPARE[match[1]], float(match[2])


def default_folder() -> Path:
    """``build/measures`` of the checkout around this file, or of the working directory outside one."""
    checkout = Path(__file__).resolve().parents[3]
    root = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return root / "build" / "measures"


#: What ``record`` is: (measure, value, unit, bar, n, command).
Record = Callable[[str, float, str, str | None, int | None, str], Any]


def recorder(model: str) -> Record:
    """What records the figures of a model: the bars are for the default pack, others have their name beside theirs."""
    if model == DEFAULT:
        return record

    def record_named(
        measure: str, value: float, unit: str, bar: str | None, n: int | None, command: str
    ) -> Any:
        return record(f"{measure}, pack {model}", value, unit, None, n, command)

    return record_named


def record(
    measure: str,
    value: float,
    unit: str,
    bar: str | None,
    n: int | None,
    command: str,
    name: str | None = None,
    folder: Path | None = None,
) -> Path:
    """Keep one figure in ``NAME.json``; a row of the same measure there is replaced.

    ``measure``  what was measured, in words: the first column of the table.
    ``value``    a finite number, in ``unit`` ("" for a pure number).
    ``bar``      what the value must satisfy, as "<= 4.8"; None where nothing is promised.
    ``n``        how many cases the value stands for; None where that says nothing.
    ``command``  what a reader types to measure it again.
    ``name``     the file, without ".json"; rows measured together share one. Made from ``measure`` if None.

    Raises ``ValueError`` for a value that is not finite, a bar that cannot be read, or a name with a
    path in it. Returns the file written.
    """
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{measure}: measured {value}, which is no figure; find out why before recording it")
    if bar is not None:
        read_bar(bar)
    name = name or slug(measure)
    if name != Path(name).name or name.startswith("."):
        raise ValueError(
            f"{name!r} cannot be a file name: give letters, digits and hyphens, such as 'vae-error'"
        )
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    row = Row(measure, value, unit, bar, None if n is None else int(n), command, describe_machine(), now)
    file = (folder or default_folder()) / f"{name}.json"
    earlier = [row for row in read_file(file) if row.measure != measure] if file.exists() else []
    write_file(file, [*earlier, row])
    return file


def slug(text: str) -> str:
    """A file name from a sentence: lower case, hyphens for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "measure"


def read_file(file: Path) -> list[Row]:
    """The rows of one file; ``ValueError`` if it is not a list of rows."""
    try:
        return [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{file} is not a list of measures ({error}); delete it and measure again"
        ) from error


def write_file(file: Path, rows: Sequence[Row]) -> None:
    """Write by way of a second file, so that a reader or a crash never meets half a list."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    draft.write_text(
        json.dumps([asdict(row) for row in rows], indent=1, allow_nan=False, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    draft.replace(file)


def read_all(folder: Path | None = None) -> list[Row]:
    """Every row of every file in ``folder``, oldest first."""
    rows = [row for file in (folder or default_folder()).glob("*.json") for row in read_file(file)]
    return sorted(rows, key=lambda row: row.measured)


def describe_machine() -> str:
    """Cores, processor, accelerator if torch sees one, and the versions that change the figures."""
    parts = [f"{os.cpu_count()} cores", processor()]
    parts += [accelerator] if (accelerator := accelerator_name()) else []
    return ", ".join([*parts, f"torch {metadata.version('torch')}", f"Python {platform.python_version()}"])


def processor() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if names:
            name: str = names[0].strip()
            return name
    return platform.processor() or platform.machine()


def accelerator_name() -> str | None:
    """The CUDA device, if this process has loaded torch: loading it only to ask would take seconds."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name(0))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as aligned lines of text, under a header and a rule, in the order given."""
    header = ("measured (UTC)", "measure", "value", "unit", "bar", "", "n", "command")
    cells = [header, *(cells_of(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    rule = tuple("-" * width for width in widths)
    for line in (header, rule, *cells[1:]):
        yield "  ".join(
            cell.rjust(width) if title in ("value", "n") else cell.ljust(width)
            for cell, width, title in zip(line, widths, header, strict=True)
        ).rstrip()


def cells_of(row: Row) -> tuple[str, ...]:
    return (
        row.measured[:16].replace("T", " "),
        row.measure,
        f"{row.value:,.0f}" if abs(row.value) >= 1000 else f"{row.value:.4g}",
        row.unit,
        row.bar or "",
        row.verdict,
        "" if row.n is None else str(row.n),
        row.command,
    )


def summary(rows: Sequence[Row]) -> str:
    """One line: how many figures, how many bars met and missed, on which machines."""
    verdicts = [row.verdict for row in rows]
    machines = " | ".join(dict.fromkeys(row.machine for row in rows))
    met, missed = verdicts.count("met"), verdicts.count("MISSED")
    return f"{len(rows)} measures; bars met: {met}, missed: {missed}; on: {machines}"


def main() -> int:
    rows = read_all()
    if not rows:
        print(f"Nothing measured yet: {default_folder()} is empty. `make bench` measures.")
        return 0
    print(*table(rows), "", summary(rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
