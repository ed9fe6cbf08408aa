"""The engine ``ray`` on a cluster of several machines, each a raylet here: the contract of engines, and what is lost
when processes and machines are.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_contract import SlowPlane, use
from pydantic import BaseModel

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install sonifold[cluster]")
import test_app_engine as contract  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from sonifold.choices import SamplerName  # noqa: E402
from sonifold_app.engine.cluster.actors import Actors  # noqa: E402
from sonifold_app.engine.cluster.engine import RayEngine  # noqa: E402
from sonifold_app.engine.local import LocalEngine  # noqa: E402
from sonifold_app.engine.operations import DECODE, MEAN, MORPH, NEIGHBOURS, SAMPLE, TRACE  # noqa: E402
from sonifold_app.engine.protocol import run_one  # noqa: E402
from sonifold_app.engine.questions import (  # noqa: E402
    Anchor,
    DecodeQuery,
    MeanQuery,
    MorphQuery,
    NeighbourQuery,
    PathQuery,
    SampleQuery,
)

#: Ray leaves pipes open.
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SHARED_BYTES = 80 << 20  # the least that a raylet takes is 75 MB

#: The contract, run here on this engine.
for _name, _test in vars(contract).items():
    if _name.startswith("test_") and {"engine", "engine_kind"} & set(_test.__code__.co_varnames):
        globals()[_name] = _test
engine = contract.engine


@pytest.fixture(scope="module")
def cluster():
    """A machine that is the head too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # what is pickled by name is found there too
        head = {"num_cpus": 2, "object_store_memory": SHARED_BYTES, "include_dashboard": False}
        cluster = started(lambda: Cluster(initialize_head=True, head_node_args=head))
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


def started(start: Callable[[], Any]) -> Any:
    """What ``start`` gives; Ray itself gives up after 30 seconds, which a busy machine may need."""
    for _ in range(2):
        with contextlib.suppress(Exception):
            return start()
    return start()


class WarmActors(Actors):
    """The same process for one engine after another: torch is loaded once."""

    def __init__(self) -> None:
        super().__init__()
        self._warm = super().begin()

    def begin(self) -> Any:
        return self._warm

    def end(self, actor: Any) -> None: ...


@pytest.fixture(scope="module")
def warm(cluster):
    actors = WarmActors()
    yield actors
    Actors.end(actors, actors.begin())


@pytest.fixture
def engine_kind(warm):
    return lambda models, unusable: RayEngine(actors=warm, load=lambda: (models, unusable))


def test_answers_are_those_of_the_local_engine_to_the_last_bit(warm, small_models, name):
    """Of the real model, on the processor: paths, points, neighbours, sounds, a morph at once and in parts."""

    async def ask(engine):
        library = (await engine.catalogue(1.0)).models[name].library
        start, end = (Anchor(sound=id) for id in library.ids[:2])
        morph = MorphQuery(start, end, steps=5)
        asked = (
            (TRACE, PathQuery((start, end), steps=5)),
            (MEAN, MeanQuery((start, end))),
            (SAMPLE, SampleQuery(SamplerName.HMC, 2, seed=1)),
            (NEIGHBOURS, NeighbourQuery(start)),
            (DECODE, DecodeQuery(start)),
            (MORPH, morph),
        )
        answers = [await run_one(engine, operation, name, question) for operation, question in asked]
        return answers, await contract.all_parts(engine, morph, name)

    here = use(LocalEngine(small_models), ask)
    there = use(RayEngine(small_models, actors=warm), ask)
    assert exact(here) == exact(there)


def exact(value: Any) -> Any:
    """Plain data with every bit of its numbers."""
    match value:
        case np.ndarray():
            return (str(value.dtype), value.shape, value.tobytes())
        case str() | bytes() | int() | None:
            return value
        case float():
            return value.hex()
        case Mapping():
            return [(key, exact(member)) for key, member in value.items()]
        case Sequence():
            return [exact(item) for item in value]
        case BaseModel():
            return [(name, exact(field)) for name, field in value]
        case _:
            return [(field.name, exact(getattr(value, field.name))) for field in dataclasses.fields(value)]


async def first_line(notes: Path) -> int:
    """The process that has begun to compute."""
    while not (notes.exists() and notes.read_text().endswith("\n")):
        await asyncio.sleep(0.01)
    return int(notes.read_text().split()[-1])


def test_what_a_killed_process_computed_is_computed_by_another(cluster, tmp_path):
    notes = tmp_path / "notes"
    load = {"plane": SlowPlane(notes)}

    async def kill_in_the_middle(engine):
        streams = asyncio.gather(*(contract.all_parts(engine, contract.morph_query()) for _ in range(4)))
        os.kill(await first_line(notes), signal.SIGKILL)
        return await streams, await contract.all_parts(engine, contract.morph_query())

    engine = RayEngine(actors=Actors(), load=lambda: (load, {}))
    streams, whole = use(engine, kill_in_the_middle)
    assert streams == [whole] * 4
    assert len(set(notes.read_text().split())) == 2, "or nothing was killed"


def test_a_machine_that_is_lost_costs_nothing_but_time(cluster, tmp_path):
    """The questions of the lost machine's replica go to the other one."""
    notes = tmp_path / "notes"
    load = {"plane": SlowPlane(notes)}
    second = started(lambda: cluster.add_node(num_cpus=1, object_store_memory=SHARED_BYTES))

    async def lose_the_second(engine):
        while engine.replicas < 2:
            await asyncio.sleep(0.05)
        streams = asyncio.gather(*(contract.all_parts(engine, contract.morph_query()) for _ in range(6)))
        await first_line(notes)
        await asyncio.to_thread(cluster.remove_node, second, allow_graceful=False)
        return await streams, await contract.all_parts(engine, contract.morph_query())

    engine = RayEngine(actors=Actors(), least=2, most=2, load=lambda: (load, {}))
    streams, whole = use(engine, lose_the_second)
    assert streams == [whole] * 6
