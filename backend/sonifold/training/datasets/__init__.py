"""Training sets from licensed sources. ``sonifold dataset oneshots`` builds one; ``table`` reads it.

sources     packages: found, or fetched with apt-get and npm
candidates  which of their sounds, with labels, licences and credits
render      notes of soundfonts, through fluidsynth
split       what is trained on and what is held out
table       the folder on disk: sounds.csv and audio/
oneshots    the steps in order
"""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``sonifold dataset``."""
    parser.add_argument("name", choices=["oneshots"], help="which data set to build")
    default = Path("build/datasets/oneshots")
    parser.add_argument("--out", type=Path, default=default, help=f"folder to build into ({default})")
    sources = "folder with the packages' .deb and .tgz files (those not in it are fetched)"
    parser.add_argument("--sources", type=Path, help=sources)
    parser.add_argument("--workers", type=int, default=2, help="processes that render and prepare sounds (2)")


def run(args: argparse.Namespace) -> int:
    """Build what ``add_arguments`` described; progress and the table of counts go to standard output."""
    from . import oneshots  # loads scipy.signal, which the other commands need not wait for

    oneshots.build(args.out, args.sources, args.workers)
    return 0
