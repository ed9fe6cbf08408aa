"""Kills, full disks and databases that are not what they were, and what is lost by them: nothing may be.

    python tests/benchmarks/torture --kills 100 --full 20               the store, in a process of its own
    python tests/benchmarks/torture --kills 20 --full 5 --service       sonifold serve with its worker, over HTTP

A kill is ``kill -9`` at a random moment of writing. A full disk needs root on Linux: the data folder is then a small
file system in memory, which is filled at a random moment. In the end the database is moved away, emptied, replaced by
an older one and damaged. Prints what was acknowledged, and what of it was not there afterwards. ``--seed`` repeats a
run's choices.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger import Ledger
from service import Service
from writer import MODEL

from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.sounds import UserSoundStore


class Store:
    """The writer in a process of its own; as ``Service``."""

    def __init__(self, data: Path, seed: int, ledger: Ledger) -> None:
        self._data, self._seed, self._ledger = data, seed, ledger
        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        command = [
            sys.executable,
            str(Path(__file__).with_name("writer.py")),
            str(self._data),
            str(self._seed),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the writer does not start"

    def kill(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        said, _ = process.communicate()
        for line in said.splitlines(keepends=True):
            if line.endswith("\n"):
                self._note(json.loads(line))

    def _note(self, what: dict[str, Any]) -> None:
        event = what.pop("event")
        if event == "begin":
            self._ledger.begin(**what)
        elif event == "done":
            self._ledger.end(done=True, **what)
        elif event == "refused":
            self._ledger.answered(what["error"])

    def sounds(self) -> dict[str, tuple[str, str | None]]:
        kept = UserSoundStore(self._data / "library")
        kept.tidy()
        found = {
            one.id: (one.name, None if kept.audio(one) is None else one.audio) for one in kept.all(MODEL)
        }
        kept.close()
        return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--full", type=int, default=0, help="how many of the kills come on a full disk")
    parser.add_argument("--service", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    draw, ledger = random.Random(options.seed), Ledger()
    print(f"seed {options.seed}", flush=True)
    opened = Service if options.service else Store
    with data_folder(options.full > 0) as data:
        for number in range(options.kills):
            running = opened(data, options.seed + number, ledger)
            try:
                write_for_a_while(running, data, ledger, draw, number < options.full)
            finally:
                running.kill()
            if not options.service:
                ledger.compare(running.sounds())
            left = [path for path in data.rglob("*.part") if not path.name.startswith(".")]
            ledger.faults["unfinished files with a name of their own"] += len(left)
            print(f"{number + 1}: {dict(ledger.acknowledged)} {dict(ledger.faults)}", flush=True)
        if options.service:
            last = Service(data, 0, ledger)
            look(last, ledger)
            last.kill()
        databases(data, ledger)
    print(f"kills {options.kills}, of these on a full disk {options.full}")
    print(f"acknowledged {dict(ledger.acknowledged)}, answers {dict(ledger.statuses)}")
    print(f"faults {dict(ledger.faults)}")
    return int(any(ledger.faults.values()))


def write_for_a_while(
    running: Service | Store, data: Path, ledger: Ledger, draw: random.Random, fill: bool
) -> None:
    """Until it is time to be killed, at the end on a full disk."""
    if isinstance(running, Service):
        look(running, ledger)
    longest = 4.0 if isinstance(running, Service) else 1.0
    running.begin()
    time.sleep(draw.uniform(0.05, longest))
    if fill:
        with filled(data):
            time.sleep(draw.uniform(0.5, longest))
            running.kill()


def look(service: Service, ledger: Ledger) -> None:
    """Compare what a started service has with what was acknowledged before it was killed."""
    ledger.compare(service.sounds())
    ledger.compare_models(*service.models())


@contextlib.contextmanager
def data_folder(small: bool) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        if not small:
            yield data
            return
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1G", "tmpfs", str(data)], check=True)
        try:
            yield data
        finally:
            subprocess.run(["umount", "--lazy", str(data)], check=True)


@contextlib.contextmanager
def filled(data: Path) -> Iterator[None]:
    """While this lasts the disk is full."""
    filler = data / "filler"
    with filler.open("ab", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(1 << 20))
    with filler.open("ab", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(4096))
    yield
    filler.unlink()


def databases(data: Path, ledger: Ledger) -> None:
    """Starts on databases that are not what they were: no recording may be gone afterwards."""
    file, aside = data / "library" / "library.sqlite", data / "aside.sqlite"
    UserSoundStore(data / "library").close()  # its journal is in it now
    before = {path.name for path in recordings(data)}
    file.rename(aside)
    for what in ("missing", "empty", "damaged", "older"):
        if what == "empty":
            file.touch()
        elif what == "damaged":
            whole = bytearray(aside.read_bytes())
            whole[4096:12288] = b"\xff" * 8192
            file.write_bytes(whole)
        elif what == "older":
            shutil.copyfile(aside, file)
            kept = UserSoundStore(data / "library")
            kept.database.write(
                lambda connection: connection.exec_driver_sql("DELETE FROM kept_sounds WHERE rowid % 3")
            )
            kept.close()
        try:
            kept = UserSoundStore(data / "library")
            kept.tidy()
            kept.close()
        except DatabaseUnusableError as refused:
            print(f"{what}: {refused}")
        left = {path.name for path in recordings(data)} | {path.name[2:] for path in data.glob("trash/*/*")}
        ledger.faults["recordings deleted by a start"] += len(before - left)
        file.unlink(missing_ok=True)
    aside.rename(file)


def recordings(data: Path) -> list[Path]:
    return list((data / "library" / "sounds").glob("*/*"))


if __name__ == "__main__":
    sys.exit(main())
