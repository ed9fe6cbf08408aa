"""Names of sounds by a pattern such as ``{number}-{name}-{key}``."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace

from sonifold.errors import InstrumentInvalid
from sonifold.instruments.instrument import KeySound, key_name
from sonifold.instruments.layouts import tuning

FIELDS = ("number", "name", "key", "family")


def check_pattern(pattern: str) -> None:
    """Raises InstrumentInvalid for a pattern with other fields, or with braces that do not close."""
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(pattern) if field is not None]
    except ValueError as error:
        raise InstrumentInvalid(f"the name pattern {pattern!r} cannot be read: {error}.") from error
    unknown = [field for field in fields if field not in FIELDS]
    if unknown or not fields:
        possible = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise InstrumentInvalid(
            f"the name pattern {pattern!r} has {'no field' if not fields else f'the field {{{unknown[0]}}}'}; "
            f"it can have {possible}."
        )


def renamed(sounds: Sequence[KeySound], pattern: str) -> list[KeySound]:
    """The sounds under names by a pattern; a sound without a pitch has no key in its name.

    Raises:
        InstrumentInvalid: see :func:`check_pattern`.
    """
    check_pattern(pattern)
    digits = max(2, len(str(len(sounds))))
    return [
        replace(
            sound,
            name=pattern.format(
                number=f"{number:0{digits}d}",
                name=sound.name,
                key=key_name(tuning(sound)[0]) if sound.pitch_hz else "",
                family=sound.family,
            ),
        )
        for number, sound in enumerate(sounds, start=1)
    ]
