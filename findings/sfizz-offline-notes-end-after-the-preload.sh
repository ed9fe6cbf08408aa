#!/bin/sh
# sfizz, rendering offline, now and then ends a note after its first 8192 frames and is silent from there on, without an error.
#
# Expected: rendering faster than real time waits for the rest of a sample's file, as sfizz's "freewheeling" is there for.
# Seen (pysfizz 0.1.3, which freewheels from the start; Linux, 2 cores): of notes that were rendered as soon as they were begun, 6 of 400 here and 2 of 14
# on a busier machine stop near frame 8192, how much of each file is read at loading. The others are right to the last frame.
# The rest of the file is read by a thread, and a voice whose file is not there yet when its first part has been played is over.
# A way round: begin the note, wait (.2 s here) and only then render; or hint_ram_based=1 in the SFZ, which reads all at loading.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pysfizz==0.1.3 soundfile==0.14.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys
import time

import numpy as np
import pysfizz
import soundfile

RATE, PRELOADED, NOTES = 44_100, 8192, 400
tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
soundfile.write("tone.wav", tone, RATE)
for name, hint in (("plain", ""), ("whole", "hint_ram_based=1")):
    with open(f"{name}.sfz", "w", encoding="utf-8") as file:
        file.write(f"<control> {hint}\n<region> sample=tone.wav key=69\n")


def silent_from(name, wait):
    """The frame from which a note of one second is silent."""
    synth = pysfizz.Synth(sample_rate=RATE, block_size=64)
    assert synth.load_sfz_file(f"{name}.sfz")
    synth._synth.note_on(0, 69, 127)
    time.sleep(wait)
    left = np.concatenate([np.array(synth._synth.render_block())[0] for _ in range(RATE // 64)])
    return int(np.flatnonzero(np.abs(left) > 1e-6).max()) + 1


print("pysfizz", importlib.metadata.version("pysfizz"))
cut = {}
for what, name, wait, notes in (
    ("rendered at once", "plain", 0, NOTES),
    ("after .2 s", "plain", 0.2, 40),
    ("at once, hint_ram_based=1", "whole", 0, NOTES),
):
    ends = np.array([silent_from(name, wait) for _ in range(notes)])
    cut[what] = int((ends < 2 * PRELOADED).sum())
    print(f"{what}: {cut[what]} of {notes} notes are silent from frame {ends.min()}" if cut[what] else f"{what}: all {notes} whole")
as_described = cut["rendered at once"] > 0 and cut["after .2 s"] == 0
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
