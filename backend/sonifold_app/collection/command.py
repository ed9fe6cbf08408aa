"""``sonifold ingest`` and ``sonifold find``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonifold.errors import AudioError
from sonifold_app.collection.analysis import MOST_WORKERS, Analysis
from sonifold_app.collection.database import FOLDER, open_database
from sonifold_app.collection.duplicates import group_of
from sonifold_app.collection.following import changes
from sonifold_app.collection.ingest import Ingest, roots_of
from sonifold_app.collection.query import MOST, Query, QueryInvalid, read_query
from sonifold_app.collection.runs import Progress
from sonifold_app.collection.search import DUPLICATES, Match, Page, Search
from sonifold_app.collection.vectors import VECTORS, Vectors
from sonifold_app.collection.words import Fts5Index
from sonifold_app.settings import Settings
from sonifold_app.store.marks import MarkStore


def ingest(settings: Settings, options: argparse.Namespace) -> int:
    """Take folders in, with a line of progress; then print what came of it."""
    folder, database, words = settings.data / FOLDER, open_database(settings.data), Fts5Index()
    analysis = None
    if options.phase == "all":
        workers = min(settings.threads, MOST_WORKERS)
        analysis = Analysis(folder, database, words, options.model, settings.models, workers)
    progress = Ingest(folder, database, words, show).run(options.folders, analysis)
    say(progress)
    if options.watch:
        roots = [Path(os.path.abspath(path)) for path in options.folders] or roots_of(database)
        with contextlib.suppress(KeyboardInterrupt):
            follow(Ingest(folder, database, words, show), roots, analysis)
    return 0


def follow(ingest: Ingest, roots: Sequence[Path], analysis: Analysis | None) -> None:
    """Take in what changes in folders, without end. Raises KeyboardInterrupt, IngestRefused."""
    print("Following what changes; end with Ctrl+C.", flush=True)
    for paths in changes(roots):
        if paths:
            within = [root for root in roots if any(path.is_relative_to(root) for path in paths)]
            ingest.progress = Progress("names")
            say(ingest.run(within, analysis, changes=paths))


def say(progress: Progress) -> None:
    """A line on what a run came to."""
    print(f"\r\033[K{summary(progress)}." if sys.stdout.isatty() else f"{summary(progress)}.", flush=True)


def find(settings: Settings, options: argparse.Namespace) -> int:
    """Print the paths of sounds that fit, or all that is known of them."""
    if not 1 <= options.limit <= MOST:
        raise QueryInvalid(f"--limit takes a number from 1 to {MOST}, not {options.limit}.")
    query = read_query(" ".join(options.query))
    search = Search(open_database(settings.data), Fts5Index(), lambda: marks_of(settings))
    if options.near is None:
        page = search.find(query, options.limit)
    else:
        page = near(search, settings, options.near, options.model, query, options.limit)
    if options.json:
        json.dump([described(match) for match in page.matches], sys.stdout, indent=1)
        print()
    else:
        print_matches(page.matches, grouped=DUPLICATES in query.choices)
    return 0


def near(search: Search, settings: Settings, file: Path, pack: str, query: Query, limit: int) -> Page:
    """Sounds that fit, those nearest to the sound in a file first. Raises AudioError."""
    import sonifold
    from sonifold.analysis.analyser import Analyser
    from sonifold_app.engine.packs import meaning_of_points

    model = sonifold.load(pack, settings.models)
    (facts,) = Analyser(model).analyse([file])
    if isinstance(facts, AudioError):
        raise facts
    vectors = Vectors(
        settings.data / FOLDER / VECTORS,
        meaning_of_points(model),
        model.latent_dim,
        model.config.unit_per_phi,
    )
    return search.near(facts.timbre, vectors, query, limit)


def described(match: Match) -> dict[str, Any]:
    """All that is known of a sound, as JSON has it."""
    distance = {} if match.distance is None else {"distance": round(match.distance, 2)}
    return {name: value for name, value in match.sound.items() if value is not None} | distance


def marks_of(settings: Settings) -> MarkStore:
    """What the user says of sounds. Raises DatabaseUnusableError."""
    from sonifold_app.store.opening import open_database as open_user_database

    return MarkStore(open_user_database(settings.data / "library", settings.database_url))


def print_matches(matches: list[Match], grouped: bool) -> None:
    """A line each; ``grouped``: with an empty one before what is another sound to the ear."""
    last = None
    for match in matches:
        if grouped and last is not None and group_of(match.sound) != last:
            print()
        last = group_of(match.sound)
        print(line_of(match))


def line_of(match: Match) -> str:
    """A sound for people: its path, after its distance, and what is wrong with it."""
    sound = match.sound
    state = "  (missing)" if sound["missing"] else f"  ({sound['reason']})" if sound["reason"] else ""
    distance = "" if match.distance is None else f"{match.distance:7.2f}  "
    return f"{distance}{sound['path']}{state}"


def show(progress: Progress) -> None:
    """One line, rewritten in place on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K{summary(progress)}", end="", flush=True)


def summary(progress: Progress) -> str:
    """A sentence on how far a run is."""
    parts = [f"{progress.listed} files listed"]
    if progress.missing:
        parts.append(f"{progress.missing} missing")
    if progress.analysed:
        parts.append(f"{progress.analysed} analysed")
    if progress.unreadable:
        parts.append(f"{progress.unreadable} unreadable")
    if progress.remaining:
        left = "" if progress.seconds_left is None else f", {time_left(progress.seconds_left)} left"
        parts.append(f"{progress.remaining} to go{left}")
    return ", ".join(parts)


def time_left(seconds: float) -> str:
    """A duration for people."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
