"""The engine that the settings name: the one place where a kind of engine has a name."""

from __future__ import annotations

from collections.abc import Mapping

from sonifold_app.engine.local import LocalEngine
from sonifold_app.engine.protocol import Engine
from sonifold_app.settings import Settings

ENGINES: Mapping[str, type[LocalEngine]] = {"local": LocalEngine}


def build_engine(settings: Settings) -> Engine:
    """An engine, not started yet, for a process that does nothing else."""
    return ENGINES[settings.engine](
        settings.models, threads=settings.threads, device=settings.device, freeze=True
    )
