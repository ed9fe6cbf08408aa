"""The length that a file's header states, compared with the bytes in the file.

libsndfile believes such headers, or reads less without a word. Here each container's own sizes are read first: those
that were never filled in, by writers that stream or lost power, or are off by the header's length, mean "to the end
of the file" and are put right; a file of which a part is missing is refused, with how much in seconds.

    WAV, RF64, BW64     data chunk (RF64: ds64)    Microsoft RIFF; EBU Tech 3306
    W64                 data chunk by GUID         Sony Wave64
    AIFF, AIFC          COMM and SSND              Apple, Audio Interchange File Format
    AU                  header                     Sun
    CAF                 data chunk                 Apple, Core Audio Format
    FLAC                STREAMINFO                 RFC 9639
    MPEG                Xing, Info or none         ``mpeg``
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sonifold.audio import flac, mpeg
from sonifold.audio.sizes import cut_short
from sonifold.audio.view import View
from sonifold.errors import AudioUnreadable

#: What is written into 32 bits before a length is known: 0, 2^31 - 1 (Oboe), 2^31 (arecord), 2^31 - 4096 (sox),
#: 2^32 - 1 (ffmpeg), 2^32 - 37 (older ffmpeg); all lie in the last 64 KiB before 2^31 or 2^32, or just behind.
UNKNOWN_SPAN = 1 << 16
#: Sizes that only count a header in are too large by no more than so many bytes.
HEADER = 256
#: Chunks that stand behind the sound of a WAV.
TAGS = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"smpl", b"cue ", b"inst", b"acid", b"_PMX", b"JUNK", b"afsp",
        b"fact", b"PEAK", b"cart", b"levl", b"axml", b"Cr8r", b"PAD ", b"strc", b"DISP", b"umid", b"ResU",
        b"chna")  # fmt: skip
TAIL = 1 << 20  # bytes before the end in which such a chunk may begin
MPEG_TAGS = {0x50: "MP2", 0x55: "MP3"}  # of WAVEFORMATEX, with an MPEG stream in the data chunk
W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
W64_FMT = bytes.fromhex("666d7420f3acd3118cd100c04f8edb8a")
W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
AIFC_BYTES = {b"ulaw": 1, b"alaw": 1, b"ULAW": 1, b"ALAW": 1}  # a sample; others as the COMM chunk has it
AIFC_UNEVEN = (b"ima4", b"GSM ", b"MAC3", b"MAC6", b"Qclp", b"QDMC")  # no fixed number of bytes a sample
AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # a sample, by encoding


@dataclass(frozen=True)
class Payload:
    """Position of the sound's bytes in a file, and the size that the header states."""

    begin: int
    promised: int | None  # bytes; None where the header leaves it open
    per_second: float  # bytes
    rewrite: Callable[[int], dict[int, bytes]] = field(repr=False)  # patches for so many bytes of sound


def settled(view: View, name: str) -> View:
    """A file with sizes that hold. Raises AudioUnreadable where a part of it is missing."""
    view = view.part(start=id3_length(view))
    head = view.at(0, 16)
    for fits, repair in CONTAINERS:
        if fits(head):
            return repair(view, name)
    return view if head[:4] == b"OggS" else mpeg.settled(view, name)


