#!/bin/sh
# How loud stereo is once PyAV has mixed it to mono depends on the sample format: floats come out 3 dB louder than integers.
#
# Expected: to choose floats or integers decides how finely samples are held, not how loud they are; mono of two equal channels is that channel.
# Seen (PyAV 18.1.0, Linux, Python 3.11): two channels of 0.5 become 0.7071 where AudioResampler's output is "flt" or "fltp", and 0.5 where it
# is "s16" or "s32", from the same frame. Two channels of 0.9 become 1.27, beyond full scale. Mono to stereo is 3 dB lower in either:
# 0.5 becomes 0.3536 twice; so there and back keeps the level in floats, and loses 3 dB in integers.
# FFmpeg scales the mix so that it cannot overflow, for integers only.
# A way round: ask the resampler for the layout as it is, and take the mean of the channels oneself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 av==18.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import av
import numpy as np

SCALE = {"flt": 1, "fltp": 1, "s16": 2**15, "s16p": 2**15, "s32": 2**31, "s32p": 2**31}


def resampled(frame, format, layout):
    resampler = av.AudioResampler(format=format, layout=layout, rate=44100)
    return resampler.resample(frame)[0]


def level(frame, format, layout):
    return float(resampled(frame, format, layout).to_ndarray().ravel()[100] / SCALE[format])


def constant(value, layout, channels):
    frame = av.AudioFrame.from_ndarray(np.full((channels, 1000), value, dtype=np.float32), format="fltp", layout=layout)
    frame.sample_rate = 44100
    return frame


print("PyAV", av.__version__, "libswresample", ".".join(map(str, av.library_versions["libswresample"])))
stereo, mono = constant(0.5, "stereo", 2), constant(0.5, "mono", 1)
down = {format: level(stereo, format, "mono") for format in SCALE}
up = {format: level(mono, format, "stereo") for format in SCALE}
back = {format: level(resampled(mono, format, "stereo"), format, "mono") for format in SCALE}
for format in SCALE:
    print(f"{format:4}: stereo of 0.5 to mono {down[format]:.4f}, mono of 0.5 to stereo {up[format]:.4f}, to stereo and back {back[format]:.4f}")
loud = level(constant(0.9, "stereo", 2), "fltp", "mono")
print(f"stereo of 0.9 to mono, fltp: {loud:.4f}")
near = lambda value, right: abs(value - right) < 1e-3
floats = [format for format in SCALE if SCALE[format] == 1]
integers = [format for format in SCALE if SCALE[format] > 1]
as_described = (
    all(near(down[format], 0.7071) and near(back[format], 0.5) for format in floats)
    and all(near(down[format], 0.5) and near(back[format], 0.3536) for format in integers)
    and all(near(up[format], 0.3536) for format in SCALE)
    and near(loud, 1.2728)
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
