"""Maps on which the sounds of a collection stand: the model's own."""

from __future__ import annotations

import threading
from pathlib import Path

from sonifold_app.collection.database import DATABASE, FOLDER
from sonifold_app.collection.positions import Positions
from sonifold_app.collection.runs import RunState
from sonifold_app.collection.service import Collection
from sonifold_app.engine.facts import ModelFacts


class CollectionMaps:
    """The maps of the collection in a data folder. Safe to use from several threads."""

    def __init__(self, data: Path, collection: Collection) -> None:
        self._data, self._collection = data, collection
        self._lock = threading.Lock()
        self._positions: dict[tuple[str, ...], Positions] = {}

    def positions(self, model: ModelFacts) -> Positions | None:
        """Where sounds are on a model's map; None before anything was taken in. Raises DatabaseUnusableError."""
        if not self._collection.exists:
            return None
        key = (model.pack, str(model.atlas.extent))
        with self._lock:
            if key not in self._positions:
                self._positions[key] = Positions(
                    self._collection.database,
                    self._data / FOLDER / DATABASE,
                    model.pack,
                    model.atlas.extent,
                    model.library.family_names,
                )
            return self._positions[key]

    @property
    def growing(self) -> bool:
        """Whether sounds are being taken in."""
        runs = self._collection.all_runs()[:1]
        return any(run.state is RunState.RUNNING for run in runs)
