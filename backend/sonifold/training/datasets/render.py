"""Notes of soundfonts, rendered with fluidsynth.

Reverb and chorus are off. Playback is at 64 kHz, because the sampler's interpolation aliases, and is
brought to 44.1 kHz afterwards. Between two notes everything is silenced and reset, so that no note
carries a trace of the one before, and every event falls on a whole millisecond, which is one block of
64 samples of the synthesiser. The same queue then gives the same samples, run after run.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from sonifold.errors import DatasetError

RATE = 64_000  # Hz
START_MS = 500  # the synthesiser settles before the first note
LEAD_MS, HELD_MS, DRUM_HELD_MS, STEP_MS = 60, 1_000, 1_600, 1_700
DRUM_BANK, DRUM_CHANNEL = 128, 9
ALL_SOUND_OFF, RESET_CONTROLLERS, BANK_SELECT = 120, 121, 0


class Preset(NamedTuple):
    """One instrument or drum kit of a soundfont."""

    bank: int
    program: int
    name: str


class Note(NamedTuple):
    """A note to render: a preset, a MIDI note number and a velocity."""

    preset: Preset
    note: int
    velocity: int


def presets(font: Path) -> list[Preset]:
    """The presets of a soundfont, by bank and program (SoundFont 2.04, section 7.2, the PHDR chunk)."""
    data = font.read_bytes()
    start = data.rfind(b"phdr")
    if start < 0:
        raise DatasetError(f"{font} is not a SoundFont 2 file: it has no preset headers. Fetch it again.")
    (size,) = struct.unpack_from("<I", data, start + 4)
    presets = []
    for offset in range(start + 8, start + 8 + size - 38, 38):  # the last record only ends the list
        name, program, bank = struct.unpack_from("<20sHH", data, offset)
        presets.append(Preset(bank, program, name.split(b"\0")[0].decode("latin-1").strip()))
    return sorted(presets)


def render(font: Path, notes: Sequence[Note], folder: Path) -> Iterator[NDArray[np.float32]]:
    """The sound of each note, (sample, 2) at 64 kHz, in order. ``folder`` takes the temporary files.

    Raises ``DatasetError`` when fluidsynth or mido is missing, or fluidsynth fails.
    """
    score, sound = folder / "notes.mid", folder / "notes.wav"
    # The very first note of a run comes out a little different from all its repetitions: play it twice.
    write_score([*notes[:1], *notes], score)
    _play(font, score, sound)
    step = STEP_MS * RATE // 1000
    begin = (START_MS + LEAD_MS - 5) * RATE // 1000
    length = (STEP_MS - LEAD_MS) * RATE // 1000
    with soundfile.SoundFile(sound) as file:
        for index in range(len(notes)):
            file.seek((index + 1) * step + begin)
            yield file.read(length, dtype="float32", always_2d=True)
    sound.unlink()


def write_score(notes: Sequence[Note], path: Path) -> None:
    """A MIDI file in which note k begins ``START_MS + k * STEP_MS + LEAD_MS`` milliseconds in."""
    try:
        from mido import Message, MetaMessage, MidiFile, MidiTrack
    except ImportError as error:
        raise DatasetError(
            "the Python package mido is missing; install the extra: pip install 'sonifold[dataset]'"
        ) from error
    track = MidiTrack([MetaMessage("set_tempo", tempo=1_000_000, time=0)])  # 1000 ticks a beat: ticks are ms
    wait = START_MS
    for preset, note, velocity in notes:
        drum = preset.bank == DRUM_BANK
        channel = DRUM_CHANNEL if drum else 0
        held_ms = DRUM_HELD_MS if drum else HELD_MS

        for each in (0, DRUM_CHANNEL):
            track.append(Message("control_change", channel=each, control=ALL_SOUND_OFF, value=0, time=wait))
            track.append(Message("control_change", channel=each, control=RESET_CONTROLLERS, value=0, time=0))
            wait = 0
        bank = 0 if drum else preset.bank
        track.append(Message("control_change", channel=channel, control=BANK_SELECT, value=bank, time=20))
        track.append(Message("program_change", channel=channel, program=preset.program, time=0))
        track.append(Message("note_on", channel=channel, note=note, velocity=velocity, time=LEAD_MS - 20))
        track.append(Message("note_off", channel=channel, note=note, velocity=0, time=held_ms))
        wait = STEP_MS - LEAD_MS - held_ms
    track.append(MetaMessage("end_of_track", time=wait + 100))
    midi = MidiFile(ticks_per_beat=1000)
    midi.tracks.append(track)
    midi.save(path)


def _play(font: Path, score: Path, sound: Path) -> None:
    if shutil.which("fluidsynth") is None:
        raise DatasetError("the program fluidsynth is missing; install it: apt-get install fluidsynth")
    command = ["fluidsynth", "-q", "-n", "-i", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(RATE)]
    command += ["-o", "synth.dynamic-sample-loading=1", "-O", "float", "-T", "wav", "-F", str(sound)]
    reply = subprocess.run([*command, str(font), str(score)], capture_output=True, text=True, check=False)
    if reply.returncode != 0 or not sound.is_file():
        raise DatasetError(
            f"fluidsynth could not play {font} (exit {reply.returncode}: {reply.stderr.strip()}); "
            "check that the temporary folder has 1 GB free and the soundfont is whole."
        )
