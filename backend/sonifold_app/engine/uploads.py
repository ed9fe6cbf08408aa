"""What the engine does with sound files: split them, look at them, make them sounds that can be kept.

torch is imported where it is used, as in ``compute``.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sonifold.audio.limits import MAX_SPLIT_SECONDS
from sonifold_app.engine.base import (
    Admitted,
    Anchor,
    Caveat,
    Cut,
    CutFile,
    Neighbour,
    Recording,
    SplitFile,
    Upload,
)
from sonifold_app.engine.batching import Spread, attempt_each, serially
from sonifold_app.engine.compute import NEAREST, numbers, resolve
from sonifold_app.engine.finite import checked

if TYPE_CHECKING:
    from torch import Tensor

    from sonifold import caveat as science
    from sonifold.model import Model
    from sonifold.sound import Sound

#: Hz of the copy of a recording that is listened to: browsers resample what is faster, and badly.
LISTENING_RATE = 48_000
#: Columns of the picture of a recording.
COLUMNS = 1000


def admissions(
    model: Model, sounds: Sequence[Upload | Anchor], spread: Spread = serially
) -> list[Admitted | Exception]:
    return attempt_each(lambda sound: admit(model, sound), sounds, spread)


def admit(model: Model, asked: Upload | Anchor) -> Admitted:
    """A file, or what the model makes of an anchor's point, as a sound that can be kept."""
    if isinstance(asked, Anchor):
        sound = resolve(model, asked)
        audio = model.decode(sound.z[None]).audio[0]
        checked(numbers(audio))
        return admitted(model, model.recorded(audio, sound.z, sound.name), audio, None, {}, [])
    from sonifold.audio.check import examine
    from sonifold.audio.pitch import pitch
    from sonifold.audio.read import read

    recording = read(asked.data, name=asked.name)
    facts = examine(recording.samples, recording.sample_rate, recording.offset)
    sound = model.encode_recording(recording)
    assert sound.audio is not None, "encoded sounds have a recording"
    note = pitch(sound.audio.numpy(), model.sample_rate)
    told = [*asked.caveats, *caveats_of(sound.caveats)]
    return admitted(model, sound, sound.audio, note, dataclasses.asdict(facts), told)


def caveats_of(caveats: Sequence[science.Caveat]) -> list[Caveat]:
    return [Caveat(one.code, one.text) for one in caveats]


def admitted(
    model: Model,
    sound: Sound,
    audio: Tensor,
    pitch: float | None,
    facts: dict[str, float],
    caveats: Sequence[Caveat],
) -> Admitted:
    """A sound with what is around it."""
    import torch

    from sonifold.audio.clip import Clip
    from sonifold.audio.prepare import audible_seconds

    pcm = (audio.clamp(-1, 32_767 / 32_768) * 32_768).round().to(torch.int16).numpy()
    ((x, y),) = numbers(model.project(sound.z[None]))
    timbre = model.timbre(sound)
    nearest = [
        Neighbour(id, distance)
        for id, distance in model.nearby.nearest(sound, NEAREST, "perceptual", timbre=timbre)
    ]
    return Admitted(
        name=sound.name,
        seconds=audible_seconds(pcm),
        z=numbers(sound.z),
        position=(float(x), float(y)),
        in_distribution=bool(model.points.in_distribution(sound.z[None])[0]),
        nearest=tuple(nearest),
        timbre=numbers(timbre),
        audio=Clip(torch.from_numpy(pcm / 32_768), model.sample_rate).to_bytes("flac"),
        pitch=pitch,
        facts={**facts, "distance": nearest[0].distance},
        caveats=tuple(caveats),
    )


def split(upload: Upload, threshold: float | None) -> SplitFile:
    from sonifold.audio.onsets import THRESHOLD
    from sonifold.audio.proposals import proposals
    from sonifold.audio.read import read
    from sonifold.audio.resample import resampled

    recording = read(upload.data, name=upload.name, longest=MAX_SPLIT_SECONDS)
    found = proposals(recording, THRESHOLD if threshold is None else threshold)
    rate = min(recording.sample_rate, LISTENING_RATE)
    heard = resampled(recording.samples, recording.sample_rate, rate)
    scale = max(1.0, float(np.abs(heard).max()))  # a float take may go over full scale, 16 bits may not
    return SplitFile(
        name=upload.name,
        seconds=recording.seconds,
        sample_rate=recording.sample_rate,
        cuts=tuple(
            Cut(one.start, one.end, one.strength, float(20 * np.log10(max(one.peak, 1e-6)))) for one in found
        ),
        overview=overview(heard / scale),
        recording=Recording(wav_of(heard / scale, rate, "PCM_16"), len(heard), rate),
        caveats=tuple(caveats_of(recording.caveats)),
    )


def overview(samples: np.ndarray) -> np.ndarray:
    """The least and the largest sample in each of at most COLUMNS equal parts, (column, 2)."""
    columns = min(COLUMNS, len(samples))
    edges = np.linspace(0, len(samples), columns + 1).astype(int)[:-1]
    return np.stack([np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)], 1).astype(
        np.float32
    )


def cut(upload: Upload, spans: Sequence[tuple[float, float]]) -> CutFile:
    from sonifold.audio.read import read

    recording = read(upload.data, name=upload.name, longest=MAX_SPLIT_SECONDS)
    rate = recording.sample_rate
    parts = (recording.samples[round(start * rate) : round(end * rate)] for start, end in spans)
    return CutFile(
        tuple(wav_of(part, rate, "FLOAT") for part in parts),
        tuple(one for one in caveats_of(recording.caveats) if one.code != "over_full_scale"),
    )


def wav_of(samples: np.ndarray, sample_rate: int, subtype: str) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


def fingerprints(sounds: Sequence[bytes]) -> list[bytes]:
    """What kept sounds' files are told apart by, in half precision: good to .03 dB, and half the room."""
    import soundfile

    from sonifold.audio.fingerprint import fingerprint

    maps = (fingerprint(soundfile.read(io.BytesIO(one), dtype="int16")[0]) for one in sounds)
    return [map.astype("<f2").tobytes() for map in maps]


def duplicates(fingerprints: Sequence[bytes]) -> list[tuple[int, int, float]]:
    from sonifold.audio.check import alike
    from sonifold.audio.fingerprint import BANDS

    return alike([np.frombuffer(one, "<f2").reshape(-1, BANDS).astype(np.float32) for one in fingerprints])
