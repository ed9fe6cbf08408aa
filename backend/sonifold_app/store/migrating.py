"""Brings the tables of a database from any version to the newest, by Alembic, in the transaction of a connection."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sonifold_app.store.database import DatabaseUnusableError


def migrate(connection: Connection, scripts: Path, name: str) -> None:
    """Run what is missing. ``scripts``: the folder of the migrations; ``name``: of the database, for people.

    Raises DatabaseUnusableError where a newer Sonifold has written there.
    """
    config = config_of(connection, scripts)
    versions = ScriptDirectory.from_config(config)
    version = version_of(connection)
    if version == versions.get_current_head():
        return
    if version is not None and version not in {script.revision for script in versions.walk_revisions()}:
        raise DatabaseUnusableError(
            f"{name} was written by a newer Sonifold (its version is {version}). Start that one, or set "
            "SONIFOLD_DATA to another folder."
        )
    command.upgrade(config, "head")


def config_of(connection: Connection, scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def version_of(connection: Connection) -> str | None:
    """Alembic's name for the version of the tables; None where there are none."""
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version
