#!/bin/sh
# After a seek in an MP3 of variable bit rate, soundfile reads up to 2,900 samples of silence where there is sound.
#
# Expected: seek(n) and read(k) give samples n to n + k of the whole file. MP3 is made for seeking: a decoder that starts a few frames early
# has all it needs, and soundfile's position is exact with a constant bit rate.
# Seen (soundfile 0.14.0 with libsndfile 1.2.2, Linux, Python 3.11): in an MP3 of a tone that soundfile wrote with its default settings, read()
# after seek() begins with zeros and wrong samples, 2,200 to 2,900 of them (50 to 65 ms), then is right. No error; tell() is right. With
# bitrate_mode="CONSTANT", or for noise, all are right.
# A frame's data may begin in earlier frames (the bit reservoir). Frames of a tone at a variable rate are small, so that it reaches over more
# frames than the decoder starts early.
# A way round: seek 8,000 samples too early, and read those first.
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

RATE, SECONDS, COUNT = 44100, 4, 8000
STARTS = (5_000, 50_000, 100_000, 132_307)
tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE * SECONDS) / RATE)
noise = 0.1 * np.random.default_rng(1).standard_normal(RATE * SECONDS)


def after_seek(samples, early=0, **settings):
    """For each start: how many samples after it differ from the whole file's, the last of them, and how many zeros come first."""
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="MP3", **settings)
    file.seek(0)
    whole, _ = soundfile.read(file)
    file.seek(0)
    rows = []
    with soundfile.SoundFile(file) as sound:
        for start in STARTS:
            sound.seek(start - early)
            part = sound.read(early + COUNT)[early:]
            differing = np.flatnonzero(np.abs(part - whole[start : start + COUNT]) > 1e-3)
            zeros = int(np.flatnonzero(np.append(part, 1) != 0)[0])
            rows.append((len(differing), int(differing.max(initial=-1)), zeros))
    return rows


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
variable = after_seek(tone)
for start, (count, last, zeros) in zip(STARTS, variable):
    print(f"tone, default settings, seek to {start}: {count} samples differ, the last is number {last}; it begins with {zeros} zeros")
others = {
    "tone, constant bit rate": after_seek(tone, bitrate_mode="CONSTANT", compression_level=0.2),
    "noise, default settings": after_seek(noise),
}
for name, rows in others.items():
    print(f"{name}: samples that differ: {sum(count for count, _, _ in rows)}")
as_described = (
    all(1500 < count and last < 4000 and zeros > 500 for count, last, zeros in variable)
    and sum(count for rows in others.values() for count, _, _ in rows) == 0
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
