#!/bin/sh
# An M4A that PyAV wrote and reads again is whole at its beginning, and up to 1,023 samples too long at its end, though its header has the length.
#
# Expected: what the encoder put before the sound and behind it is left out, as it is for MP3 and for Opus in Ogg; the container counts samples.
# Seen (PyAV 18.1.0, Linux, Python 3.11): 44,100 samples as AAC in an MP4 begin in place and come back as 45,056, whole packets of 1,024, while the
# stream's duration is 44,100. Opus in MP4 likewise: 48,000 come back as 48,648. In the same container ALAC and FLAC are exact; Opus in Ogg and MP3
# are, too. A loop that was cut at a period has a gap of 22 ms.
# FFmpeg takes the edit list's start for what to skip, not its end.
# A way round: stop at stream.duration * stream.time_base, where the container is an MP4.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys
from fractions import Fraction

import av
import numpy as np


def seen(codec, container, rate):
    """The numbers of samples: written, in the container's words, and read; and how late the sound begins."""
    sound = np.convolve(np.random.default_rng(0).standard_normal(rate), np.ones(8) / 8, "same") * 0.2
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as source:
        stream = source.streams.audio[0]
        counted = round(stream.duration * stream.time_base * rate)
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in source.decode(stream)]).astype(np.float64)
    late = int(np.argmax(np.correlate(samples[17_000:27_000], sound[20_000:24_000], "valid"))) - 3000
    return rate, counted, len(samples), late


print("PyAV", av.__version__, "libavformat", ".".join(map(str, av.library_versions["libavformat"])))
kinds = [("aac", "mp4", 44100), ("libopus", "mp4", 48000), ("alac", "mp4", 44100), ("flac", "mp4", 44100), ("libopus", "ogg", 48000), ("libmp3lame", "mp3", 44100)]
rows = {(codec, container): seen(codec, container, rate) for codec, container, rate in kinds}
for (codec, container), (written, counted, read, late) in rows.items():
    print(f"{codec} in {container}: {written} samples written, the container's duration is {counted}, {read} read; it begins {late} samples late")
as_described = (
    rows["aac", "mp4"] == (44_100, 44_100, 45_056, 0)
    and rows["libopus", "mp4"] == (48_000, 48_000, 48_648, 0)
    and all(read == written and late == 0 for kind, (written, _, read, late) in rows.items() if kind not in (("aac", "mp4"), ("libopus", "mp4")))
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
