"""The command line: ``sonifold serve | backup | restore | doctor | morph | embed | sample | ingest | find | export |
finetune | trial | dataset | train | evaluate | reproduce | measures``.

options  what several commands have in common
service  commands of the service and of what it stores
sounds   commands that make sounds of sounds
packs    commands that train and measure
"""

from __future__ import annotations

import argparse
import sys

from sonifold.cli import packs, service, sounds
from sonifold.errors import SonifoldError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it went well, 1 with a sentence on standard error when it did not."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except SonifoldError as error:
        print(f"sonifold: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"sonifold: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from sonifold.version import __version__

    parser = argparse.ArgumentParser(prog="sonifold", description="Explore the latent manifold of sound.")
    parser.add_argument("--version", action="version", version=f"sonifold {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        service.add_serve,
        service.add_backup,
        service.add_restore,
        service.add_doctor,
        sounds.add_morph,
        sounds.add_embed,
        sounds.add_sample,
        service.add_ingest,
        service.add_find,
        service.add_user,
        sounds.add_export,
        packs.add_trial,
        packs.add_dataset,
        packs.add_train,
        packs.add_finetune,
        packs.add_evaluate,
        packs.add_reproduce,
        packs.add_measures,
    ):
        add(commands)
    return parser
