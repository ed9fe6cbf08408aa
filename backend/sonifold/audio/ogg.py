"""Tags of an Ogg Vorbis file, put in without encoding it again (RFC 3533; Vorbis I, sections 4.2 and 5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

HEADER = struct.Struct("<4sBBqIIIB")  # capture, version, flags, granule, serial, sequence, CRC, segments
REFLECTED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # each byte with its bits turned round
COMMENT, SETUP = b"\x03vorbis", b"\x05vorbis"  # how the second and third packet begin
CONTINUED = 1  # flag of a page that begins inside a packet
SEGMENT = 255  # bytes; a shorter one ends its packet
MOST_SEGMENTS = 255


@dataclass(frozen=True)
class Page:
    """A page as it stands in the file, without its checksum."""

    flags: int
    granule: int
    serial: int
    sequence: int
    segments: bytes  # their lengths
    body: bytes

    @classmethod
    def read(cls, file: bytes, start: int) -> Self:
        """Raises ValueError where there is none."""
        head = file[start : start + HEADER.size]
        if len(head) < HEADER.size or not head.startswith(b"OggS"):
            raise ValueError("this is not an Ogg file, or only a part of one.")
        _, _, flags, granule, serial, sequence, _, count = HEADER.unpack(head)
        begin = start + HEADER.size + count
        segments = file[begin - count : begin]
        body = file[begin : begin + sum(segments)]
        if len(segments) < count or len(body) < sum(segments):
            raise ValueError("this is only a part of an Ogg file.")
        return cls(flags, granule, serial, sequence, segments, body)

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return HEADER.size + len(self.segments) + len(self.body)

    def to_bytes(self) -> bytes:
        """With its checksum."""
        fields = self.flags, self.granule, self.serial, self.sequence
        rest = self.segments + self.body
        bare = HEADER.pack(b"OggS", 0, *fields, 0, len(self.segments)) + rest
        return HEADER.pack(b"OggS", 0, *fields, checksum(bare), len(self.segments)) + rest


def tagged(file: bytes, tags: Mapping[str, str]) -> bytes:
    """An Ogg Vorbis file with other tags and the same sound, bit for bit.

    Raises:
        ValueError: it is none.
    """
    pages = pages_of(file)
    first, comment_and_setup, sound = pages[0], *split_headers(pages)
    packets = [vorbis_comment(vendor_of(comment_and_setup), tags), setup_of(comment_and_setup)]
    headers = paged(packets, first.serial)
    later = [replace(page, sequence=1 + len(headers) + i) for i, page in enumerate(sound)]
    return b"".join(page.to_bytes() for page in (first, *headers, *later))


def pages_of(file: bytes) -> list[Page]:
    """All pages. Raises ValueError."""
    pages = [Page.read(file, 0)]
    start = pages[0].size
    while start < len(file):
        pages.append(Page.read(file, start))
        start += pages[-1].size
    return pages


def split_headers(pages: list[Page]) -> tuple[bytes, list[Page]]:
    """(the comment and the setup packet, the pages of sound behind them). Raises ValueError."""
    headers = b""
    ended = 0
    for number, page in enumerate(pages[1:], 1):
        headers += page.body
        ended += sum(length < SEGMENT for length in page.segments)
        if ended >= 2:
            return headers, pages[number + 1 :]
    raise ValueError("this is no Ogg Vorbis file: its headers are missing.")


def vendor_of(headers: bytes) -> bytes:
    """The encoder's name, with its length before it. Raises ValueError."""
    if not headers.startswith(COMMENT):
        raise ValueError("this is no Ogg Vorbis file: it has no comment header.")
    begin = len(COMMENT)
    return headers[begin : begin + 4 + int.from_bytes(headers[begin : begin + 4], "little")]


def setup_of(headers: bytes) -> bytes:
    """The setup packet, behind the comments. Raises ValueError."""
    at = len(COMMENT) + len(vendor_of(headers))
    count = int.from_bytes(headers[at : at + 4], "little")
    at += 4
    for _ in range(count):
        at += 4 + int.from_bytes(headers[at : at + 4], "little")
    setup = headers[at + 1 :]  # behind the framing bit
    if not setup.startswith(SETUP):
        raise ValueError("this is no Ogg Vorbis file: its headers are damaged.")
    return setup


def vorbis_comment(vendor: bytes, tags: Mapping[str, str]) -> bytes:
    """The packet that holds tags."""
    fields = [f"{name.upper()}={text}".encode() for name, text in tags.items()]
    listed = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    return COMMENT + vendor + len(fields).to_bytes(4, "little") + listed + b"\x01"


def paged(packets: list[bytes], serial: int) -> list[Page]:
    """Header packets on pages of their own, numbered from 1."""
    lengths = b"".join(
        bytes([SEGMENT] * (len(packet) // SEGMENT) + [len(packet) % SEGMENT]) for packet in packets
    )
    pages: list[Page] = []
    body, continued = b"".join(packets), 0
    for start in range(0, len(lengths), MOST_SEGMENTS):
        segments = lengths[start : start + MOST_SEGMENTS]
        granule = 0 if min(segments) < SEGMENT else -1  # -1: no packet ends here
        pages.append(Page(continued, granule, serial, 1 + len(pages), segments, body[: sum(segments)]))
        body = body[sum(segments) :]
        continued = CONTINUED if segments[-1] == SEGMENT else 0
    return pages


def checksum(data: bytes) -> int:
    """CRC-32 as Ogg has it: not reflected, from 0. zlib's is the same of reflected bits, and inverted at both ends."""
    reflected = zlib.crc32(data.translate(REFLECTED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(REFLECTED), "big")
