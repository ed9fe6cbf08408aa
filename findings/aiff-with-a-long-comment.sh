#!/bin/sh
# An AIFF that soundfile wrote without an error cannot be opened by soundfile once its comment has 8,190 bytes.
#
# Expected: what write() takes, read() gives back; a text that a format cannot hold raises where it is set, or is lost, and the sound stays.
# Seen (soundfile 0.14.0 with libsndfile 1.2.2, Linux, Python 3.11): with a comment of 8,189 bytes the sound and the comment come back. With
# one more, the file is written without an error, is complete, and opening it raises "Unspecified internal error": the sound is out of reach.
# AIFF allows 2^31 - 1 bytes, and FFmpeg (PyAV 18.1.0) reads the sound and the whole comment. FLAC of soundfile holds such a comment.
# A way round: keep texts in AIFF shorter, or open the written file once before the source of the sound is let go.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 soundfile==0.14.0 av==18.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import av
import numpy as np
import soundfile

RATE = 44100
tone = np.round(16384 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.int16)


def written(format, length):
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE, 1, "PCM_16", format=format) as sound:
        sound.comment = "c" * length
        sound.write(tone)
    return file.getvalue()


def by_soundfile(content):
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            return len(sound.comment), bool(np.array_equal(sound.read(dtype="int16"), tone))
    except soundfile.LibsndfileError as error:
        return str(error.error_string)


def by_ffmpeg(content):
    with av.open(io.BytesIO(content)) as container:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
        return len(container.metadata.get("comment", "")), bool(np.array_equal(samples, tone))


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__, "PyAV", av.__version__)
print("what each reads: the length of the comment, and whether the sound is the one that was written")
answers = {}
for format, length in (("AIFF", 8189), ("AIFF", 8190), ("AIFF", 20_000), ("FLAC", 20_000)):
    content = written(format, length)
    answers[format, length] = by_soundfile(content), by_ffmpeg(content)
    print(f"{format}, comment of {length} bytes, file of {len(content)}: soundfile {answers[format, length][0]}, FFmpeg {answers[format, length][1]}")
as_described = (
    answers["AIFF", 8189] == ((8189, True), (8189, True))
    and isinstance(answers["AIFF", 8190][0], str)
    and isinstance(answers["AIFF", 20_000][0], str)
    and answers["AIFF", 8190][1] == (8190, True)
    and answers["AIFF", 20_000][1] == (20_000, True)
    and answers["FLAC", 20_000] == ((20_000, True), (20_000, True))
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
