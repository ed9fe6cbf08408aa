"""Operations on sound files: split, cut, compare, embed, prepare them to be stored.

torch is imported where it is used: the server answers before it is there.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sonifold.audio.formats import BitDepth
from sonifold.audio.limits import MAX_SPLIT_SECONDS
from sonifold_app.engine.answers import (
    Caveat,
    CutFile,
    EmbeddingFacts,
    Neighbour,
    PreparedSound,
    ProposedSound,
    Recording,
    Rendered,
    SplitFacts,
)
from sonifold_app.engine.finite import checked
from sonifold_app.engine.numbers import Numbers, numbers, rows
from sonifold_app.engine.operations.sounds import NEAREST, caveats_of, position_of, resolve
from sonifold_app.engine.parallel import each
from sonifold_app.engine.protocol import Lane, Operation
from sonifold_app.engine.questions import Anchor, CutQuery, SplitQuery, Upload

if TYPE_CHECKING:
    from torch import Tensor

    from sonifold.model import Model
    from sonifold.sound import Sound

#: Columns of the picture of a recording.
COLUMNS = 1000


def embed(model: Model, upload: Upload) -> EmbeddingFacts:
    """The latent point and the position of a sound that is not in the library."""
    sound = model.encode(upload.data, name=upload.name)
    x, y = position_of(model, sound.z)
    nearest = model.neighbours(sound, NEAREST)
    return EmbeddingFacts(
        name=upload.name,
        seconds=round(sound.seconds or 0.0, 4),
        z=sound.z,
        x=x,
        y=y,
        nearest=[Neighbour(id=id, distance=distance) for id, distance in nearest],
        warnings=caveats_of(sound.caveats),
    )


def prepare_sound(model: Model, source: Upload | Anchor) -> PreparedSound:
    """A file, or what the model makes of an anchor's point, as a sound that can be stored."""
    if isinstance(source, Anchor):
        sound = resolve(model, source)
        audio = model.decode(sound.z[None]).audio[0]
        checked(numbers(audio))
        return prepared(model, model.recorded(audio, sound.z, sound.name), audio, None, {}, [])
    from sonifold.audio.check import examine
    from sonifold.audio.pitch import pitch
    from sonifold.audio.read import read

    recording = read(source.data, name=source.name)
    facts = examine(recording.samples, recording.sample_rate, recording.offset)
    sound = model.encode_recording(recording)
    assert sound.audio is not None, "encoded sounds have a recording"
    note = pitch(sound.audio.numpy(), model.sample_rate)
    caveats = [*source.caveats, *caveats_of(sound.caveats)]
    return prepared(model, sound, sound.audio, note, dataclasses.asdict(facts), caveats)


def prepared(
    model: Model,
    sound: Sound,
    audio: Tensor,
    pitch: float | None,
    facts: dict[str, float],
    caveats: Sequence[Caveat],
) -> PreparedSound:
    """A sound with its recording (sample,) as FLAC, its timbre, and its neighbours."""
    import torch

    from sonifold.audio.clip import Clip
    from sonifold.audio.prepare import audible_seconds

    pcm = (audio.clamp(-1, 32_767 / 32_768) * 32_768).round().to(torch.int16).numpy()
    timbre = model.timbre(sound)
    nearest = model.nearby.nearest(sound, NEAREST, timbre=timbre)
    _, least_distance = nearest[0]
    return PreparedSound(
        name=sound.name,
        seconds=audible_seconds(pcm),
        z=numbers(sound.z),
        position=position_of(model, sound.z),
        in_distribution=bool(model.distribution.contains(sound.z[None])[0]),
        nearest=tuple(Neighbour(id=id, distance=distance) for id, distance in nearest),
        timbre=numbers(timbre),
        audio=Clip(torch.from_numpy(pcm / 32_768), model.sample_rate).to_bytes("flac"),
        pitch=pitch,
        facts={**facts, "distance": least_distance},
        caveats=tuple(caveats),
    )


