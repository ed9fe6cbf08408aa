"""Morphs of one checkout, measured: run by __main__.py as a process of its own, with that checkout's backend first.

    python child.py FOLDER SET COUNT [--glides N]

writes FOLDER/SET-INDEX.json for each pair that is not there yet, and its mid points, SET-INDEX.npz.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import hearing
import numpy as np
import torch

import sonifold
from sonifold.audio.timbre import timbre_features
from sonifold.representation.spectral import ONSET

try:
    from sonifold.audio.levels import log_mel_error, mel_levels
except ModuleNotFoundError:  # an earlier checkout
    from sonifold.evaluate.audio import log_mel_error, mel_levels  # type: ignore

STEPS = 17
MIDDLE = slice(7, 10)
NEIGHBOURS = 5
DRUMS = ("Kick", "Snare", "Tom", "Cymbal", "Percussion")
KINDS = ("geodesic", "retimed")
PITCHED = (60.0, 900.0)  # Hz
APART = (3.0, 14.0)  # semitones
NEAR = 1.0  # semitones: a step closer to an end's pitch than this says nothing about crossing


def pairs(model: sonifold.Model, name: str, count: int) -> list[tuple[int, int]]:
    """Pairs of library sounds, the same in every checkout."""
    draw = np.random.default_rng({"random": 3, "tonal": 4, "drums": 5}[name])
    labels = model.library.labels
    places = {
        "random": range(len(labels)),
        "tonal": [i for i, one in enumerate(labels) if PITCHED[0] < (one.pitch_hz or 0) < PITCHED[1]],
        "drums": [i for i, one in enumerate(labels) if one.family in DRUMS],
    }[name]
    found: list[tuple[int, int]] = []
    while len(found) < count:
        a, b = (int(i) for i in draw.choice(list(places), 2, replace=False))
        if name != "tonal" or _crossing(labels[a].pitch_hz, labels[b].pitch_hz):
            found.append((a, b))
    return found


def _crossing(a: float, b: float) -> bool:
    """Whether two pitches are far enough apart, and not in a ratio in which partials coincide."""
    apart = abs(12 * np.log2(a / b))
    return APART[0] <= apart <= APART[1] and 2 < apart % 12 < 10


class Reality:
    """The library's recordings: what mid points should be among."""

    def __init__(self, model: sonifold.Model, folder: Path):
        self.rate = model.sample_rate
        self.phi = model.library.timbre
        kept = folder / "library-mel.pt"
        if not kept.exists():
            ids = model.library.ids
            torch.save(
                torch.cat([self.mel(model.library.audio(i, model.sound_samples)[None]) for i in ids]), kept
            )
        self.levels = torch.load(kept)
        self.radii = [_radii(self.phi), _radii(self.levels)]

    def mel(self, audio: torch.Tensor) -> torch.Tensor:
        levels = mel_levels(audio, self.rate)
        return torch.nn.functional.avg_pool2d(levels[:, None], (2, 4))[:, 0].flatten(1)

    def around(self, audio: torch.Tensor, phi: torch.Tensor, apart: tuple[int, int]) -> dict[str, float]:
        found = {}
        for name, points, real, radii in (
            ("phi", phi, self.phi, self.radii[0]),
            ("mel", self.mel(audio), self.levels, self.radii[1]),
        ):
            distance = torch.cdist(points, real)
            distance[:, list(apart)] = torch.inf
            found[f"density_{name}"] = float((distance < radii).sum(1).float().mean() / NEIGHBOURS)
            found[f"nearest_{name}"] = float(distance.amin(1).mean())
        return found


def _radii(points: torch.Tensor) -> torch.Tensor:
    return torch.cdist(points, points).kthvalue(NEIGHBOURS + 1, dim=1).values


