"""Names as people give them: in one form of Unicode, without what cannot be seen and means nothing."""

from __future__ import annotations

import unicodedata

LONGEST = 120
#: Zero-width non-joiner and joiner: letters of Persian or Hindi and the parts of an emoji are held apart or together
#: by them.
JOINERS = "\u200c\u200d"
TAGS = range(0xE0020, 0xE0080)  # spell the region in the flag of Scotland


def visible(name: str) -> str:
    """A name in normal form C, without control and format characters but joiners where they join."""
    name = unicodedata.normalize("NFC", name)
    visible_part = ""
    for character, after in zip(name, [*name[1:], ""], strict=True):
        if (
            character.isprintable()
            or (character in JOINERS and joins(visible_part[-1:], after))
            or tags(visible_part[-1:], character)
        ):
            visible_part += character
    return visible_part.strip()


def shortened(name: str) -> str:
    """At most 120 characters, not ending in a joiner."""
    return name[:LONGEST].rstrip(JOINERS).strip()


def file_name(path: str, otherwise: str) -> str:
    """The last part of a path as a visible name."""
    return shortened(visible(path.replace("\\", "/").split("/")[-1])) or otherwise


def joins(before: str, after: str) -> bool:
    """Whether a joiner between these two characters means something."""
    return bool(before and after) and all(unicodedata.category(c)[0] in "LMS" for c in (before, after))


def tags(before: str, character: str) -> bool:
    """Whether a character spells a flag, after the flag or after another such character."""
    return bool(before) and ord(character) in TAGS and (before == "\U0001f3f4" or ord(before) in TAGS)
