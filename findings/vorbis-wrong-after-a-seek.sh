#!/bin/sh
# After a seek in an Ogg Vorbis file, the first samples that soundfile reads are wrong.
#
# Expected: seek(n) and read(k) give what samples n to n + k of the whole file are, as they do for FLAC and Opus.
# Seen (soundfile 0.14.0 with libsndfile 1.2.2, Linux, Python 3.11): from the second Ogg page on, up to a thousand samples after the seek
# differ from the same samples of the whole file by as much as full scale; after those, all are right. No error, and tell() is right.
# Blocks of Vorbis overlap: the first after a seek needs the one before it, which is not decoded.
# A way round: seek 4,096 samples too early, and read those first.
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
STARTS = (20_000, 50_000, 75_000, 100_000, 132_300)
time = np.arange(RATE * SECONDS) / RATE
tone = 0.5 * np.sin(2 * np.pi * 440 * time)


def wrong_after_seek(format, subtype, early=0):
    """For each start: how many samples after it differ from the whole file's, the last of them, and by how much."""
    file = io.BytesIO()
    soundfile.write(file, tone, RATE, format=format, subtype=subtype)
    file.seek(0)
    whole, _ = soundfile.read(file)
    file.seek(0)
    rows = []
    with soundfile.SoundFile(file) as sound:
        for start in STARTS:
            sound.seek(start - early)
            part = sound.read(early + COUNT)[early:]
            difference = np.abs(part - whole[start : start + COUNT])
            differing = np.flatnonzero(difference > 1e-3)
            rows.append((len(differing), int(differing.max(initial=-1)), float(difference.max())))
    return rows


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
vorbis, flac = wrong_after_seek("OGG", "VORBIS"), wrong_after_seek("FLAC", "PCM_16")
early = wrong_after_seek("OGG", "VORBIS", early=4096)
for start, (count, last, most) in zip(STARTS, vorbis):
    print(f"Vorbis, seek to {start}: {count} samples differ, the last is number {last}, by at most {most:.2f}")
print("FLAC: samples that differ:", sum(count for count, _, _ in flac))
print("Vorbis, from 4,096 samples earlier: samples that differ:", sum(count for count, _, _ in early))
as_described = (
    max(most for _, _, most in vorbis) > 0.5
    and 0 <= max(last for _, last, _ in vorbis) < 2048
    and sum(count for count, _, _ in flac + early) == 0
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