def measure(model: sonifold.Model, real: Reality, pair: tuple[int, int], glide: bool) -> tuple[dict, dict]:
    """Every number of one pair, and its mid points."""
    labels, rate = model.library.labels, model.sample_rate
    ends = tuple(model.sound(labels[i].id) for i in pair)
    hertz = [labels[i].pitch_hz for i in pair]
    row: dict = {"names": [labels[i].name for i in pair], "hertz": hertz}
    middles, phis, loudness = {}, {}, {}
    began = time.process_time()
    ways = {kind: model.morph(model.paths([ends], kind, steps=STEPS)[0]) for kind in KINDS}
    row["cpu"] = (time.process_time() - began) / len(KINDS)
    counts = [hearing.attacks(end.audio.numpy(), rate) for end in ends]
    for kind, (path, clip) in ways.items():
        audio = clip.audio.numpy()
        phi = timbre_features(clip.audio, rate, ONSET / rate)
        phis[kind], middles[kind] = phi[MIDDLE], audio[MIDDLE]
        loudness[kind] = {b: np.array([hearing.momentary(y, rate, b) for y in audio]) for b in hearing.BLOCKS}
        inner = [hearing.attacks(y, rate) for y in audio[MIDDLE]]
        row[kind] = {
            "variation": hearing.variation(phi.diff(dim=0).norm(dim=1).numpy()),
            "more_attacks": float(np.mean([n > max(counts) for n in inner])),
            "end_db": float(
                log_mel_error(torch.stack([e.audio for e in ends]), clip.audio[[0, -1]], rate).max()
            ),
            "peak": float(np.abs(audio).max()),
            "times": path.times.tolist(),
            **real.around(clip.audio[MIDDLE], phi[MIDDLE], pair),
            **{f"dip_{b}": hearing.dip(loudness[kind][b]) for b in hearing.BLOCKS},
        }
        if all(hertz):
            row[kind] |= shares(audio, rate, hertz, path.times.numpy())
    row["apart"] = {
        b: float(np.abs(loudness[KINDS[0]][b] - loudness[KINDS[1]][b]).max()) for b in hearing.BLOCKS
    }
    row["difference"] = float((phis[KINDS[0]] - phis[KINDS[1]]).norm(dim=1).mean())
    if glide:
        sound = model.render(model.paths([ends])[0], 4.0).audio.numpy()
        onset = ends[1].audio.numpy()[ONSET:]
        row["glide"] = {"jump": hearing.jump(sound, rate), "hit": hearing.hit(sound, onset, rate)}
    kept = {kind: np.round(audio * 32767).astype(np.int16) for kind, audio in middles.items()}
    return row, kept


def shares(audio: np.ndarray, rate: int, hertz: list[float], times: np.ndarray) -> dict:
    """Share of the harmonic energy at the pitch between, at the middle step and at every inner one."""
    low, high = hertz
    by_step = {}
    for step in range(1, len(audio) - 1):
        between = low ** (1 - times[step]) * high ** times[step]
        if min(abs(12 * np.log2(between / one)) for one in hertz) > NEAR:
            by_step[step] = hearing.share_between(audio[step], rate, low, between, high)
    half = hearing.share_between(audio[len(audio) // 2], rate, low, (low * high) ** 0.5, high)
    return {"share": half, "shares": by_step}


def main() -> None:
    folder, name, count, glides = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    model = sonifold.load("oneshots")
    real = Reality(model, folder.parent)
    wanted = pairs(model, name, count)
    first = tuple(model.sound(model.library.ids[i]) for i in wanted[0])
    model.morph(model.paths([first])[0])  # what is computed once for all is not a morph's
    model._recent_sound.cache_clear()
    for index, pair in enumerate(wanted):
        file = folder / f"{name}-{index:03d}.json"
        if file.exists():
            continue
        row, middles = measure(model, real, pair, index < glides)
        np.savez(file.with_suffix(".npz"), **middles)
        file.write_text(json.dumps(row))
        print(".", end="", flush=True)


if __name__ == "__main__":
    main()
