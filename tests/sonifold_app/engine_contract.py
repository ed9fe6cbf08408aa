"""What every engine does, on a toy model that needs no pack: two dimensions with the metric of the half-plane.

To hold an engine against it, add it to ``ENGINES``: a function from models by name, and the sentences about those that
cannot be used, to an engine.
"""

from __future__ import annotations

import asyncio
import math
import os
import runpy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from sonifold import errors
from sonifold.audio.clip import Clip
from sonifold.model.rendering import MorphPart
from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.finite import checked
from sonifold_app.engine.local import LocalEngine
from sonifold_app.engine.operations.adapting import adapted
from sonifold_app.engine.operations.adapting import facts_of as adapted_facts
from sonifold_app.engine.packs import facts_of
from sonifold_app.engine.parallel import map_serially
from sonifold_app.engine.protocol import Engine
from sonifold_app.engine.workload import Workload

UNUSABLE = "broken: weights.safetensors is missing. Copy the pack again."

#: A morph that begins at this height fails at this step.
BROKEN_AT, BROKEN_STEP = 3.0, 2

Models = Mapping[str, Any]


class HalfPlane:
    """Points (x, y) with y > 0 and the metric (dx² + dy²) / y², whose distances have a closed form.

    A ``Model`` as far as operations on points and paths go; the map is the plane itself.
    """

    name, title, description, unit = "halfplane", "Half-plane", "Two dimensions.", "length"
    latent_dim, sample_rate, sound_samples = 2, 44_100, 1
    metric_names, volume_metric_names = ("blend",), ("kernel",)
    card: Mapping[str, Any] = {}
    card_markdown = ""
    config = SimpleNamespace(
        metric=SimpleNamespace(weight=1.0),
        files=dict.fromkeys(
            ("coefficients.safetensors", "library.safetensors", "weights.safetensors"), "0" * 64
        ),
        version="1",
    )
    z = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 2.0]])
    library = SimpleNamespace(
        ids=["a", "b", "c"],
        names=["A", "B", "C"],
        families=["tone"] * 3,
        family_names=["tone"],
        labels=[
            SimpleNamespace(
                source="toy",
                licence="CC0-1.0",
                credit="",
                group="",
                seconds=1.0,
                pitch_hz=None,
                split="train",
            )
        ]
        * 3,
        positions=z,
        z=z,
    )
    atlas = SimpleNamespace(
        extent=(-1.0, 1.0, 0.0, 2.0),
        field=SimpleNamespace(x=[0.0], y=[1.0], values=[[0.0]], coast=1.0, levels=[0.5]),
        placement_error={},
    )

    def __init__(self, version: str = "1.0.0") -> None:
        self.card = {"version": version}
        self.rendered: list[int] = []  # steps of the last morph

    def sound(self, sound_id: str) -> Any:
        if sound_id not in self.library.ids:
            raise errors.SoundNotFound(f"no sound {sound_id!r}; there are a, b and c.")
        return SimpleNamespace(z=self.z[self.library.ids.index(sound_id)], name=sound_id)

    def point(self, point: Sequence[float]) -> Any:
        if len(point) != self.latent_dim or not point[1] > 0:
            raise errors.PointInvalid(f"expected (x, y) with y > 0, got {list(point)}.")
        return SimpleNamespace(z=torch.tensor(point, dtype=torch.float32), name="")

    def at(self, x: float, y: float) -> Any:
        return self.point([x, y])

    def project(self, points: torch.Tensor) -> torch.Tensor:
        return points

    def paths(
        self, pairs: Sequence[tuple[Any, Any]], *, kind: str, metric: str, weight: Any, steps: int
    ) -> list[Any]:
        return [self._path(a.z, b.z, kind, metric, steps) for a, b in pairs]

    def morph_parts(self, path: Any, each: Any) -> Iterator[MorphPart]:
        """Each step sounds as far up as its point lies: a sample of y / 4."""
        audio = path.nodes[:, 1:] / 4
        self.rendered.clear()
        for step in range(len(audio)):
            if path.nodes[0, 1] == BROKEN_AT and step == BROKEN_STEP:
                raise errors.NotFinite("no sound there.")
            self.rendered.append(step)
            yield MorphPart(path, [step], [Clip(audio[step], self.sample_rate)])
            yield MorphPart(path, [], [])
            self.pause()
        yield MorphPart(path, [], [], Clip(audio, self.sample_rate))

    def pause(self) -> None:
        """Between two steps."""

    def _path(self, a: torch.Tensor, b: torch.Tensor, kind: str, metric: str, steps: int) -> Any:
        nodes = torch.lerp(a, b, torch.linspace(0, 1, steps)[:, None])
        length = distance(a.tolist(), b.tolist())
        return SimpleNamespace(
            kind=kind,
            metric=metric,
            weight=1.0,
            length=length,
            line_length=length,
            energy=length**2 / 2,
            line_energy=length**2 / 2,
            speed=torch.full((steps - 1,), length / (steps - 1)),
            speed_variation=0.0,
            outcome="closed form",
            converged=True,
            map=nodes,
            step_positions=nodes,
            on_land=torch.ones(steps, dtype=torch.bool),
            descriptors={},
            water=0.0,
            guesswork=0.0,
            nodes=nodes,
        )