def id3_length(view: View) -> int:
    """Bytes of ID3v2 tags before anything else, with the zeros that pad them."""
    position = 0
    while (head := view.at(position, 10))[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        position += 10 + size + (10 if head[5] & 0x10 else 0)
    if not position:
        return 0
    after = view.at(position, 4096)
    return position + (len(after) - len(after.lstrip(b"\0")) if after.strip(b"\0") else 0)


def is_unknown(size: int, bits: int = 32) -> bool:
    """True for a size that writers put in a header before they know the real one."""
    return size == 0 or any(abs((1 << power) - size) <= UNKNOWN_SPAN for power in (bits - 1, bits))


def sized(view: View, name: str, payload: Payload, end: int | None = None) -> View:
    """The view with the payload's true size in its header. ``end``: of the sound, where it is known."""
    last = view.size if end is None else end
    present = last - payload.begin
    promised = payload.promised
    if promised is None or (promised > present and promised - present <= min(payload.begin, HEADER)):
        promised = present
    if promised > present:
        raise cut_short(name, promised / payload.per_second, present / payload.per_second)
    if promised == payload.promised:
        return view
    return view.part(end=last, patches=payload.rewrite(promised))


# -- RIFF: WAV, RF64, BW64 -----------------------------------------------------------------------


def chunks(view: View, position: int, order: str, wide: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """(id, size, where its content begins) of IFF chunks; files have a handful."""
    width = 12 if wide else 8
    for _ in range(256):
        header = view.at(position, width)
        if len(header) < width:
            return
        (size,) = struct.unpack(order + ("q" if wide else "I"), header[4:])
        yield header[:4], size, position + width
        position += width + size + (0 if wide else size % 2)
        if size < 0 or position > view.size:
            return


def settled_riff(view: View, name: str) -> View:
    magic = view.at(0, 4)
    order = ">" if magic == b"RIFX" else "<"
    long = magic in (b"RF64", b"BW64")
    tag, per_second, ds64 = 0, 1.0, None
    for id, size, begin in chunks(view, 12, order):
        content = view.at(begin, 28)
        if id == b"fmt " and len(content) >= 16:
            tag, per_second = format_of(content, order)
        elif id == b"ds64":
            ds64 = begin
        elif id == b"data":
            payload = riff_payload(view, begin, size, per_second, order, ds64 if long else None)
            end = tags_begin(view, begin, order) if payload.promised is None else None
            whole = sized(view, name, payload, end)
            if tag in MPEG_TAGS:
                return mpeg.settled(whole.part(begin, begin + there_of(payload, end, view)), name)
            return whole
    return view


def there_of(payload: Payload, end: int | None, view: View) -> int:
    """Bytes of sound in a file that is whole."""
    present = (view.size if end is None else end) - payload.begin
    return present if payload.promised is None else min(payload.promised, present)


def format_of(content: bytes, order: str) -> tuple[int, float]:
    """(format tag, bytes a second) of a fmt chunk."""
    tag, _, rate, average, block, _ = struct.unpack(order + "HHIIHH", content[:16])
    if tag == 0xFFFE and len(content) >= 26:
        tag = struct.unpack(order + "H", content[24:26])[0]
    return tag, float((block * rate if tag in (1, 3) else average) or block * rate or 1)


def riff_payload(
    view: View, begin: int, size: int, per_second: float, order: str, ds64: int | None
) -> Payload:
    """The data chunk's; of an RF64 its size stands in the ds64 chunk."""
    if ds64 is not None and size == 0xFFFF_FFFF:
        (size,) = struct.unpack("<Q", view.at(ds64 + 8, 8))
        unknown = is_unknown(size, 64)
    else:
        unknown = is_unknown(size) and (size == 0 or begin + size > view.size)

    def rewrite(true: int) -> dict[int, bytes]:
        if ds64 is not None:
            sizes = struct.pack("<QQ", begin - 8 + true, true)
            return {ds64: sizes, begin - 4: struct.pack("<I", 0xFFFF_FFFF)}
        limit = 0xFFFF_FFFE
        return {
            4: struct.pack(order + "I", min(begin - 8 + true, limit)),
            begin - 4: struct.pack(order + "I", min(true, limit)),
        }

    return Payload(begin, None if unknown and view.size > begin else size, per_second, rewrite)


def tags_begin(view: View, begin: int, order: str) -> int | None:
    """Position of the chunks behind the sound, if they lead exactly to the file's end."""
    first = max(begin, view.size - TAIL)
    tail = view.at(first, view.size - first)
    starts = sorted({at for tag in TAGS for at in positions(tail, tag)})
    return next((first + at for at in starts if leads_to_end(tail, at, order)), None)


def positions(data: bytes, tag: bytes) -> Iterator[int]:
    at = data.find(tag)
    while at >= 0:
        yield at
        at = data.find(tag, at + 1)


def leads_to_end(tail: bytes, at: int, order: str) -> bool:
    """True if chunks follow one another from here to the end."""
    while at + 8 <= len(tail):
        if not all(32 <= byte < 127 for byte in tail[at : at + 4]):
            return False
        (size,) = struct.unpack(order + "I", tail[at + 4 : at + 8])
        at += 8 + size + size % 2
    return at in (len(tail), len(tail) + 1)


# -- the others ----------------------------------------------------------------------------------


def settled_w64(view: View, name: str) -> View:
    position, per_second = 40, 1.0
    for _ in range(256):
        header = view.at(position, 24)
        if len(header) < 24:
            break
        (size,) = struct.unpack("<Q", header[16:])
        if header[:16] == W64_FMT:
            _, per_second = format_of(view.at(position + 24, 28), "<")
        if header[:16] == W64_DATA:
            begin, at = position + 24, position + 16
            unknown = size <= 24 or is_unknown(size, 64)

            def rewrite(true: int, begin: int = begin, at: int = at) -> dict[int, bytes]:
                return {16: struct.pack("<Q", begin + true), at: struct.pack("<Q", true + 24)}

            return sized(view, name, Payload(begin, None if unknown else size - 24, per_second, rewrite))
        position += max(24, size + -size % 8)
    return view


def settled_aiff(view: View, name: str) -> View:
    comm, sound = None, None
    for id, size, begin in chunks(view, 12, ">"):
        if id == b"COMM":
            comm = begin
        elif id == b"SSND":
            sound = begin, size
            break
    if comm is None or sound is None:
        return view
    channels, frames, bits = struct.unpack(">HIH", view.at(comm, 8))
    codec = view.at(comm + 18, 4) if view.at(8, 4) == b"AIFC" else b"NONE"
    if codec in AIFC_UNEVEN:
        return view
    block = max(1, channels * AIFC_BYTES.get(codec, (bits + 7) // 8))
    (offset,) = struct.unpack(">I", view.at(sound[0], 4).ljust(4, b"\0"))
    begin = sound[0] + 8 + offset
    unknown = is_unknown(frames) or (is_unknown(frames * block) and frames * block > view.size)

    def rewrite(true: int) -> dict[int, bytes]:
        return {
            4: struct.pack(">I", min(begin - 8 + true, 0xFFFF_FFFE)),
            comm + 2: struct.pack(">I", true // block),
            sound[0] - 4: struct.pack(">I", 8 + offset + true // block * block),
        }

    payload = Payload(
        begin, None if unknown else frames * block, block * extended(view.at(comm + 8, 10)), rewrite
    )
    short = sound[1] < 8 + offset + frames * block  # the SSND chunk's own size was never filled in
    if short and not unknown and is_unknown(max(0, sound[1] - 8)):
        view = view.part(patches=rewrite(frames * block))
    return sized(view, name, payload)


def extended(data: bytes) -> float:
    """An 80-bit IEEE 754 number, as sample rates in AIFF are; at least 1."""
    exponent, mantissa = struct.unpack(">HQ", data.ljust(10, b"\0"))
    value: float = max(1.0, mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63))
    return value


def settled_au(view: View, name: str) -> View:
    order = ">" if view.at(0, 4) == b".snd" else "<"
    header = view.at(4, 20)
    if len(header) < 20:
        return view
    begin, size, encoding, rate, channels = struct.unpack(order + "5I", header)
    per_second = float(max(1, AU_BYTES.get(encoding, 1) * rate * channels))
    return sized(
        view,
        name,
        Payload(
            begin,
            None if is_unknown(size) else size,
            per_second,
            lambda true: {8: struct.pack(order + "I", true)},
        ),
    )


def settled_caf(view: View, name: str) -> View:
    per_second = 1.0
    for id, size, begin in chunks(view, 8, ">", wide=True):
        if id == b"desc":
            rate, _, _, bytes_, frames, *_ = struct.unpack(">d4sIIIII", view.at(begin, 32))
            per_second = rate * bytes_ / frames if bytes_ and frames else 0.0
        elif id == b"data":
            if not per_second or size < 0:  # packets of uneven length, or up to the end as the format allows
                return view if size < 0 or begin + size <= view.size else cut_packets(view, name, begin, size)
            return sized(view, name, Payload(begin + 4, size - 4, per_second, lambda _: {}))
    return view


def cut_packets(view: View, name: str, begin: int, size: int) -> View:
    """Raises AudioUnreadable for compressed sound of which a part is missing."""
    share = (view.size - begin) / size
    raise AudioUnreadable(
        f"{name} is cut short: {1 - share:.0%} of its sound is missing. Export or copy it again."
    )


CONTAINERS: tuple[tuple[Callable[[bytes], bool], Callable[[View, str], View]], ...] = (
    (lambda head: head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE", settled_riff),
    (lambda head: head == W64_RIFF, settled_w64),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), settled_aiff),
    (lambda head: head[:4] in (b".snd", b"dns."), settled_au),
    (lambda head: head[:4] == b"caff", settled_caf),
    (lambda head: head[:4] == b"fLaC", flac.settled),
)
