"""A PostgreSQL server of the tests, of an ordinary user in a temporary folder, reached by a socket there."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg


def binaries() -> Path | None:
    """Where ``initdb`` and ``postgres`` are: in the path, or where Debian puts them; the newest."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    return max(
        Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name)
    )


class PostgresServer:
    """Started with ``start``, and with ``kill`` ended at once, as by a loss of power."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(
            tempfile.mkdtemp(prefix="sonifold-pg-", dir="/tmp")
        )  # a socket's path must be short
        self._programs = programs
        self._as: dict[str, object] = {}
        if os.getuid() == 0:  # which PostgreSQL refuses
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "--auth=trust", "--username=sonifold", "--encoding=UTF8", "--no-sync")
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, "-D", self.folder / "data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._as)

    def start(self) -> None:
        """Answers when this returns."""
        command = [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder]
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "log_min_messages=fatal"]
        self._process = subprocess.Popen(
            [*command, *options], stderr=subprocess.DEVNULL, cwd=self.folder, **self._as
        )
        for _ in range(200):
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("PostgreSQL does not answer")

    def kill(self) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for id in (self._process.pid, *map(int, children)):
            os.kill(id, signal.SIGKILL)
        self._process.wait()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def close(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgresql://sonifold@/{database}?host={self.folder}"

    def create_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)
