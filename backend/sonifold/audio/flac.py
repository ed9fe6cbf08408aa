"""Length of a FLAC stream, from its last frame: encoders that cannot go back leave the header at 0 (RFC 9639)."""

from __future__ import annotations

from sonifold.audio.sizes import cut_short
from sonifold.audio.view import View

TOTAL = 21  # where the 36 bits of the number of samples begin, after 4 bits that belong to the sample size
LARGEST_FRAME = (
    1 << 20
)  # bytes; a frame of 65,535 samples of 8 channels is larger only if it is not compressed
CRC = 0x07  # x^8 + x^2 + x + 1


def settled(view: View, name: str) -> View:
    """The stream with the number of its samples in the header, found in its last frame.

    Raises AudioUnreadable where the header promises more.
    """
    head = view.at(0, TOTAL + 5)
    if len(head) < TOTAL + 5 or head[4] & 0x7F != 0:
        return view
    rate = int.from_bytes(head[18:21], "big") >> 4
    promised = (head[TOTAL] & 15) << 32 | int.from_bytes(head[TOTAL + 1 :], "big")
    present = last_sample(view, int.from_bytes(head[10:12], "big"))
    if present < promised and present and rate:
        raise cut_short(name, promised / rate, present / rate)
    if promised:
        return view
    new = bytes([head[TOTAL] & 0xF0 | present >> 32]) + (present & 0xFFFF_FFFF).to_bytes(4, "big")
    return view.part(patches={TOTAL: new})


def last_sample(view: View, block: int) -> int:
    """Samples up to the end of the last frame; 0 if there is none. ``block``: samples a frame, where that is fixed."""
    first_frame = view.at(sound_begins(view), 4)
    begin = max(0, view.size - LARGEST_FRAME)
    tail = view.at(begin, view.size - begin)
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        header = tail[at : at + 16]
        if alike(header, first_frame) and (position := frame(header, block)):
            return sum(position)
    return 0


def sound_begins(view: View) -> int:
    """Position of the first frame, after the metadata."""
    position, last = 4, False
    while not last and len(head := view.at(position, 4)) == 4:
        last = bool(head[0] & 0x80)
        position += 4 + int.from_bytes(head[1:], "big")
    return position


def alike(header: bytes, first: bytes) -> bool:
    """True if two frames can belong to one stream: same kind of numbering, rate and sample size."""
    return (
        len(header) > 4
        and header[:2] == first[:2]
        and (header[2] ^ first[2]) & 15 == (header[3] ^ first[3]) & 14 == 0
    )


def frame(data: bytes, block: int) -> tuple[int, int] | None:
    """(first sample, samples) of the frame that begins here; None if none does."""
    number, after = coded_number(data[4:])
    if number is None or len(data) < 8 or data[3] & 1:
        return None
    position = 4 + after
    code = data[2] >> 4
    size = {1: 192, 6: 0, 7: 0, 0: -1}.get(code, 576 << code - 2 if code < 6 else 1 << code)
    extra = {6: 1, 7: 2}.get(code, 0)
    if extra:
        size = int.from_bytes(data[position : position + extra], "big") + 1
    position += extra + {12: 1, 13: 2, 14: 2}.get(data[2] & 15, 0)
    if size <= 0 or data[2] & 15 == 15 or position >= len(data) or crc8(data[:position]) != data[position]:
        return None
    return (number if data[1] & 1 else number * block), size


def coded_number(data: bytes) -> tuple[int | None, int]:
    """(number, bytes) of an integer coded as UTF-8 does characters, up to 36 bits."""
    if not data:
        return None, 0
    length = next((i for i in range(8) if not data[0] & 0x80 >> i), 8)
    if length in (1, 8) or len(data) < length or any(byte & 0xC0 != 0x80 for byte in data[1:length]):
        return None, 0
    number = data[0] & 0x7F >> length
    for byte in data[1:length]:
        number = number << 6 | byte & 0x3F
    return number, max(length, 1)


def crc8(data: bytes) -> int:
    """Of a frame's header."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ CRC if value & 0x80 else value << 1) & 0xFF
    return value
