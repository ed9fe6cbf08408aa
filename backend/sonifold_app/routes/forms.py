"""Forms with files: what routes that take them share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from sonifold.audio.folders import is_leftover
from sonifold.errors import AudioUnreadable
from sonifold_app.engine.questions import Upload
from sonifold_app.http.problems import Problem
from sonifold_app.routes.refusals import RequestItem
from sonifold_app.routes.services import services_of
from sonifold_app.schemas.common import MAX_FILES
from sonifold_app.schemas.problems import Refused
from sonifold_app.user.decoding import DecodingProcesses
from sonifold_app.user.names import file_name

FILES_FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {
                    "files": {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "minItems": 1,
                        "maxItems": MAX_FILES,
                        "description": "Sound files: WAV, FLAC, Ogg, MP3 or AIFF, at most 10 seconds each.",
                    }
                },
            }
        }
    },
}


def media_type(request: Request) -> str:
    """The media type of a request's body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_form(request: Request, content: str = "the sound files", field: str = "files") -> None:
    content_type = request.headers.get("content-type", "")
    if media_type(request) != "multipart/form-data":
        raise Problem(
            415,
            "media_type_unsupported",
            "Not a form with files",
            f"The request is {content_type[:100]!r}; send {content} as multipart/form-data in fields named '{field}'.",
        )


@asynccontextmanager
async def files_of(
    request: Request, field: str = "files", most: int = MAX_FILES
) -> AsyncIterator[list[UploadFile]]:
    """The files of a form, 1 to ``most``, on disk; they are gone afterwards.

    Raises BusyError, before the form is read, where too many uploads wait already.
    """
    services_of(request).uploads.refuse_when_full()
    instruction = f"Send {f'1 to {most} files' if most > 1 else 'one file'} as multipart/form-data, in fields"
    try:
        form = await request.form(max_files=most, max_fields=most)
    except Problem:
        raise
    except HTTPException as error:
        raise Problem(
            422,
            "request_invalid",
            "The form cannot be read",
            f"{error.detail.rstrip('.')}. {instruction} named '{field}'.",
        ) from error
    try:
        files = [file for file in form.getlist(field) if isinstance(file, UploadFile)]
        if not files:
            raise Problem(
                422,
                "request_invalid",
                "No files",
                f"The form has no file in a field named '{field}'. {instruction} named '{field}'.",
            )
        yield files
    finally:
        await form.close()


async def uploads_of(
    files: Sequence[UploadFile], decoding: DecodingProcesses | None
) -> tuple[list[RequestItem], list[Upload], list[Refused]]:
    """The files that may hold sound, each as an item of the request and read; and those that are not looked at any
    further: file managers' own, and what ends a decoder.
    """
    items, uploads, skipped = [], [], []
    for number, file in enumerate(files):
        item = RequestItem(number, file_name(file.filename or "", f"sound {number + 1}"))
        if is_leftover(file.filename or ""):
            skipped.append(
                item.refused("skipped", f"{item.name} was skipped: a file manager's own, no sound.")
            )
        else:
            upload = Upload(item.name, await file.read())
            try:
                if decoding is not None:
                    await decoding.check(upload)
            except AudioUnreadable as error:
                skipped.append(item.refused("audio_unreadable", str(error)))
            else:
                items.append(item)
                uploads.append(upload)
    return items, uploads, skipped
