"""Sounds laid out on the keyboard: by their pitch, as a drum kit, or as a morph under the modulation wheel."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sonifold.audio.archive import distinct, file_stem
from sonifold.audio.notes import MIDDLE_C, note_of
from sonifold.choices import Layout
from sonifold.errors import InstrumentInvalid
from sonifold.instruments.general_midi import drum_keys, free_key
from sonifold.instruments.instrument import (
    HIGHEST,
    Crossfade,
    Instrument,
    KeySound,
    Span,
    Zone,
)

MOST_STEPS = HIGHEST + 1  # positions that the wheel has
#: Of neighbouring sounds, above which gains that add up to 1 keep the level between them better than gains whose
#: squares do: between two equally loud sounds with correlation r the former has 10 log10((1 + r) / 2) dB, the latter
#: 10 log10(1 + r) dB, and they are equally far off at r = sqrt(2) - 1.
COHERENT = 2**0.5 - 1


def lay_out(name: str, sounds: Sequence[KeySound], layout: Layout | None) -> Instrument:
    """An instrument of sounds; without a layout they stay in their order.

    Raises:
        InstrumentInvalid: no sounds, or more than the layout has keys or wheel positions for.
    """
    if not sounds:
        raise InstrumentInvalid("there is no sound to make an instrument of; name one at least.")
    return LAYOUTS[layout](name, sounds)


def in_order(name: str, sounds: Sequence[KeySound]) -> Instrument:
    """The sounds as they come, each with the key of its pitch."""
    tunings = map(tuning, sounds)
    zones = [
        Zone(sound, stem, root, Span(), tune)
        for sound, stem, (root, tune) in zip(sounds, stems_of(sounds), tunings, strict=True)
    ]
    return Instrument(name, None, tuple(zones))


def by_pitch(name: str, sounds: Sequence[KeySound]) -> Instrument:
    """Each sound on the key of its pitch, or of middle C where it has none; zones meet halfway between the keys.

    Sounds on the same key share its zone as layers of velocity, from the softest to the loudest.
    """
    stems = dict(zip(map(id, sounds), stems_of(sounds), strict=True))
    on_key: dict[int, list[KeySound]] = {}
    for sound in sorted(sounds, key=loudness):
        on_key.setdefault(tuning(sound)[0], []).append(sound)
    roots = sorted(on_key)
    zones = []
    for root, keys in zip(roots, halfway(roots), strict=True):
        check_velocities(len(on_key[root]))
        for sound, velocities in zip(on_key[root], velocity_layers(len(on_key[root])), strict=True):
            tune = tuning(sound)[1]
            zones.append(Zone(sound, stems[id(sound)], root, keys, tune, velocities=velocities))
    return Instrument(name, Layout.KEYS, tuple(zones))


def drum_kit(name: str, sounds: Sequence[KeySound]) -> Instrument:
    """Each sound on one key, where General MIDI has it if its name or family tells, else on the next free key."""
    keys: dict[int, int] = {}  # of each sound, by its index
    for index, sound in enumerate(sounds):
        free = [key for key in drum_keys(sound.name, sound.family) if key not in keys.values()]
        if free:
            keys[index] = free[0]
    for index in range(len(sounds)):
        if index not in keys:
            key = free_key(set(keys.values()))
            if key is None:
                raise InstrumentInvalid(
                    f"a drum kit has {HIGHEST + 1} keys at most, one for each sound; these are {len(sounds)} sounds. "
                    "Make several kits of them."
                )
            keys[index] = key
    stems = stems_of(sounds)
    zones = [
        Zone(sound, stems[index], keys[index], Span(keys[index], keys[index]), tracks=False)
        for index, sound in enumerate(sounds)
    ]
    return Instrument(name, Layout.DRUMS, tuple(sorted(zones, key=lambda zone: zone.root)))


def morph(name: str, sounds: Sequence[KeySound]) -> Instrument:
    """The steps of a morph on all keys, one after another along the modulation wheel, each fading into the next.

    Where both ends have a pitch every step is brought to the key that is played, the others by their pitch or by what
    lies between the ends; else all play as they are on middle C.
    """
    if not 2 <= len(sounds) <= MOST_STEPS:
        raise InstrumentInvalid(
            f"a morph under the wheel has 2 to {MOST_STEPS} steps, as many as the wheel has positions; these are "
            f"{len(sounds)}."
        )
    positions = [round(HIGHEST * step / (len(sounds) - 1)) for step in range(len(sounds))]
    around = [positions[0], *positions, positions[-1]]
    stems = stems_of(sounds)
    zones = [
        Zone(sound, stem, root, Span(), tune, wheel=Crossfade(*around[step : step + 3]))
        for step, (sound, stem, (root, tune)) in enumerate(
            zip(sounds, stems, step_tunings(sounds), strict=True)
        )
    ]
    return Instrument(name, Layout.MORPH, tuple(zones), coherence(sounds) > COHERENT)


LAYOUTS: Mapping[Layout | None, Callable[[str, Sequence[KeySound]], Instrument]] = {
    None: in_order,
    Layout.KEYS: by_pitch,
    Layout.DRUMS: drum_kit,
    Layout.MORPH: morph,
}


def stems_of(sounds: Sequence[KeySound]) -> list[str]:
    return distinct([file_stem(sound.name) for sound in sounds])


def loudness(sound: KeySound) -> float:
    """The root mean square of a sound's samples."""
    return float(np.sqrt(np.mean(np.square(sound.samples, dtype=np.float64))))


