"""Replies that are bytes: validators, ranges, caching, names to save under (RFC 9110, RFC 6266)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response

from sonifold.audio.formats import FORMATS, AudioFormat
from sonifold_app.http.negotiation import AUDIO_TYPES
from sonifold_app.http.problems import Problem

#: For addresses whose bytes never change.
IMMUTABLE = "private, max-age=31536000, immutable"
#: For addresses whose bytes may: keep, but ask each time.
REVALIDATE = "private, no-cache"


def bytes_reply(
    request: Request, data: bytes, media_type: str, *, cache: str, headers: dict[str, str] | None = None
) -> Response:
    """Bytes with a strong validator: 304 where the client has them, 206 where it wants a part."""
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    common = {"ETag": etag, "Cache-Control": cache, **(headers or {})}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=common)
    common["Accept-Ranges"] = "bytes"
    range_header = request.headers.get("range")
    if range_header is None or request.headers.get("if-range", etag) != etag:
        return Response(data, media_type=media_type, headers=common)
    part = parse_range(range_header, len(data))
    if part is None:
        return Response(data, media_type=media_type, headers=common)
    common["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    return Response(data[part], status_code=206, media_type=media_type, headers=common)


def audio_reply(
    request: Request, data: bytes, format: AudioFormat, *, cache: str, download: str | None = None
) -> Response:
    """Sound in a negotiated format, to be played or, with a name, to be saved."""
    headers = {"Vary": "Accept"}
    if download is not None:
        headers["Content-Disposition"] = content_disposition(download, FORMATS[format].suffixes[0])
    return bytes_reply(request, data, AUDIO_TYPES[format][0], cache=cache, headers=headers)


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether a client that sent If-None-Match has the representation with this strong tag (weak
    comparison).
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))


def parse_range(header: str, length: int) -> slice | None:
    """The bytes that a Range header asks for, or None where all are to be sent.

    None for what a server may ignore: other units, several ranges, malformed ones. Raises 416 for a range
    that lies wholly beyond the end.
    """
    match = re.fullmatch(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", header, flags=re.IGNORECASE)
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(length - int(last), 0)
    stop = min(int(last) + 1, length) if first and last else length
    if start >= stop:
        raise Problem(
            416,
            "range_not_satisfiable",
            "No such part",
            f"The request asks for {header[:60]!r}, but there are only {length} bytes.",
            {"Content-Range": f"bytes */{length}"},
        )
    return slice(start, stop)


def content_disposition(name: str, suffix: str) -> str:
    """An attachment under a file name that every system takes, with an ending."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*').strip(" .")[
        :120
    ]
    name = name.removesuffix(f".{suffix}") or "sound"
    full = f"{name}.{suffix}"
    plain = unicodedata.normalize("NFKD", full).encode("ascii", "ignore").decode()
    if plain.startswith("."):
        plain = f"sound{plain}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"
