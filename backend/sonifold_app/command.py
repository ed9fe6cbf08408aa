"""The commands of ``sonifold`` that need the service. Each reads its settings from ``SONIFOLD_*`` variables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from pydantic import ValidationError

from sonifold_app.settings import Settings
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.failures import StorageError


def run(options: argparse.Namespace) -> int:
    """Run ``options.service``; 0 when it went well, 1 with a sentence on standard error when it did not.

    Raises SonifoldError, of which the command line prints the sentence.
    """
    try:
        return COMMANDS[options.service](Settings(), options)
    except (DatabaseUnusableError, StorageError) as error:
        print(f"sonifold: {error}", file=sys.stderr)
    except ValidationError as error:
        for problem in error.errors():
            name = "SONIFOLD_" + "_".join(str(part) for part in problem["loc"]).upper()
            print(f"sonifold: {name}: {problem['msg']}", file=sys.stderr)
    return 1


def run_server(settings: Settings, options: argparse.Namespace) -> int:
    from sonifold_app.serve import serve

    serve(settings)
    return 0


def back_up(settings: Settings, options: argparse.Namespace) -> int:
    """1 also where the backup is whole but what it is of is not: whoever has it made each night is to know."""
    from sonifold_app.admin import backup

    manifest = backup.back_up(settings.data, options.file, overwrite=options.overwrite, blobs=settings.blobs)
    print(
        f"{options.file}: {len(manifest.files)} files, {manifest.total_bytes / 1e6:.1f} MB of {settings.data}."
    )
    for kind, names in (("missing", manifest.missing), ("damaged", manifest.damaged)):
        for name in names:
            print(f"sonifold: {name} is {kind} in the data folder; the backup has the rest.", file=sys.stderr)
    return 1 if manifest.missing or manifest.damaged else 0


def restore(settings: Settings, options: argparse.Namespace) -> int:
    from sonifold_app.admin import restore

    manifest, aside = restore.restore(options.file, settings.data, replace=options.replace)
    print(
        f"{settings.data}: {len(manifest.files)} files of {manifest.created}, each with the sha256 that it had."
    )
    if aside is not None:
        print(f"What was there is in {aside}; delete it when you need it no longer.")
    return 0


def examine(settings: Settings, options: argparse.Namespace) -> int:
    from sonifold_app.admin import doctor

    return 0 if doctor.print_report(doctor.examine(settings, options.only), as_json=options.json) else 1


def ingest(settings: Settings, options: argparse.Namespace) -> int:
    from sonifold_app.collection import command

    return command.ingest(settings, options)


def find(settings: Settings, options: argparse.Namespace) -> int:
    from sonifold_app.collection import command

    return command.find(settings, options)


def administer_users(settings: Settings, options: argparse.Namespace) -> int:
    from sonifold_app.admin import users

    return users.administer(settings, options.action, getattr(options, "name", ""))


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "serve": run_server,
    "backup": back_up,
    "restore": restore,
    "doctor": examine,
    "ingest": ingest,
    "find": find,
    "user": administer_users,
}
