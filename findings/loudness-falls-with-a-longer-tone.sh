#!/bin/sh
# A steady tone of 0.46 seconds is 0.2 dB quieter than the same tone of 0.45 seconds, in pyloudnorm.
#
# Expected: the loudness of a steady tone does not depend on how long it is, above the least length: BS.1770 averages whole blocks of 0.4 s, at
# steps of 0.1 s, and an incomplete block at the end is not used.
# Seen (pyloudnorm 0.2.0, Linux, Python 3.11): the number of blocks is rounded to the nearest, not down. Where more than half a step is left over,
# the last block reaches past the end, and what is there is divided by the length of a whole one. A tone of 0.4, 0.45, 0.5 and 1 s has -3.05
# LUFS; one of 0.4501 s -3.33, of 0.46 s -3.27, of 0.56 s -3.19, of 1.06 s -3.10. Sounds that were set to the same loudness differ by that.
# A way round: cut the sound to 0.4 s and a whole number of 0.1 s before it is measured.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 pyloudnorm==0.2.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pyloudnorm

RATE = 44100
STEP, BLOCK = RATE // 10, RATE * 4 // 10
tone = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)
meter = pyloudnorm.Meter(RATE)


def loudness(seconds):
    return float(meter.integrated_loudness(tone[: round(seconds * RATE)]))


def loudness_of_whole_blocks(seconds):
    count = round(seconds * RATE)
    return float(meter.integrated_loudness(tone[: BLOCK + (count - BLOCK) // STEP * STEP]))


print("pyloudnorm", version("pyloudnorm"))
steady, lower = (0.4, 0.45, 0.5, 0.65, 1.0), {0.4501: -0.28, 0.46: -0.22, 0.48: -0.11, 0.56: -0.15, 1.06: -0.05}
for seconds in sorted([*steady, *lower]):
    print(f"{seconds:.4f} s: {loudness(seconds):.3f} LUFS, cut to whole blocks {loudness_of_whole_blocks(seconds):.3f}")
reference = loudness(0.4)
as_described = (
    all(abs(loudness(seconds) - reference) < 0.005 for seconds in steady)
    and all(abs(loudness(seconds) - reference - fall) < 0.015 for seconds, fall in lower.items())
    and all(abs(loudness_of_whole_blocks(seconds) - reference) < 0.005 for seconds in lower)
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
