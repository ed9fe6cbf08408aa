"""The engine that the settings name: the one place where a kind of engine has a name."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from sonifold_app.engine.cluster.engine import RayEngine, actors_of
from sonifold_app.engine.local import LocalEngine
from sonifold_app.engine.protocol import Engine
from sonifold_app.settings import Settings

ENGINES: Mapping[str, type[LocalEngine] | type[RayEngine]] = {"local": LocalEngine, "ray": RayEngine}


def build_engine(settings: Settings) -> Engine:
    """An engine, not started yet, for a process that does nothing else."""
    if settings.engine == "local":
        return LocalEngine(settings.models, threads=settings.threads, device=settings.device, freeze=True)
    least, most = settings.replicas
    actors = actors_of(settings.ray_address, settings.replica_cpus, settings.replica_gpus, most)
    return RayEngine(settings.models, actors=actors, least=least, most=most, device=settings.device)


def problem_of(settings: Settings) -> str | None:
    """A sentence about why the engine of the settings cannot be had, if so."""
    if settings.engine == "ray" and importlib.util.find_spec("ray") is None:
        return (
            "SONIFOLD_ENGINE=ray needs Ray, which is not installed. Install sonifold[cluster], or unset it."
        )
    return None
