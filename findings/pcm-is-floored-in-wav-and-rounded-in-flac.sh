#!/bin/sh
# The same floats become other 16-bit samples in a WAV than in a FLAC: soundfile rounds them down in the one, to the nearest in the other.
#
# Expected: FLAC is lossless, so a WAV and a FLAC of 16 bits written from the same floats hold the same samples, each the nearest there is.
# Seen (soundfile 0.14.0 with libsndfile 1.2.2, Linux, Python 3.11): in WAV and AIFF, PCM of 8, 16 and 24 bits is the floor of the value:
# (k + 0.9) / 32768 reads back as k, silence of -1e-9 as -1 / 32768, and noise is half a step too low on average, with an error of twice
# the size (root mean square) that rounding leaves. FLAC rounds to the nearest, and so does PCM of 32 bits. About half of all samples differ.
# soundfile asks libsndfile to clip; its conversion with clipping scales to 32 bits and drops the lower ones.
# A way round: round to integers first and write those, which every format then holds exactly.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 soundfile==0.14.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import soundfile

STEPS = {"PCM_16": 2.0**15, "PCM_24": 2.0**23, "PCM_32": 2.0**31}


def through(samples, format, subtype):
    """The samples that come back from a file in memory, in steps of its PCM."""
    file = io.BytesIO()
    soundfile.write(file, samples, 44100, format=format, subtype=subtype)
    file.seek(0)
    return soundfile.read(file)[0] * STEPS[subtype]


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
whole = np.arange(-5.0, 5.0)
gains = {}
for format, subtype in (("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("WAV", "PCM_24"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("WAV", "PCM_32")):
    gain = set(through((whole + 0.9) / STEPS[subtype], format, subtype) - whole)
    gains[format, subtype] = gain
    print(f"{format} {subtype}: k + 0.9 steps are read back as k + {sorted(map(int, gain))}")
noise = np.random.default_rng(0).uniform(-0.5, 0.5, 100_000)
wav, flac = through(noise, "WAV", "PCM_16"), through(noise, "FLAC", "PCM_16")
errors = {name: sound - noise * STEPS["PCM_16"] for name, sound in (("WAV", wav), ("FLAC", flac))}
for name, error in errors.items():
    print(f"{name} PCM_16 of noise: error {error.mean():+.3f} steps on average, {np.sqrt(np.mean(error**2)):.3f} root mean square")
differing = float(np.mean(wav != flac))
print(f"samples that differ between the WAV and the FLAC: {differing:.1%}")
print("silence of -1e-9 in a WAV, in steps:", through(np.full(3, -1e-9), "WAV", "PCM_16").tolist())
as_described = (
    [gains[kind] for kind in gains] == [{0.0}] * 3 + [{1.0}] * 3
    and abs(errors["WAV"].mean() + 0.5) < 0.01
    and abs(errors["FLAC"].mean()) < 0.01
    and 0.45 < differing < 0.55
    and set(through(np.full(10, -1e-9), "WAV", "PCM_16")) == {-1.0}
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
