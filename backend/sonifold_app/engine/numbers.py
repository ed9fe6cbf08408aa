"""Numbers on their way out: tensors as arrays, arrays as the shortest decimals that are the same float32."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

Numbers = NDArray[np.float32]


def numbers(values: Any) -> Numbers:
    """A tensor on any device, or anything numpy takes, as float32."""
    detach = getattr(values, "detach", None)
    return np.asarray(detach().cpu() if detach else values, dtype=np.float32)


def short(value: Any) -> float:
    """A number to six digits, enough to draw and to compare by."""
    return float(f"{float(value):.6g}")


def short_or_none(value: Any) -> float | None:
    return None if value is None else short(value)


def row_of(values: Any) -> list[float]:
    """The shortest decimals that give back the same float32, (n,)."""
    row: list[float] = shortest(numbers(values)).tolist()
    return row


def rows(values: Any) -> list[list[float]]:
    """The same of (n, m)."""
    table: list[list[float]] = shortest(numbers(values)).tolist()
    return table


def shortest(values: Numbers) -> NDArray[np.float64]:
    """Each number as the double that is written with the fewest digits and is the same as float32.

    ``float(str(value))`` of each, in a quarter of the time: replies have ten thousands of them.
    """
    exact = values.astype(np.float64)
    size = np.abs(exact)
    usual = (size > 1e-12) & (size < 1e12)  # powers of ten by which these are scaled are exact
    shortened, open_ = exact.copy(), usual.copy()
    for digits in range(1, 10):  # nine tell any two apart
        indices = np.flatnonzero(open_)
        if not len(indices):
            break
        some = exact.flat[indices]
        power = digits - 1 - np.floor(np.log10(np.abs(some)))
        up, down = 10.0 ** power.clip(min=0), 10.0 ** (-power).clip(min=0)
        rounded = np.rint(some * up / down) / up * down
        same = rounded.astype(np.float32) == values.flat[indices]
        shortened.flat[indices[same]] = rounded[same]
        open_.flat[indices[same]] = False
    for index in np.flatnonzero(~usual & (size > 0)):
        shortened.flat[index] = float(str(values.flat[index]))
    return shortened


#: Fields of answers. What comes may be a tensor, an array, or the JSON of an answer that was kept.
Short = Annotated[float, BeforeValidator(short)]
ShortOrNone = Annotated[float | None, BeforeValidator(short_or_none)]
Row = Annotated[list[float], BeforeValidator(row_of)]
Rows = Annotated[list[list[float]], BeforeValidator(rows)]
Flags = Annotated[list[bool], BeforeValidator(lambda values: [bool(value) for value in values])]
Columns = Annotated[
    dict[str, list[float]],
    BeforeValidator(
        lambda columns: {name: [short(value) for value in values] for name, values in columns.items()}
    ),
]
