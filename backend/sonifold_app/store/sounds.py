"""The sounds that a user keeps: rows in the database, audio in a store of its own that nothing is evicted from.

What a model was adapted to is kept for as long as the adaptation is in use, deleted sounds too (``adaptations``).

The cache may be deleted at any time; this may not. A row is written after its audio is on the disk and deleted before
it, so that a row always has its audio; audio that a crash left without a row goes to the trash at a later start.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy
from sqlalchemy import delete, select, update

from sonifold_app.engine.answers import PreparedSound
from sonifold_app.engine.numbers import Numbers
from sonifold_app.engine.questions import UserSoundData
from sonifold_app.store.adaptations import AdaptationStore
from sonifold_app.store.audio import SoundAudio
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database
from sonifold_app.store.derived import DerivedStore, parts_of
from sonifold_app.store.failures import StorageError
from sonifold_app.store.opening import SOUNDS, open_database, open_files
from sonifold_app.store.quotas import Quota
from sonifold_app.store.room import Room
from sonifold_app.store.tables import adaptations, revisions, uploads, user_sounds
from sonifold_app.store.uploads import UploadStore

#: In the JSON of where a sound comes from: the model it was kept with before that was gone.
FORMER_HOME = "kept_with"
#: In the JSON of facts: the pitch is its user's, and no guess.
PITCH_CORRECTED = "pitch_corrected"

Kind = Literal["made", "uploaded"]

#: Models whose sounds stay in memory once they were read, some 4 kB each.
REMEMBERED = 4


@dataclass(frozen=True)
class UserSound:
    """A row: a user sound and where it comes from."""

    id: str
    model: str
    pack: str  # what the point is a point of
    kind: Kind
    name: str
    seconds: float
    pitch: float | None  # Hz
    x: float
    y: float
    in_distribution: bool
    z: Numbers  # (latent,)
    timbre: Numbers  # (feature,)
    audio: str  # sha256
    source_json: str
    created: str  # ISO 8601, UTC
    facts_json: str

    @cached_property
    def source(self) -> dict[str, Any]:
        """Where it comes from."""
        source: dict[str, Any] = json.loads(self.source_json)
        return source

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Of the recording as it came, with the caveats."""
        facts: dict[str, Any] = json.loads(self.facts_json)
        return facts

    def plain(self, audio: bytes = b"") -> UserSoundData:
        """As the engine takes it."""
        return UserSoundData(
            self.id,
            self.name,
            self.seconds,
            self.audio,
            self.z,
            self.timbre,
            audio,
            self.origin,
            self.pitch if self.facts.get(PITCH_CORRECTED) else None,
        )

    @property
    def origin(self) -> str:
        """Where it comes from, as files that leave say it; ``""``: a recording of one's own."""
        return "made by the model" if self.kind == "made" else ""


@dataclass(frozen=True)
class NewSound:
    """What is to be kept."""

    kind: Kind
    name: str
    prepared: PreparedSound
    source: dict[str, Any]


class LatestLists:
    """The lists of sounds of the models that were asked for last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: OrderedDict[str, tuple[int, list[UserSound]]] = OrderedDict()

    def find(self, model: str, revision: int) -> list[UserSound] | None:
        """A model's, as it is at that revision."""
        of_revision, sounds = self._lists.get(model, (None, []))
        return sounds if of_revision == revision else None

    def keep(self, model: str, revision: int, sounds: list[UserSound]) -> None:
        with self._lock:
            self._lists[model] = revision, sounds
            self._lists.move_to_end(model)
            while len(self._lists) > REMEMBERED:
                self._lists.popitem(last=False)


