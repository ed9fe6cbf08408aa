"""Files that rows name, in an object store that a URL of fsspec names: ``s3://bucket/prefix`` and others.

The same rules as in a folder, see ``named``. An object is there whole or not at all, since that is what such stores
promise of one request; what they answer late or not at all is StorageUnavailableError, and nothing is lost by it.
"""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sonifold_app.store.blobs import SHA256
from sonifold_app.store.failures import StorageUnavailableError
from sonifold_app.store.named import Swept
from sonifold_app.store.trash import DAYS, today

#: Seconds for a connection, and for an answer: a request waits for either.
CONNECT_SECONDS, ANSWER_SECONDS = 3, 10
#: Of one request to the store. Whoever asked is told to ask again; more of them would only hold her up.
ATTEMPTS = 2
#: What an S3 client is made with.
S3_OPTIONS = {
    "config_kwargs": {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "retries": {"max_attempts": 1},
    },
}
FILES, TRASH, DAMAGED = "files", "trash", "damaged"
#: There from the first question on: where it is missing later, not an object is gone but the store.
MARKER = "sonifold"

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class BlobsUnusableError(Exception):
    """The object store cannot be used; the message is a sentence for the operator."""


class NamedObjects(Swept):
    """Objects whose keys are in rows, under ``URL/name``. Safe to use from several threads."""

    def __init__(self, url: str, name: str) -> None:
        """``name``: of these files among others of the store. Raises BlobsUnusableError."""
        self._url = f"{url.rstrip('/')}/{name}"
        try:
            import fsspec

            protocol = url.partition("://")[0]
            options: dict[str, Any] = S3_OPTIONS if protocol in ("s3", "s3a") else {}
            self._system, self._root = fsspec.core.url_to_fs(self._url, use_listings_cache=False, **options)
            if options:
                self._system.retries = ATTEMPTS
        except ImportError as error:
            raise BlobsUnusableError(
                f"SONIFOLD_BLOBS={url}: {error}. For S3 install sonifold[s3], or unset SONIFOLD_BLOBS to keep "
                "recordings in the data folder."
            ) from error
        except ValueError as error:
            raise BlobsUnusableError(
                f"SONIFOLD_BLOBS={url}: {error}. Write s3://bucket/prefix, or unset it."
            ) from error

        self._marked = False

    def __str__(self) -> str:
        return self._url

    def get(self, key: str) -> bytes | None:
        """What is kept under a key, or None. Raises StorageUnavailableError where it cannot be told."""
        data = self._get(self._path(key))
        if data is not None:
            return data
        self._require_store()
        return self._get(self._path(key)) if self._restore(key) else None

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key. Raises StorageUnavailableError."""
        self._write(self._path(key), data)

    def drop(self, key: str) -> None:
        """Keep the bytes under a key no longer. Raises StorageUnavailableError."""
        self._remove(self._path(key))

    def __contains__(self, key: str) -> bool:
        if self._exists(self._path(key)):
            return True
        self._require_store()
        return self._restore(key)

    def size(self, key: str) -> int:
        """Bytes under a key; 0 where there are none, or none can be seen."""
        try:
            return int(self._try(lambda: self._system.size(self._path(key))) or 0)
        except (FileNotFoundError, StorageUnavailableError):
            return 0

    def clear_abandoned(self) -> None:
        """There is nothing of the kind."""

    def purge(self) -> None:
        for path, _ in self._all(TRASH):
            day = path.removeprefix(f"{self._root}/{TRASH}/").partition("/")[0]
            try:
                age = today() - datetime.date.fromisoformat(day)
            except ValueError:
                continue
            if age.days > DAYS:
                self._remove(path)

    def set_aside(self, key: str) -> None:
        aside = f"{self._root}/{DAMAGED}/{key}-{secrets.token_hex(4)}"
        try:
            self._move(self._path(key), aside)
        except StorageUnavailableError as error:
            log.error("recording %s… is damaged, and cannot be set aside: %s", key[:12], error)
        else:
            log.error("recording %s… is damaged; it is now %s", key[:12], aside)

    def problem(self) -> str | None:
        try:
            there = self._exists(f"{self._root}/{MARKER}")
            bucket = there or (not self._marked and self._exists(self._root.partition("/")[0]))
        except StorageUnavailableError as error:
            return str(error)
        return None if bucket else str(StorageUnavailableError(f"{self._url} has no bucket, or is gone"))

    # -- the rules of ``Swept`` --------------------------------------------------------------------

    def _present(self) -> Mapping[str, float]:
        named = {
            path.removeprefix(f"{self._root}/{FILES}/").replace("/", ""): modified
            for path, modified in self._all(FILES)
        }
        return {key: modified for key, modified in named.items() if SHA256.fullmatch(key)}

    def _to_trash(self, key: str) -> None:
        self._move(self._path(key), f"{self._root}/{TRASH}/{today().isoformat()}/{key}")

    def _restore(self, key: str) -> bool:
        """Bring an object back from the trash; whether it was there."""
        if not SHA256.fullmatch(key):
            return False
        pattern = f"{self._root}/{TRASH}/*/{key}"
        entries = sorted(self._try(lambda: self._system.glob(pattern)) or [])
        if not entries:
            return False
        self._move(entries[-1], self._path(key))
        log.warning("recording %s… came back from the trash: a row names it", key[:12])
        return True

    # -- the store -----------------------------------------------------------------------------------

    def _path(self, key: str) -> str:
        return f"{self._root}/{FILES}/{key[:2]}/{key[2:]}"

    def _all(self, part: str) -> list[tuple[str, float]]:
        """Paths, and when they came in seconds since 1970."""
        listing: Mapping[str, Any] = (
            self._try(lambda: self._system.find(f"{self._root}/{part}", detail=True)) or {}
        )
        return [(path, seconds_of(about)) for path, about in listing.items()]

    def _require_store(self) -> None:
        """Raises StorageUnavailableError where not just an object is missing but the store."""
        marker = f"{self._root}/{MARKER}"
        there = self._exists(marker)
        if not there and self._marked:
            raise StorageUnavailableError(f"{self._url} is gone, or another store is in its place")
        if not there:
            self._write(marker, b"recordings of Sonifold\n")
        self._marked = True

    def _exists(self, path: str) -> bool:
        return bool(self._try(lambda: self._system.exists(path)))

    def _write(self, path: str, data: bytes) -> None:
        try:
            self._try(lambda: self._system.pipe_file(path, data))
        except FileNotFoundError as error:
            raise StorageUnavailableError(f"{self._url} has no bucket, or none any more") from error

    def _get(self, path: str) -> bytes | None:
        try:
            return self._try(lambda: bytes(self._system.cat_file(path)))
        except FileNotFoundError:
            return None

    def _remove(self, path: str) -> None:
        try:
            self._try(lambda: self._system.rm_file(path))
        except FileNotFoundError:
            return

    def _move(self, source: str, target: str) -> None:
        """First there, then no longer here: at no time is it nowhere."""
        data = self._get(source)
        if data is not None:
            self._write(target, data)
            self._remove(source)

    def _try(self, ask: Callable[[], Result]) -> Result:
        """Raises FileNotFoundError, and StorageUnavailableError for whatever else a client of a store raises: each has
        errors of its own kind, and none of them says that anything is lost.
        """
        try:
            return ask()
        except FileNotFoundError:
            raise
        except Exception as error:
            log.warning("the object store failed: %s: %s", type(error).__name__, error)
            raise StorageUnavailableError("the object store does not answer as it should") from error


def seconds_of(about: Mapping[str, Any]) -> float:
    """When a file came, in seconds since 1970, as file systems of fsspec say it; now where they do not."""
    for name in ("LastModified", "mtime", "created"):
        match about.get(name):
            case datetime.datetime() as moment:
                return moment.timestamp()
            case int() | float() as seconds:
                return float(seconds)
    return datetime.datetime.now(datetime.UTC).timestamp()