class SlowPlane(HalfPlane):
    """Takes its time, and writes down in which process."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def pause(self) -> None:
        with self.notes.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.05)


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """Between two points of the half-plane: arcosh(1 + |a - b|² / 2 y_a y_b)."""
    return math.acosh(1 + ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / (2 * a[1] * b[1]))


class SerialEngine:
    """The least that an engine must be: everything in its place, one question after another."""

    def __init__(self, models: Models, unusable: Mapping[str, str]) -> None:
        self._models, self._unusable = dict(models), dict(unusable)
        self._titles: dict[str, str] = {}

    def start(self) -> None: ...

    def close(self) -> None: ...

    async def catalogue(self, timeout: float) -> Catalogue:
        facts = {name: facts_of(name, model, "toy") for name, model in self._models.items()}
        titled = {
            name: replace(each, title=self._titles.get(name, each.title)) for name, each in facts.items()
        }
        return Catalogue(titled, dict(self._unusable))

    async def open(self, folder: Any, kind: Any) -> str | None:
        raise NotImplementedError("the toy models are all there from the start")

    async def retitle(self, model: str, title: str) -> None:
        self._titles[model] = title

    async def shut(self, model: str) -> None:
        self._models.pop(model, None)
        self._unusable.pop(model, None)

    async def adapt(self, model: str, name: str, sounds: Any, seed: int) -> Any:
        self._models[name] = adapted(self._model(model), sounds, seed)
        return adapted_facts(self._models[name])

    def workload(self) -> Workload:
        return Workload({}, {}, "cpu", None)

    async def stream(self, operation: Any, model: str, question: Any) -> Any:
        for parts in operation.compute(self._model(model), question, map_serially):
            for part in parts:
                yield checked(part)
            await asyncio.sleep(0)

    async def run(self, operation: Any, model: str | None, questions: Any, *, behind: bool = False) -> Any:
        from sonifold_app.engine.local import checked_value

        loaded = None if model is None else self._model(model)
        return [checked_value(answer) for answer in operation.compute(loaded, questions, map_serially)]

    def _model(self, name: str) -> Any:
        if name in self._unusable:
            raise errors.PackInvalid(self._unusable[name])
        if name not in self._models:
            raise errors.PackNotFound(f"no model named {name!r}; there are {sorted(self._models)}.")
        return self._models[name]


def skeleton(inner: Engine) -> Engine:
    """The engine that CONTRIBUTING.md has newcomers copy."""
    file = Path(__file__).parents[2] / "docs" / "skeletons" / "engine.py"
    return runpy.run_path(str(file))["ForwardingEngine"](inner)


ENGINES: Mapping[str, Callable[[Models, Mapping[str, str]], Engine]] = {
    "local": lambda models, unusable: LocalEngine(load=lambda: (models, unusable)),
    "serial": SerialEngine,
    "skeleton": lambda models, unusable: skeleton(SerialEngine(models, unusable)),
}


def use(engine: Engine, scenario: Callable[[Engine], Any]) -> Any:
    """Run ``scenario(engine)`` on an engine that has loaded its models."""

    async def run() -> Any:
        while await engine.catalogue(1.0) is None:
            pass
        return await scenario(engine)

    engine.start()
    try:
        return asyncio.run(run())
    finally:
        engine.close()
