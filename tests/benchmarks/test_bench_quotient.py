"""One matrix of distances modulo transposition among 500 sounds, on two threads. Printed, not asserted."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import torch

from sonifold import quotient

SOUNDS, THREADS = 500, 2


def test_a_matrix_of_500_sounds_modulo_transposition(model):
    torch.set_num_threads(1)
    library = model.library
    audio = torch.stack(
        [library.audio(id, model.sound_samples) for id in library.ids[:: len(library) // SOUNDS]]
    )
    audio, shifts = audio[:SOUNDS], quotient.shifts()

    def orbits(part: torch.Tensor) -> torch.Tensor:
        return quotient.timbre_orbits(part, model.sample_rate, model.representation.onset, shifts).points

    begin = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        points = torch.cat(list(pool.map(orbits, audio.split(25))))
    measured = time.perf_counter()
    matrix = quotient.distances(quotient.Orbits(shifts, points)).distances
    end = time.perf_counter()
    print(
        f"\n{SOUNDS} sounds in {len(shifts)} keys: {end - begin:.1f} s, of these {end - measured:.1f} s for distances"
    )
    assert matrix.shape == (SOUNDS, SOUNDS)
