#!/bin/sh
# A WAV in ADPCM that soundfile wrote comes back longer, in stereo with older sound behind its end, and its header tells other lengths.
#
# Expected: as many samples come back as were written. ADPCM is stored in blocks, and a WAV has a "fact" chunk so that a reader knows how many
# samples of the last one count; where it fills up, it fills with silence.
# Seen (soundfile 0.14.0 with libsndfile 1.2.2, Linux, Python 3.11): 0.4 s, 17,640 samples, come back as 20,420 (MS) and 20,445 (IMA).
# MS: the fact chunk says 17,640, and is not heeded by the library that wrote it. In stereo, the samples behind the end are those of the block
# before, at the same place in it: a piece of older sound, as loud as it was.
# IMA: what is behind is silent, but the fact chunk counts the whole blocks, and in stereo half of them, so that a reader that trusts it
# (tinytag 2.3.2) has half the length.
# A way round: keep the length elsewhere, and cut to it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 soundfile==0.14.0 tinytag==2.3.2
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import soundfile
import tinytag

RATE, COUNT = 44100, 17_640
t = np.arange(COUNT) / RATE
rise = np.linspace(0.2, 0.8, COUNT)
sound = rise * np.sin(2 * np.pi * (200 * t + 300 * t**2))


def chunk(content, name):
    start = content.index(name) + 8
    return content[start : start + int.from_bytes(content[start - 4 : start], "little")]


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
seen = {}
for subtype in ("MS_ADPCM", "IMA_ADPCM"):
    for channels in (1, 2):
        file = io.BytesIO()
        soundfile.write(file, np.stack([sound] * channels, axis=1), RATE, format="WAV", subtype=subtype)
        content = file.getvalue()
        block = int.from_bytes(chunk(content, b"fmt ")[18:20], "little")
        fact = int.from_bytes(chunk(content, b"fact"), "little")
        duration = tinytag.TinyTag.get(filename="sound.wav", file_obj=io.BytesIO(content)).duration
        samples = soundfile.read(io.BytesIO(content), always_2d=True)[0][:, 0]
        behind = samples[COUNT:]
        before = samples[COUNT - block : COUNT - block + len(behind)]
        likeness = float(np.corrcoef(behind, before)[0, 1])
        level = float(np.abs(behind).max())
        seen[subtype, channels] = len(samples), fact, round(duration * RATE), likeness, level
        print(
            f"{subtype}, {channels} channels: {COUNT} samples written, {len(samples)} read, fact {fact}, tinytag {duration * RATE:.0f};"
            f" behind the end: peak {level:.2f}, correlation with one block before {likeness:.3f}"
        )
lengths = {kind: row[:3] for kind, row in seen.items()}
as_described = (
    lengths["MS_ADPCM", 1] == (20_420, COUNT, COUNT)
    and lengths["MS_ADPCM", 2] == (18_324, COUNT, COUNT)
    and lengths["IMA_ADPCM", 1] == (20_445, 20_445, 20_445)
    and lengths["IMA_ADPCM", 2] == (18_369, 9184, 9184)
    and seen["MS_ADPCM", 2][3] > 0.98
    and seen["MS_ADPCM", 2][4] > 0.7
    and max(seen["IMA_ADPCM", channels][4] for channels in (1, 2)) < 0.02
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
