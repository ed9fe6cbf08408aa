"""Timings of the model on one thread: the median of several calls after one that does not count."""

import statistics
import time
from collections.abc import Callable

import pytest
import torch

import sonifold
from sonifold import geodesic
from sonifold.evaluate.measures import record

COMMAND = 'make bench ARGS="-k bench_model"'


@pytest.fixture(scope="module")
def model():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield sonifold.load("oneshots")
    torch.set_num_threads(threads)


def milliseconds(call: Callable[[int], object], repeats: int) -> float:
    call(0)
    found = []
    for repeat in range(1, repeats + 1):
        began = time.perf_counter()
        call(repeat)
        found.append(1000 * (time.perf_counter() - began))
    return statistics.median(found)


def test_one_geodesic(model):
    metric, z = model.metric(), model.library.z

    def solve(k: int) -> object:
        return geodesic.solve(metric, z[k : k + 1], z[-k - 1 :][:1])

    record("one geodesic, one thread", milliseconds(solve, 40), "ms", "<= 30", 40, COMMAND)


def test_sixty_four_geodesics(model):
    metric, z = model.metric(), model.library.z
    shuffled = z[torch.randperm(len(z), generator=torch.Generator().manual_seed(0))]

    def solve(k: int) -> object:
        return geodesic.solve(metric, shuffled[64 * k :][:64], shuffled[-64 * (k + 1) :][:64])

    record("64 geodesics in one batch, one thread", milliseconds(solve, 6), "ms", "<= 400", 6, COMMAND)


def test_decoding_one_sound(model):
    z = model.library.z
    value = milliseconds(lambda k: model.decode(z[k : k + 1]), 30)
    record("decode one sound, one thread", value, "ms", "<= 40", 30, COMMAND)


def test_there_and_back_on_the_map(model):
    z, positions = model.library.z, model.library.positions
    record(
        "a point to its map position",
        milliseconds(lambda k: model.project(z[k : k + 1]), 50),
        "ms",
        "<= 10",
        50,
        COMMAND,
    )
    value = milliseconds(lambda k: model.atlas.lift(positions[k : k + 1]), 50)
    record("a map position to its point", value, "ms", "<= 10", 50, COMMAND)


def test_a_morph_rendered(model):
    ids = model.library.ids

    def morph(k: int) -> object:
        return model.render_steps(model.paths([(model.sound(ids[k]), model.sound(ids[-k - 1]))]))

    record(
        "one morph of 17 steps, solved and rendered, one thread",
        milliseconds(morph, 10),
        "ms",
        None,
        10,
        COMMAND,
    )
