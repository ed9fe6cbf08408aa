"""MPEG audio (MP1, MP2, MP3): how many frames there are, counted, since many files do not say or say it wrongly.

Where the first frame is no Xing or Info header, decoders guess the length from the first bit rate, and libsndfile
reads no further than its guess. An Info frame with the count is put before such a stream.
"""

from __future__ import annotations

from dataclasses import dataclass

from sonifold.audio.sizes import cut_short
from sonifold.audio.view import View

#: kbit/s by index, for (version 1?, layer).
KBPS = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
JUNK = 1 << 16  # bytes in which the first frame is looked for
COUNTED = 1 << 26  # bytes; what is larger is hours long
LOST = 4096  # bytes between frames that are stepped over: a tag, or a damaged frame


@dataclass(frozen=True)
class Frame:
    """The header of a frame, read from its four bytes."""

    header: bytes
    version: int  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    layer: int
    rate: int  # Hz
    bytes: int
    samples: int
    mono: bool

    @property
    def side(self) -> int:
        """Bytes of side information after the header, in layer III."""
        return {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}[
            self.version == 3, self.mono
        ]

    def follows(self, other: Frame) -> bool:
        """True if it can belong to the same stream."""
        return (self.version, self.layer, self.rate) == (other.version, other.layer, other.rate)


def frame(header: bytes) -> Frame | None:
    """The frame that begins with these four bytes; None if none does, or one of free bit rate."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer, index, rate_index = (
        header[1] >> 3 & 3,
        4 - (header[1] >> 1 & 3),
        header[2] >> 4,
        header[2] >> 2 & 3,
    )
    if version == 1 or layer == 4 or index in (0, 15) or rate_index == 3 or header[3] & 3 == 2:
        return None
    rate, kbps, padding = RATES[version][rate_index], KBPS[version == 3, layer][index], header[2] >> 1 & 1
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    size = (12_000 * kbps // rate + padding) * 4 if layer == 1 else samples * 125 * kbps // rate + padding
    return Frame(header[:4], version, layer, rate, size, samples, header[3] >> 6 == 3)


def begins(view: View) -> int | None:
    """Position of the first of two consecutive frames; None if this is no MPEG audio."""
    data = view.at(0, JUNK)
    at = data.find(b"\xff")
    while at >= 0:
        first = frame(data[at : at + 4])
        if first is not None and continues(view, at + first.bytes, first):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def continues(view: View, position: int, first: Frame) -> bool:
    following = frame(view.at(position, 4))
    return following is not None and following.follows(first)


def settled(view: View, name: str) -> View:
    """The stream from its first frame on, with its true number of frames in an Info header.

    Raises AudioUnreadable where a header promises more than there is.
    """
    start = begins(view)
    if start is None or view.size > COUNTED:
        return view
    first = frame(view.at(start, 4))
    assert first is not None, "begins() found one"
    kind, promised = announced(view.at(start, first.bytes), first)
    sound = start + first.bytes if kind else start
    count = frames_from(view, sound, first)
    if promised is not None and count < promised - 1:
        length = first.samples / first.rate
        raise cut_short(name, promised * length, count * length)
    if first.layer != 3 or (kind in (b"Xing", b"Info") and promised is not None and count <= promised + 1):
        return view.part(start=start)
    return view.part(start=sound, head=info_frame(first, count))


def announced(data: bytes, first: Frame) -> tuple[bytes, int | None]:
    """(kind of header, frames) that the first frame announces; (b"", None) where it is sound."""
    at = 4 + first.side
    kind = data[at : at + 4]
    if first.layer == 3 and kind in (b"Xing", b"Info"):
        flags = int.from_bytes(data[at + 4 : at + 8], "big")
        return kind, int.from_bytes(data[at + 8 : at + 12], "big") if flags & 1 else None
    if first.layer == 3 and data[36:40] == b"VBRI":
        return b"VBRI", int.from_bytes(data[50:54], "big")
    return b"", None


def frames_from(view: View, position: int, first: Frame) -> int:
    """Whole frames of the stream from a position on; what is damaged between them is stepped over."""
    data, count, at = view.at(position, view.size - position), 0, 0
    while at + 4 <= len(data):
        current = frame(data[at : at + 4])
        if current is None or not current.follows(first):
            following = next_frame(data, at, first)
            if following is None:
                break
            at = following
            continue
        if at + current.bytes > len(data):
            break
        count += 1
        at += current.bytes
    return count


def next_frame(data: bytes, at: int, first: Frame) -> int | None:
    """Position of the next frame within a few kilobytes."""
    end = at + LOST
    while (at := data.find(b"\xff", at + 1, end)) >= 0:
        candidate = frame(data[at : at + 4])
        if candidate is not None and candidate.follows(first):
            after = frame(data[at + candidate.bytes : at + candidate.bytes + 4])
            if after is not None and after.follows(first):
                return at
    return None


def info_frame(first: Frame, count: int) -> bytes:
    """A frame without sound that says how many follow, after Xing's; decoders leave it out."""
    index = 5 if first.version == 3 else 8  # 64 kbit/s: room for the count
    header = bytes([0xFF, first.header[1] | 1, index << 4 | first.header[2] & 0x0C, first.header[3]])
    info_frame = frame(header)
    assert info_frame is not None, "the header of a layer III frame with another bit rate is one"
    content = bytes(info_frame.side) + b"Info" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return (header + content).ljust(info_frame.bytes, b"\0")
