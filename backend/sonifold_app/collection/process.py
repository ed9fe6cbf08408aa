"""An ingest in a process of its own, which a server starts: ``python -m sonifold_app.collection.process DATA RUN``.

It ends soon after the server does. What it did until then stays, and the server goes on with the same run when it
starts again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sonifold.errors import Cancelled, SonifoldError
from sonifold_app.collection.analysis import Analysis
from sonifold_app.collection.database import FOLDER, open_database
from sonifold_app.collection.ingest import Ingest
from sonifold_app.collection.runs import Runs
from sonifold_app.collection.words import Fts5Index
from sonifold_app.collection.worker import give_way
from sonifold_app.processes import end_with_parent
from sonifold_app.store.failures import StorageError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=int, help="the run's id; its row has the folders")
    parser.add_argument("--model", help="the model to analyse by; without one only names are listed")
    parser.add_argument("--models", type=Path, help="the folder of packs")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    end_with_parent()
    give_way()
    folder, database, words = options.data / FOLDER, open_database(options.data, make=False), Fts5Index()
    run = Runs(database).find(options.run)
    if run is None:
        raise SystemExit(f"there is no run {options.run}.")
    analysis = None
    if options.model is not None:
        analysis = Analysis(folder, database, words, options.model, options.models, options.workers)
    try:
        changes = None if run.changes is None else list(map(Path, run.changes))
        Ingest(folder, database, words).run(list(map(Path, run.folders)), analysis, run.id, changes)
    except Cancelled:
        pass
    except (SonifoldError, StorageError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