class UserSoundStore:
    """Safe to use from several threads, and from the workers of the server that has the data folder.

    To open it changes nothing: what an earlier run left is seen to by ``tidy``, which the server calls.
    """

    def __init__(
        self,
        folder: Path,
        *,
        room: Room | None = None,
        make: bool = True,
        database: Database | None = None,
        blobs: str | None = None,
        quota: Quota | None = None,
    ) -> None:
        """Opens what is in ``folder``, or makes it unless ``make=False``. ``room``: what gives way on a full disk.
        ``database``: where that is open already; by default the embedded one in ``folder``. ``blobs``: URL of the
        object store that has the recordings; by default they are in ``folder``. ``quota``: how much may be kept.

        Raises DatabaseUnusableError, BlobsUnusableError.
        """
        self.database = database or open_database(folder, room=room, make=make)
        self._room, self._quota = room, quota
        self._audio = SoundAudio(open_files(folder / SOUNDS, folder.parent, blobs, room=room))
        self._writing = threading.Lock()  # between audio and row
        self.derived = DerivedStore(self.database)
        self._latest = LatestLists()
        self.uploads = UploadStore(
            self.database, self._audio, self._writing, self._new_audio, self._drop_unused
        )
        self.adaptations = AdaptationStore(self.database, self._audio, self._writing, self._drop_unused)

    def tidy(self) -> None:
        """See to what earlier runs left: uploads that nobody chose from, recordings without a row, old trash."""
        self._audio.clear_abandoned()
        with self._writing:
            self.uploads.remove_expired()
            self._audio.sweep(self._audio_in_use())
        self._audio.purge()

    def close(self) -> None:
        self.database.close()

    def add(self, model: str, pack: str, sounds: Sequence[NewSound]) -> list[UserSound]:
        """Keep sounds, all or none; on the disk when this returns. Raises StorageError, QuotaFullError among them."""
        created = now()
        with self._writing, self._new_audio([sound.prepared.audio for sound in sounds]) as audio:
            if self._quota is not None and self._quota.limits.sounds:
                self._quota.require_sounds(self._count(), len(sounds))
            # sorted, since lists are in the order of (created, id)
            ids = sorted(f"u{secrets.token_hex(6)}" for _ in sounds)
            rows = [
                row_of(id, model, pack, new, sha256, created)
                for id, new, sha256 in zip(ids, sounds, audio, strict=True)
            ]
            self.database.write(lambda connection: connection.execute(user_sounds.insert(), rows))
        return [sound_of(row) for row in rows]

    def all(self, model: str) -> list[UserSound]:
        """A model's sounds, oldest first; not to be changed."""
        return self.at_revision(model)[1]

    def at_revision(self, model: str) -> tuple[int, list[UserSound]]:
        """(A number that is another after every change, a model's sounds as they are at it or later)."""
        query = (
            select(user_sounds)
            .where(user_sounds.c.model == model)
            .order_by(user_sounds.c.created, user_sounds.c.id)
        )
        with self.database.connect() as connection:
            number = connection.execute(
                select(revisions.c.number).where(revisions.c.model == model)
            ).scalar_one_or_none()
            revision = number or 0
            sounds = self._latest.find(model, revision)
            if sounds is None:
                sounds = [sound_of(row._mapping) for row in connection.execute(query)]
        self._latest.keep(model, revision, sounds)
        return revision, sounds

    def some(self, model: str, ids: Collection[str]) -> dict[str, UserSound]:
        """Those of a model's sounds that have one of the ids."""
        sounds = {}
        with self.database.connect() as connection:
            for part in parts_of(ids):
                query = select(user_sounds).where(user_sounds.c.model == model, user_sounds.c.id.in_(part))
                sounds.update({row.id: sound_of(row._mapping) for row in connection.execute(query)})
        return sounds

    def change(self, model: str, id: str, values: Mapping[str, Any]) -> bool:
        """Another ``name`` or ``pitch``; whether there was such a sound."""
        is_sound = (user_sounds.c.model == model) & (user_sounds.c.id == id)

        def write(connection: sqlalchemy.Connection) -> bool:
            facts = connection.execute(select(user_sounds.c.facts).where(is_sound)).scalar_one_or_none()
            if facts is None:
                return False
            changed = dict(values)
            if "pitch" in values:  # no guess any more
                changed["facts"] = json.dumps({**json.loads(facts), PITCH_CORRECTED: 1})
            connection.execute(update(user_sounds).where(is_sound).values(**changed))
            return True

        return self.database.write(write)

    def move(self, sound: UserSound, pack: str, prepared: PreparedSound) -> None:
        """Give a sound its place in another pack of the same name; its audio stays."""
        x, y = prepared.position
        values = {
            "pack": pack,
            "x": x,
            "y": y,
            "known": int(prepared.in_distribution),
            "z": bytes_of(prepared.z),
            "timbre": bytes_of(prepared.timbre),
        }
        change = update(user_sounds).where(user_sounds.c.id == sound.id).values(**values)
        self.database.write(lambda connection: connection.execute(change))

    def homes(self) -> set[str]:
        """The models that sounds are kept with, or uploads wait with."""
        models = sqlalchemy.union(select(user_sounds.c.model), select(uploads.c.model))
        with self.database.connect() as connection:
            return set(connection.execute(models).scalars())

    def rehome(self, model: str, successor: str, *, remember: bool = False) -> int:
        """Keep a model's sounds and uploads with another one; how many sounds these were.

        They have the points of their old pack until they are found anew. ``remember``: ``bring_home`` may undo it.
        """
        waiting = update(uploads).where(uploads.c.model == model).values(model=successor)
        sounds = update(user_sounds).where(user_sounds.c.model == model).values(model=successor)

        def move(connection: sqlalchemy.Connection) -> int:
            connection.execute(waiting)
            if remember:
                change_sources(
                    connection,
                    user_sounds.c.model == model,
                    lambda source: {"source": json.dumps({**source, FORMER_HOME: model})},
                )
            return connection.execute(sounds).rowcount

        return self.database.write(move, frees=True)  # a part of deleting the model

    def bring_home(self, models: Collection[str]) -> None:
        """Undo what ``rehome`` remembered for some models."""

        def home(source: dict[str, Any]) -> dict[str, Any] | None:
            former = source.pop(FORMER_HOME, None)
            return {"model": former, "source": json.dumps(source)} if former in models else None

        moved = user_sounds.c.source.contains(f'"{FORMER_HOME}"')
        self.database.write(lambda connection: change_sources(connection, moved, home))

    def remove(self, model: str, id: str) -> bool:
        """Whether there was such a sound; its audio goes too unless another sound has the same."""
        is_sound = (user_sounds.c.model == model) & (user_sounds.c.id == id)
        deletion = delete(user_sounds).where(is_sound).returning(user_sounds.c.audio)
        with self._writing:
            audio = self.database.write(
                lambda connection: connection.execute(deletion).scalar_one_or_none(), frees=True
            )
            if audio is not None:
                self._drop_unused([audio])
        return audio is not None

    def audio(self, sound: UserSound) -> bytes | None:
        """A sound's FLAC file; None if it was lost or damaged on the disk."""
        return self._audio.get(sound.audio)

    def with_audio(self, sounds: Sequence[UserSound]) -> list[UserSound]:
        """Those whose recordings are there."""
        return [sound for sound in sounds if sound.audio in self._audio]

    # -- audio ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _new_audio(self, recordings: Sequence[bytes]) -> Iterator[list[str]]:
        """Keep recordings for the rows that are written meanwhile; without the rows they are not kept either."""
        if self._quota is not None:
            self._quota.add_bytes(sum(map(len, recordings)))
        audio: list[str] = []
        try:
            for data in recordings:
                audio.append(self._audio.put(data))
            yield audio
        except BaseException:
            # where this fails, a later start does it
            with contextlib.suppress(StorageError, OSError, sqlalchemy.exc.SQLAlchemyError):
                self._drop_unused(audio)
            raise

    def _drop_unused(self, audio: Sequence[str]) -> None:
        if audio:
            for sha256 in set(audio) - self._audio_in_use():
                self._audio.drop(sha256)
            if self._room is not None:
                self._room.refill()

    def _count(self) -> int:
        with self.database.connect() as connection:
            return int(
                connection.execute(select(sqlalchemy.func.count()).select_from(user_sounds)).scalar_one()
            )

    def _audio_in_use(self) -> set[str]:
        with self.database.connect() as connection:
            return named_recordings(connection)


