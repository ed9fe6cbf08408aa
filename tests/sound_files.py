"""Sound files that libsndfile does not write, made by FFmpeg."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest


def ffmpeg_file(
    sound: np.ndarray,
    codec: str,
    container: str,
    rate: int = 44_100,
    options: dict[str, str] | None = None,
    path: Path | None = None,
) -> bytes:
    """A mono sound (sample,) by one of FFmpeg's encoders; some containers can be finished on a ``path`` only."""
    av = pytest.importorskip("av", reason="PyAV, the extra m4a, is not installed")
    buffer = io.BytesIO()
    with av.open(str(path) if path else buffer, "w", format=container, options=options or {}) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        sample_format = stream.codec_context.codec.audio_formats[0].name
        stream.format = sample_format
        samples = sound[None].astype(np.float32)
        for start in range(0, len(sound), 1024):
            part = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout="mono"
            )
            part.sample_rate, part.pts = rate, start
            resampler = av.AudioResampler(format=sample_format, layout="mono", rate=rate)
            for frame in resampler.resample(part):
                file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path.read_bytes() if path else buffer.getvalue()
