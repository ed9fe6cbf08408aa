"""Checks of what users have in the data folder, each as of the data folder itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from sonifold_app.admin import data_checks
from sonifold_app.admin.backup import DATABASE_PATH, LIBRARY
from sonifold_app.admin.finding import Finding, Level, ok, problem, warning
from sonifold_app.settings import Settings
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.opening import INSTALLATION, open_database
from sonifold_app.store.sqlite import SqliteDatabase
from sonifold_app.store.users import USERS, User, UserStore


def check_users(settings: Settings) -> Iterator[Finding]:
    """That users have a server that tells them apart, and that what each of them has is whole."""
    try:
        users = users_of(settings)
    except (DatabaseUnusableError, sqlite3.Error) as error:
        yield problem(f"who the users are cannot be read: {error}", "See to the database first.")
        return
    if not users:
        yield ok("there are no users besides the holder of the server's own token")
        return
    if settings.token is None and any(user.revoked is None for user in users):
        yield problem(
            "there are users, and the server has no token: it does not start",
            "Set SONIFOLD_TOKEN to a long secret.",
        )
    for user in users:
        yield from check_user(settings, user)
    ids = {user.id for user in users}
    for folder in sorted((settings.data / USERS).glob("*/")):
        if folder.name not in ids:
            yield warning(
                f"{folder} belongs to no user of the database",
                "If the database is an older one, put the newer one back.",
            )


def check_user(settings: Settings, user: User) -> Iterator[Finding]:
    """Whether a user's database and files are whole; one line where they are."""
    data = settings.data / USERS / user.id
    if (
        settings.database_url is not None
        or settings.blobs is not None
        or not (data / DATABASE_PATH).is_file()
    ):
        return
    their_settings = settings.model_copy(update={"data": data})
    findings = [*data_checks.check_database(their_settings), *data_checks.check_store(their_settings)]
    troubles = [finding for finding in findings if finding.level != Level.OK]
    for finding in troubles:
        yield replace(finding, message=f"of {user.name} ({user.id}): {finding.message}")
    if not troubles:
        yield ok(f"what {user.name} ({user.id}) has is whole")


def users_of(settings: Settings) -> list[User]:
    """Raises DatabaseUnusableError, sqlite3.Error."""
    library, file = settings.data / LIBRARY, settings.data / DATABASE_PATH
    if settings.database_url is not None:
        if not (library / INSTALLATION).is_file():
            return []
        with closing(open_database(library, settings.database_url, make=False)) as database:
            return UserStore(database).all()
    if not file.is_file():
        return []
    with data_checks.copied(file) as copy, closing(SqliteDatabase(copy)) as database:
        return UserStore(database).all()
