"""What adapting to eight sounds takes, from files on disk; `make bench`."""

import itertools
import time

import pytest
import torch

import sonifold
from sonifold import adapt
from sonifold.audio.clip import Clip
from sonifold.evaluate.measures import record

COMMAND = "make bench ARGS='-k fewshot'"


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return sonifold.load("oneshots")


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """Eight strokes of a kit that the base never saw."""
    folder = tmp_path_factory.mktemp("uploads")
    ids = [label.id for label in model.library.labels if label.group == "Sonic Pi tabla"][::3][:8]
    return [
        Clip(model.library.audio(sound_id), model.sample_rate).write(folder / f"{sound_id}.wav")
        for sound_id in ids
    ]


def test_instant_adaptation(model, files):
    sounds = [model.encode(file) for file in files]
    adapt.instant(model, sounds)  # warm
    began = time.perf_counter()
    last = model.encode(files[-1])
    adapted = adapt.instant(model, [*sounds[:-1], last])
    adapted.decode(adapted.uploads[-1].z[None])
    seconds = time.perf_counter() - began
    measure = "8 sounds, from the last upload to the adapted model playing"
    record(measure, seconds, "s", "<= 1", 8, COMMAND, "fewshot-time")
    print(f"{measure}: {seconds:.2f} s")


def test_refining(model, files):
    sounds = [model.encode(file) for file in files]
    seen = []
    torch.set_num_threads(2)
    began = time.perf_counter()
    adapt.finetune(model, sounds, watch=adapt.Watch(report=seen.append))
    seconds = time.perf_counter() - began
    torch.set_num_threads(1)
    fifth = next(info for info in seen if info.percent >= 20)
    told = (fifth.elapsed + fifth.remaining) / seconds - 1
    gaps = [b.elapsed - a.elapsed for a, b in itertools.pairwise(seen)]
    for name, value, unit, bar in (
        ("fine-tune on 8 sounds, two cores", seconds, "s", "<= 60"),
        ("fine-tune: first event after", seen[0].elapsed, "s", "<= 1"),
        ("fine-tune: longest time between events", max(gaps), "s", "<= 1"),
        ("fine-tune: ETA after a fifth, off by", 100 * abs(told), "%", "<= 25"),
    ):
        record(name, value, unit, bar, 8, COMMAND, "fewshot-time")
        print(f"{name}: {value:.2f} {unit} (bar {bar})")
