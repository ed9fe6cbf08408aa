"""How well a distance tells altered copies of a sound from other sounds.

    python tests/benchmarks/collection/near_duplicates.py --sounds 300

Copies are altered as they are in people's folders: another level, MP3 and Ogg, 22 and 48 kHz, a shorter tail, silence
before, two channels, a filter. Prints for each distance how many copies are missed below it, and how many pairs of
different library sounds are below it too.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable

import numpy as np
import soundfile
import torch
from altered import PACK, RATE, Floats

import sonifold
from sonifold.audio.fingerprint import distance, fingerprint
from sonifold.audio.prepare import one_shot, to_float
from sonifold.audio.read import read
from sonifold.audio.resample import resampled


def encoded(format: str, subtype: str, **options: float) -> Callable[[Floats], bytes]:
    def write(sound: Floats) -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, sound, RATE, subtype=subtype, format=format, **options)
        return buffer.getvalue()

    return write


def wav(sound: Floats, rate: int = RATE, subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, subtype=subtype, format="WAV")
    return buffer.getvalue()


def shorter(sound: Floats) -> Floats:
    """Without its last 30 %, faded out over a tenth of what is left."""
    end = int(0.7 * len(sound))
    fade = end // 10
    return sound[:end] * np.concatenate([np.ones(end - fade), np.linspace(1, 0, fade)])


ALTERATIONS: dict[str, Callable[[Floats], bytes]] = {
    "another level": lambda sound: wav(0.25 * sound, subtype="PCM_24"),
    "MP3": encoded("MP3", "MPEG_LAYER_III"),
    "Ogg": encoded("OGG", "VORBIS"),
    "48 kHz": lambda sound: wav(resampled(sound, RATE, 48_000), 48_000),
    "22 kHz": lambda sound: wav(resampled(sound, RATE, 22_050), 22_050),
    "20 ms of silence before": lambda sound: wav(np.concatenate([np.zeros(882), sound])),
    "stereo": lambda sound: wav(np.stack([sound, 0.7 * sound], axis=1)),
    "a tail less": lambda sound: wav(shorter(sound)),
    "3 dB less treble": lambda sound: wav(0.85 * sound + 0.15 * np.roll(sound, 1)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sounds", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = sonifold.load("oneshots")
    random = np.random.default_rng(0)
    ids = [model.library.ids[row] for row in random.permutation(len(model.library.ids))[: options.sounds]]
    sounds = [soundfile.read(PACK / f"{id}.ogg")[0] for id in ids]
    originals = [one_shot(read(wav(sound))) for sound in sounds]
    phi, maps = timbre(model, originals), [fingerprint(pcm) for pcm in originals]
    unit = model.config.unit_per_phi
    other = unit * torch.cdist(phi, model.library.timbre)
    own = [model.library.index(id) for id in ids]
    other[torch.arange(len(ids)), own] = torch.inf
    others = other.min(1).values.numpy()
    copied = {name: [one_shot(read(alter(sound))) for sound in sounds] for name, alter in ALTERATIONS.items()}
    near = {name: unit * (timbre(model, copies) - phi).norm(dim=1).numpy() for name, copies in copied.items()}
    mapped = {
        name: np.array([distance(fingerprint(copy), own) for copy, own in zip(copies, maps, strict=True)])
        for name, copies in copied.items()
    }
    print(f"{'altered by':28} median, 95 %, most in Phi (model's unit) | in the fingerprint's dB")
    for name in ALTERATIONS:
        print(f"{name:28} {quantiles(near[name])} | {quantiles(mapped[name])}")
    print(
        f"{'nearest other library sound':28} least, 1 %, 5 %: {np.quantile(others, [0, 0.01, 0.05]).round(2)}"
    )
    every = np.concatenate(list(near.values()))
    for limit in (0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0):
        missed = {name: f"{100 * (values > limit).mean():.1f}" for name, values in near.items()}
        print(
            f"below {limit}: of {every.size} copies {100 * (every > limit).mean():.1f} % missed, of {len(ids)} sounds "
            f"{100 * (others <= limit).mean():.2f} % have another below it ({missed})"
        )


def quantiles(values: Floats) -> str:
    return " ".join(f"{value:6.2f}" for value in np.quantile(values, [0.5, 0.95, 1]))


def timbre(model: sonifold.Model, sounds: list[Floats]) -> torch.Tensor:
    audio = torch.from_numpy(np.stack([to_float(pcm) for pcm in sounds]))
    return torch.cat([model.timbre_of(part) for part in audio.split(16)])


if __name__ == "__main__":
    main()
