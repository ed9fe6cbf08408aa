"""Everything that is kept in one data folder, opened together and closed together."""

from __future__ import annotations

import logging
import shutil

import sqlalchemy.exc

from sonifold_app.store.blobs import Blobs
from sonifold_app.store.cache import ReplyCache
from sonifold_app.store.data_folder import DataFolder
from sonifold_app.store.failures import StorageError
from sonifold_app.store.folder import BoundedFolder
from sonifold_app.store.jobs import JobStore
from sonifold_app.store.listening import ListeningStore
from sonifold_app.store.opening import LISTENING, open_database, open_files
from sonifold_app.store.quotas import Quota
from sonifold_app.store.sounds import UserSoundStore

CACHE_BYTES = 64 << 20

log = logging.getLogger(__name__)


class Storage:
    """What the user keeps (``sounds``, ``jobs``, ``listening``) and what can be made again (``blobs``, ``cache``)."""

    def __init__(
        self,
        data: DataFolder,
        keep_bytes: int,
        database: str | None = None,
        blobs: str | None = None,
        quota: Quota | None = None,
    ) -> None:
        """``database``: URL of the database; by default the embedded one. ``blobs``: URL of the object store for
        recordings; by default they are in the data folder. ``quota``: how much of the server they may take.

        Raises DataFolderUnusableError, DatabaseUnusableError, BlobsUnusableError.
        """
        self._data = data
        cache = data.path / "cache"
        with data.usable():
            self.blobs = Blobs(BoundedFolder(cache / "blobs", keep_bytes, room=data.room))
            self.cache = ReplyCache(cache / "memo", CACHE_BYTES, room=data.room)
            library = data.path / "library"
            opened = open_database(library, database, room=data.room)
            self.sounds = UserSoundStore(library, room=data.room, database=opened, blobs=blobs, quota=quota)
            self.jobs = JobStore(self.sounds.database, quota=quota)
            self._files = open_files(data.path / LISTENING, data.path, blobs, room=data.room)
            self.listening = ListeningStore(self.sounds.database, self._files, quota)

    def tidy(self) -> None:
        """See to what earlier runs left. Only the server that has the folder does, once."""
        try:
            self.sounds.tidy()
            self.listening.tidy()
            self.blobs.clear_abandoned()
            self.cache.clear_abandoned()
            shutil.rmtree(self._data.path / "cache" / "files", ignore_errors=True)  # of earlier versions
        except (StorageError, OSError, sqlalchemy.exc.SQLAlchemyError) as error:
            log.warning("what earlier runs left could not be seen to: %s", error)

    def problem(self) -> str | None:
        """A sentence about why nothing can be kept at the moment, if so."""
        return self._data.problem() or self.sounds.database.problem() or self._files.problem()

    def close(self) -> None:
        """Let another server have it all."""
        self.jobs.close()
        self.sounds.close()
        self._data.release()
