#!/bin/sh
# Digital silence of 16 bits is noise once soxr has resampled it, even to the same rate, and equal channels become different ones.
#
# Expected: zeros stay zeros; two equal channels stay equal, so that their difference is silent; the same rate in and out changes nothing; samples do
# not depend on the size of the chunks they come in.
# Seen (soxr 1.1.0, Linux, Python 3.11): for int16, about a quarter of the zeros become 1 or -1, from 44,100 to 48,000 Hz and from 44,100 to 44,100
# alike. Of two equal channels, about half of the samples differ. A ResampleStream gives samples up to 2 steps from those of resample().
# For int32 and float32, all four are as expected.
# libsoxr adds dither to 16 bits; the Python interface has no setting for that.
# A way round: resample as float32 and round oneself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 soxr==1.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import soxr

RATE, CHUNK = 44100, 1000
noise = np.random.default_rng(0).standard_normal(RATE) * 0.1


def seen(dtype, full):
    """The shares of samples that are not as expected: silence, silence at the same rate, equal channels; the largest step between
    a stream's samples and the whole's."""
    silence = np.zeros(RATE, dtype)
    sound = (noise * full).astype(dtype)
    pair = soxr.resample(np.stack([sound, sound], axis=1), RATE, 48000)
    stream = soxr.ResampleStream(RATE, 48000, 1, dtype=dtype)
    starts = range(0, RATE, CHUNK)
    chunks = [stream.resample_chunk(sound[start : start + CHUNK], last=start + CHUNK >= RATE) for start in starts]
    difference = np.concatenate(chunks).astype(np.float64) - soxr.resample(sound, RATE, 48000)
    return (
        float(np.mean(soxr.resample(silence, RATE, 48000) != 0)),
        float(np.mean(soxr.resample(silence, RATE, RATE) != 0)),
        float(np.mean(pair[:, 0] != pair[:, 1])),
        float(np.abs(difference).max()),
    )


print("soxr", soxr.__version__)
shares = {dtype: seen(dtype, full) for dtype, full in (("int16", 2**15), ("int32", 2**31), ("float32", 1))}
for dtype, (silence, same_rate, pair, step) in shares.items():
    print(f"{dtype}: zeros that do not stay zero {silence:.0%}, at the same rate {same_rate:.0%}; samples that differ between equal channels {pair:.0%}; stream against whole: {step:g}")
silence, same_rate, pair, step = shares.pop("int16")
as_described = (
    0.1 < silence < 0.4
    and 0.1 < same_rate < 0.4
    and 0.3 < pair < 0.6
    and 1 <= step <= 3
    and all(max(row) == 0 for row in shares.values())
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
