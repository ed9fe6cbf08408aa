"""Databases within one PostgreSQL database, each in a schema of its own and without a view of the others."""

from __future__ import annotations

import sqlalchemy

from sonifold_app.store.database import DatabaseUnusableError

OPTION = "-csearch_path="


def url_in_schema(url: str, schema: str) -> str:
    """The URL under which a schema is all that there is of a database."""
    target = sqlalchemy.make_url(url)
    options = target.query.get("options", ())
    others = [options] if isinstance(options, str) else list(options)
    query = {**target.query, "options": " ".join([*others, f"{OPTION}{schema}"])}
    return target.set(query=query).render_as_string(hide_password=False)


def create_schema(url: str, schema: str) -> None:
    """Make a schema where it is not there. Raises DatabaseUnusableError."""
    target = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(target, poolclass=sqlalchemy.NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.schema.CreateSchema(schema, if_not_exists=True))
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise DatabaseUnusableError(
            f"the schema {schema} cannot be made in the database: {getattr(error, 'orig', None) or error}. Give the "
            "user that SONIFOLD_DATABASE names the right to create schemas."
        ) from error
