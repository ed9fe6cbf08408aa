"""Commands of the service and of what it stores: ``serve``, ``backup``, ``restore``, ``doctor``, and the collection."""

from __future__ import annotations

import argparse
from pathlib import Path

from sonifold.cli.options import Commands, add_model

#: How far ``sonifold ingest`` goes; see sonifold_app.collection.
INGEST_PHASES = ("all", "names")
#: What ``sonifold doctor`` looks at; see sonifold_app.admin.doctor.
CHECKED = ("machine", "software", "device", "port", "folder", "database", "store", "users", "packs")
#: What ``sonifold user`` does.
USER_ACTIONS = {
    "add": "a new user; prints the token, this once",
    "list": "all users",
    "revoke": "let a user in no more; what they keep stays",
    "rotate": "another token for a user, also for one who was revoked; prints it, this once",
}


def add_serve(commands: Commands) -> None:
    command = commands.add_parser("serve", help="open the app (settings: SONIFOLD_* variables)")
    command.set_defaults(run=_run_service, service="serve")


def add_backup(commands: Commands) -> None:
    command = commands.add_parser(
        "backup", help="the data folder (SONIFOLD_DATA) as one file, also while a server runs"
    )
    command.add_argument("file", type=Path, help="the archive to write, such as sonifold.zip")
    command.add_argument("--overwrite", action="store_true", help="also where there is such a file")
    command.set_defaults(run=_run_service, service="backup")


def add_restore(commands: Commands) -> None:
    command = commands.add_parser("restore", help="a backup as the data folder (SONIFOLD_DATA), verified")
    command.add_argument("file", type=Path, help="what `sonifold backup` wrote")
    command.add_argument("--replace", action="store_true", help="move aside what the data folder holds")
    command.set_defaults(run=_run_service, service="restore")


def add_doctor(commands: Commands) -> None:
    command = commands.add_parser(
        "doctor", help="whether machine, packs, database and files are well, and what to do"
    )
    command.add_argument("--json", action="store_true", help="as one JSON document")
    command.add_argument("--only", choices=CHECKED, action="append", default=[], help="one part of it")
    command.set_defaults(run=_run_service, service="doctor")


def add_ingest(commands: Commands) -> None:
    command = commands.add_parser(
        "ingest", help="take folders of sounds into your collection, where they lie"
    )
    command.add_argument(
        "folders", type=Path, nargs="*", help="where the sounds lie; without any, all folders taken in before"
    )
    command.add_argument(
        "--phase",
        choices=INGEST_PHASES,
        default="all",
        help="names: only what names say, which takes seconds",
    )
    command.add_argument(
        "--watch", action="store_true", help="then go on taking in what changes, until Ctrl+C"
    )
    add_model(command)
    command.set_defaults(run=_run_service, service="ingest")


def add_find(commands: Commands) -> None:
    command = commands.add_parser("find", help="find sounds of your collection by words and by what they are")
    command.add_argument(
        "query",
        nargs="*",
        help='words, -without, "phrases", and fields such as folder:tape or tempo:<120; best in quotes as a whole',
    )
    command.add_argument(
        "--near", type=Path, metavar="FILE", help="those most like the sound in a file first"
    )
    command.add_argument("--limit", type=int, default=50, help="sounds at most, to 1000")
    command.add_argument("--json", action="store_true", help="all that is known of each, instead of paths")
    add_model(command)
    command.set_defaults(run=_run_service, service="find")


def add_user(commands: Commands) -> None:
    command = commands.add_parser(
        "user", help="who may use your server, each with a token and sounds of their own"
    )
    command.set_defaults(run=_run_service, service="user")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, help_text in USER_ACTIONS.items():
        parser = actions.add_parser(action, help=help_text)
        if action != "list":
            parser.add_argument("name", help="of the user" if action == "add" else "or id of the user")


def _run_service(options: argparse.Namespace) -> int:
    from sonifold_app import command

    return command.run(options)
