"""Disks and databases that fail: what kind of failure it is, and how a client is told."""

from __future__ import annotations

import errno
import sqlite3

import pytest
import sqlalchemy
from app_checks import API, assert_problem
from fastapi import APIRouter
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.settings import Settings


def sqlite_error(statement: str, *before: str) -> Exception:
    """What SQLAlchemy raises where SQLite fails."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        for one in before:
            connection.exec_driver_sql(one)
        with pytest.raises(sqlalchemy.exc.SQLAlchemyError) as caught:
            connection.exec_driver_sql(statement)
    engine.dispose()
    return caught.value


FULL_DATABASE = ("CREATE TABLE t (x)", "PRAGMA max_page_count = 3")
FAILURES = {
    "no space": (lambda: OSError(errno.ENOSPC, "x"), 507, "storage_full"),
    "quota": (lambda: OSError(errno.EDQUOT, "x"), 507, "storage_full"),
    "descriptors": (lambda: OSError(errno.EMFILE, "x"), 503, "storage_unavailable"),
    "permission": (lambda: PermissionError(errno.EACCES, "x"), 503, "storage_unavailable"),
    "read-only": (lambda: OSError(errno.EROFS, "x"), 503, "storage_unavailable"),
    "input or output": (lambda: OSError(errno.EIO, "x"), 503, "storage_unavailable"),
    "gone": (lambda: FileNotFoundError(errno.ENOENT, "x"), 503, "storage_unavailable"),
    "full database": (
        lambda: sqlite_error("INSERT INTO t VALUES (randomblob(100000))", *FULL_DATABASE),
        507,
        "storage_full",
    ),
    "read-only database": (
        lambda: sqlite_error("CREATE TABLE t (x)", "PRAGMA query_only = 1"),
        503,
        "storage_unavailable",
    ),
    "a table is missing": (lambda: sqlite_error("SELECT * FROM jobs"), 503, "storage_damaged"),
    "a driver's own": (lambda: sqlite3.OperationalError("odd"), 500, "internal_error"),
    "a line that was cut": (lambda: ConnectionResetError(errno.ECONNRESET, "x"), 500, "internal_error"),
    "our own statement": (lambda: sqlite_error("SELEC"), 500, "internal_error"),
}


@pytest.fixture(scope="module")
def failing(tmp_path_factory, engine_of):
    """A server with a route that fails as asked."""
    app = create_app(Settings(data=tmp_path_factory.mktemp("data")), engine_of())
    router = APIRouter()

    @router.get("/fails/{how}")
    def fails(how: str):
        raise FAILURES[how][0]()

    app.include_router(router)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_of_the_disk_or_the_database_has_its_status(failing, how):
    _, status, code = FAILURES[how]
    reply = failing.get(f"/fails/{how}")
    problem = assert_problem(reply, status, code)
    assert ("retry-after" in reply.headers) == (code == "storage_unavailable")
    assert "elete the sound" not in problem["detail"]
    assert "move it away" not in problem["detail"]


def test_readyz_says_what_each_part_cannot_do(failing):
    readiness = failing.app.state.services.readiness
    failing.get(f"{API}/models")
    assert failing.get("/readyz").status_code == 200
    trouble = ["The printer is on fire."]
    readiness.add("printer", lambda: trouble[0] if trouble else None)
    reply = failing.get("/readyz")
    assert assert_problem(reply, 503, "not_ready")["parts"] == {"printer": "The printer is on fire."}
    assert reply.headers["retry-after"]
    trouble.clear()
    assert failing.get("/readyz").status_code == 200