def named_recordings(connection: sqlalchemy.Connection) -> set[str]:
    """The sha256 of every recording that a row of the user's database names."""
    named = set(connection.execute(select(user_sounds.c.audio).distinct()).scalars())
    lists = connection.execute(
        sqlalchemy.union_all(select(uploads.c.files), select(adaptations.c.sounds))
    ).scalars()
    return named | {file["audio"] for files in lists for file in json.loads(files)}


def change_sources(
    connection: sqlalchemy.Connection,
    condition: sqlalchemy.ColumnElement[bool],
    change: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> None:
    """Change the rows of sounds by where these come from; ``change``: the new values, or None where they stay."""
    for id, source in connection.execute(
        select(user_sounds.c.id, user_sounds.c.source).where(condition)
    ).all():
        if (values := change(json.loads(source))) is not None:
            connection.execute(update(user_sounds).where(user_sounds.c.id == id).values(**values))


def missing_recording(sound: UserSound) -> str:
    """A sentence about a sound whose recording is not there."""
    return (
        f"the recording of your sound {sound.name!r} ({sound.id}) is missing in the data folder, or damaged and set "
        "aside there."
    )


def row_of(id: str, model: str, pack: str, new: NewSound, audio: str, created: str) -> dict[str, Any]:
    """The row of a new sound. Its id begins as no library sound's does: theirs are hexadecimal."""
    x, y = new.prepared.position
    return {
        "id": id,
        "model": model,
        "pack": pack,
        "kind": new.kind,
        "name": new.name,
        "seconds": new.prepared.seconds,
        "pitch": new.prepared.pitch,
        "x": x,
        "y": y,
        "known": int(new.prepared.in_distribution),
        "z": bytes_of(new.prepared.z),
        "timbre": bytes_of(new.prepared.timbre),
        "audio": audio,
        "source": json.dumps(new.source),
        "created": created,
        "facts": json.dumps(
            {
                **new.prepared.facts,
                "nearest": [[neighbour.id, neighbour.distance] for neighbour in new.prepared.nearest],
                "caveats": [[caveat.code, caveat.text] for caveat in new.prepared.caveats],
            }
        ),
    }


def bytes_of(values: Numbers) -> bytes:
    return values.astype("<f4").tobytes()


def sound_of(row: Any) -> UserSound:
    """A row as a sound; its arrays are copies, which torch may share."""
    values = dict(row)
    values["source_json"], values["facts_json"] = values.pop("source"), values.pop("facts")
    values["in_distribution"] = bool(values.pop("known"))
    for name in ("z", "timbre"):
        values[name] = np.frombuffer(values[name], "<f4").astype(np.float32)
    return UserSound(**values)