def tuning(sound: KeySound) -> tuple[int, float]:
    """The key nearest to a sound's pitch, and the semitones that bring the sound to it."""
    if sound.pitch_hz is None:
        return MIDDLE_C, 0.0
    return nearest_key(note_of(sound.pitch_hz))


def nearest_key(key: float) -> tuple[int, float]:
    root = min(HIGHEST, max(0, round(key)))
    return root, root - key


def step_tunings(sounds: Sequence[KeySound]) -> list[tuple[int, float]]:
    first, last = sounds[0].pitch_hz, sounds[-1].pitch_hz
    if first is None or last is None:
        return [(MIDDLE_C, 0.0)] * len(sounds)
    between = np.linspace(note_of(first), note_of(last), len(sounds)).tolist()
    keys = [
        note_of(sound.pitch_hz) if sound.pitch_hz is not None else key
        for sound, key in zip(sounds, between, strict=True)
    ]
    return [nearest_key(key) for key in keys]


def halfway(roots: Sequence[int]) -> list[Span]:
    """Zones of keys around roots in rising order, from 0 to 127; the key in the middle goes to the lower root."""
    borders = [(low + high) // 2 for low, high in itertools.pairwise(roots)]
    return [
        Span(low, high) for low, high in zip([0, *(b + 1 for b in borders)], [*borders, HIGHEST], strict=True)
    ]


def check_velocities(count: int) -> None:
    if count > HIGHEST:
        raise InstrumentInvalid(
            f"{count} sounds have the same key, and a key has {HIGHEST} velocities. Lay them out as a drum kit, or "
            "leave some out."
        )


def velocity_layers(count: int) -> list[Span]:
    """The velocities 1 to 127 in so many layers of like width."""
    edges = [round(HIGHEST * layer / count) for layer in range(count + 1)]
    return [Span(low + 1, high) for low, high in itertools.pairwise(edges)]


def coherence(sounds: Sequence[KeySound]) -> float:
    """The median correlation of neighbouring sounds, from -1 to 1: 2 <a, b> / (|a|² + |b|²)."""
    return float(np.median([correlation(a, b) for a, b in itertools.pairwise(sounds)]))


def correlation(a: KeySound, b: KeySound) -> float:
    length = max(len(a.samples), len(b.samples))
    first, second = (
        np.pad(sound.samples.mean(axis=1, dtype=np.float64), (0, length - len(sound.samples)))
        for sound in (a, b)
    )
    energy = float(first @ first + second @ second)
    return 2 * float(first @ second) / energy if energy > 0 else 0.0
