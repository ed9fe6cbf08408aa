"""Addresses of audio."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sonifold_app import urls
from sonifold_app.engine.examples import SHA256
from sonifold_app.schemas.common import Reply

AudioMode = Literal["steps", "glide", "sound"]


class AudioLink(Reply):
    """Sound to be fetched."""

    url: str = Field(description="Its address; what is there never changes.")
    sha256: str = Field(description="Of the WAV file.")
    seconds: float
    frames: int = Field(description="Samples in all.")
    mode: AudioMode = Field(
        description="`steps`: all steps laid end to end, step i starts at sample i x `step_samples`. "
        "`glide`: one sound that travels. `sound`: a single sound."
    )


AUDIO_EXAMPLE = {
    "url": urls.audio(SHA256),
    "sha256": SHA256,
    "seconds": 25.26,
    "frames": 1114112,
    "mode": "steps",
}