def split(model: None, query: SplitQuery) -> Rendered[SplitFacts]:
    """The sounds in a longer recording, and the recording in mono to listen to."""
    from sonifold.audio.frames import peak
    from sonifold.audio.onsets import THRESHOLD
    from sonifold.audio.proposals import ListeningCopy, proposals
    from sonifold.audio.read import read

    name = query.upload.name
    recording = read(query.upload.data, name=name, longest=MAX_SPLIT_SECONDS)
    copy = ListeningCopy.of(recording)
    cuts = proposals(recording, THRESHOLD if query.threshold is None else query.threshold, copy)
    stem = stem_of(name)
    seconds, sample_rate, caveats = recording.seconds, recording.sample_rate, recording.caveats
    mono, rate = copy.samples, copy.sample_rate
    del recording, copy  # the memory of samples at a higher rate, before the file takes its own
    if (largest := peak(mono)) > 1:  # a float take may go over full scale, 16 bits may not
        mono /= np.float32(largest)
    facts = SplitFacts(
        name=name,
        seconds=round(seconds, 4),
        sample_rate=sample_rate,
        overview=[[round(low, 4), round(high, 4)] for low, high in rows(overview(mono))],
        sounds=[
            ProposedSound(
                start=round(cut.start, 4),
                end=round(cut.end, 4),
                name=f"{stem[:110]} {number}" if len(cuts) > 1 else stem,
                strength=cut.strength,
                peak_db=round(float(20 * np.log10(max(cut.peak, 1e-6))), 2),
            )
            for number, cut in enumerate(cuts, start=1)
        ],
        warnings=caveats_of(caveats),
    )
    return Rendered(facts, Recording(wav_of(mono, rate, 16), len(mono), rate))


def stem_of(name: str) -> str:
    """A file's name without its ending."""
    stem, dot, ending = name.rpartition(".")
    return stem.strip() if dot and stem.strip() and len(ending) <= 5 else name


def overview(samples: Numbers) -> Numbers:
    """The least and the largest sample in each of at most COLUMNS equal parts, (column, 2)."""
    columns = min(COLUMNS, len(samples))
    edges = np.linspace(0, len(samples), columns + 1).astype(int)[:-1]
    least, largest = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    return np.stack([least, largest], 1).astype(np.float32)


def cut(model: None, query: CutQuery) -> CutFile:
    """Parts of a recording, each as a sound file."""
    from sonifold.audio.read import read

    recording = read(query.upload.data, name=query.upload.name, longest=MAX_SPLIT_SECONDS)
    rate = recording.sample_rate
    parts = (recording.samples[round(start * rate) : round(end * rate)] for start, end in query.spans)
    caveats = caveats_of(recording.caveats)
    return CutFile(
        tuple(wav_of(part, rate, 32) for part in parts),
        tuple(caveat for caveat in caveats if caveat.code != "over_full_scale"),
    )


def wav_of(samples: Numbers, sample_rate: int, depth: BitDepth) -> bytes:
    """Samples (sample,) as a WAV of so many bits."""
    import torch

    from sonifold.audio.clip import Clip

    return Clip(torch.from_numpy(samples), sample_rate).to_bytes("wav", depth)


def fingerprint(model: None, audio: bytes) -> bytes:
    """What a prepared sound's file is told apart by, in half precision: good to .03 dB, and half the room."""
    import soundfile

    from sonifold.audio import fingerprint as science

    samples, _ = soundfile.read(io.BytesIO(audio), dtype="int16")
    return science.fingerprint(samples).astype("<f2").tobytes()


def duplicates(model: None, fingerprints: Sequence[bytes]) -> list[tuple[int, int, float]]:
    """Which fingerprints are of the same sound: (earlier, later, dB apart)."""
    from sonifold.audio.check import alike
    from sonifold.audio.fingerprint import BANDS

    maps = [np.frombuffer(data, "<f2").reshape(-1, BANDS).astype(np.float32) for data in fingerprints]
    return alike(maps)


EMBED = Operation("embed", Upload, EmbeddingFacts, each(embed), rank=1)
PREPARE_SOUND = Operation("prepare_sound", Upload | Anchor, PreparedSound, each(prepare_sound), rank=1)
SPLIT = Operation("split", SplitQuery, Rendered[SplitFacts], each(split), Lane.FILES)
CUT = Operation("cut", CutQuery, CutFile, each(cut), Lane.FILES)
FINGERPRINT = Operation("fingerprint", bytes, bytes, each(fingerprint), Lane.FILES)
DUPLICATES = Operation(
    "duplicates", Sequence[bytes], list[tuple[int, int, float]], each(duplicates), Lane.FILES
)
