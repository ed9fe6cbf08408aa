"""Messages for files of which a part is missing."""

from __future__ import annotations

from sonifold.errors import AudioUnreadable


def cut_short(name: str, promised: float, present: float) -> AudioUnreadable:
    """The error for a file of which seconds are missing."""
    return AudioUnreadable(
        f"{name} is cut short: its header promises {promised:.2f} s of sound, and {max(present, 0):.2f} s are there; "
        f"{promised - max(present, 0):.2f} s are missing. Export or copy it again."
    )
