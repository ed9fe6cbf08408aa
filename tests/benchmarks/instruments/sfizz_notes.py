"""Run by the interpreter that has pysfizz: notes of an SFZ, as JSON says, each into a WAV of floats.

{"notes": [{"sfz": "...", "key": 60, "wheel": 64 or null, "seconds": 1.2, "out": "..."}], "rate": 44100}
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pysfizz
import soundfile

BLOCK = 64  # frames
LOADING = 0.2  # seconds: a note whose file is not yet read whole falls silent after its first 8192 frames
GLIDE = 0.2  # seconds that a controller takes


def blocks(synth: pysfizz.Synth, seconds: float) -> list[np.ndarray]:
    return [np.array(synth._synth.render_block()) for _ in range(int(seconds * job["rate"] / BLOCK))]


def render(note: dict) -> np.ndarray:
    """Both channels of a note that is held to the end, (frame, channel)."""
    synth = pysfizz.Synth(sample_rate=job["rate"], block_size=BLOCK)
    if not synth.load_sfz_file(note["sfz"]):
        sys.exit(f"sfizz does not load {note['sfz']}")
    if note["wheel"] is not None:
        synth._synth.cc(0, 1, note["wheel"])
        blocks(synth, GLIDE)
    synth._synth.note_on(0, note["key"], 127)
    time.sleep(LOADING)
    return np.concatenate(blocks(synth, note["seconds"]), axis=1).T


job = json.load(sys.stdin)
for note in job["notes"]:
    soundfile.write(note["out"], render(note), job["rate"], subtype="FLOAT")
