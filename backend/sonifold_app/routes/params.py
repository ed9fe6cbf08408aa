"""Parameters that several routes take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Query

from sonifold.audio.formats import FORMATS, AudioFormat
from sonifold_app.engine.examples import SOUND_ID
from sonifold_app.schemas.common import MAX_WEIGHT

SoundId = Annotated[str, Path(max_length=64, description="The sound's id.", examples=[SOUND_ID])]
FormatQuery = Annotated[AudioFormat | None, Query(description="The format to send; goes before Accept.")]
DownloadQuery = Annotated[str | None, Query(max_length=200, description="Save under this name.")]
WeightQuery = Annotated[
    float | None,
    Query(ge=0, le=MAX_WEIGHT, allow_inf_nan=False, description="Of the blend; by default the model's own."),
]
_MEDIA_TYPES = [f"`{file_format.media_types[0]}`" for file_format in FORMATS.values()]
Accept = Annotated[str | None, Header(description=f"The first is preferred: {', '.join(_MEDIA_TYPES)}.")]
