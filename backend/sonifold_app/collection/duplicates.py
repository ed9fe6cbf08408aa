"""Sounds that are the same to the ear: another file of the same bytes, or nearly the same sound.

Copies have the same hash. Near ones have a first sound, whose group they are in where they are within ``NEAR`` of it:
another level, sample rate, format or number of channels, a little of an equaliser. Nothing is hidden for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from sonifold_app.collection.tables import sounds
from sonifold_app.collection.vectors import Vectors

#: In the model's unit. Of 200 library sounds 2 have another that is nearer; of copies at another level, at 48 kHz,
#: in stereo or with less treble all are, of MP3 95 %, of Ogg 61 %, with a shorter tail or at 22 kHz 40 %
#: (tests/benchmarks/collection/near_duplicates.py).
NEAR = 1.0

#: Where both have a note they differ by no more, or a scale of an instrument would be one sound.
PITCH_RATIO = 2 ** (35 / 1200)

COLUMNS = sounds.c.duplicates, sounds.c.near_duplicates


def group_copies(connection: Connection, hashes: Sequence[str | None]) -> None:
    """Sounds with these hashes are grouped with all that have the same."""
    repeated = (
        select(sounds.c.sha256, func.min(sounds.c.id))
        .where(sounds.c.sha256.in_(hashes))
        .group_by(sounds.c.sha256)
        .having(func.count() > 1)
    )
    for sha256, least in connection.execute(repeated).all():
        connection.execute(update(sounds).where(sounds.c.sha256 == sha256).values(duplicates=least))


def group_near(connection: Connection, vectors: Vectors, first: int, count: int) -> None:
    """``count`` new rows of the arrays from ``first`` on are grouped with those before them that they are near to."""
    for row, earlier in vectors.near_before(first, count, NEAR):
        leader = leader_of(connection, vectors.pack, row, earlier)
        if leader is not None:
            id, number = leader
            both = sounds.c.vector.in_([number, row]), sounds.c.pack == vectors.pack
            connection.execute(update(sounds).where(*both).values(near_duplicates=id))


def leader_of(connection: Connection, pack: str, row: int, rows: Sequence[int]) -> tuple[int, int] | None:
    """(id, row) of the first of some rows of the arrays whose sound is in no group, or the first in its own, and has
    the note of the sound in ``row``.
    """
    columns = func.min(sounds.c.id), func.min(sounds.c.near_duplicates), func.min(sounds.c.pitch_hz)
    members = select(sounds.c.vector, *columns).where(
        sounds.c.vector.in_([row, *rows]), sounds.c.pack == pack
    )
    by_row = {number: facts for number, *facts in connection.execute(members.group_by(sounds.c.vector))}
    _, _, pitch = by_row[row]
    for number in rows:
        id, group, other_pitch = by_row.get(number, (None, None, None))
        if id is not None and group in (None, id) and is_same_note(pitch, other_pitch):
            return id, number
    return None


def is_same_note(first: float | None, second: float | None) -> bool:
    """Also where it is not known of both."""
    return first is None or second is None or max(first, second) <= PITCH_RATIO * min(first, second)


def leave_groups(connection: Connection, ids: Sequence[int]) -> None:
    """Sounds are no longer what they were: they leave their groups, which end where fewer than two are left, or where
    the sound goes that all others are near to.
    """
    for column in COLUMNS:
        groups = (
            connection.execute(select(column).where(sounds.c.id.in_(ids), column.is_not(None)))
            .scalars()
            .all()
        )
        if not groups:
            continue
        leaving: ColumnElement[bool] = sounds.c.id.in_(ids)
        if column is sounds.c.near_duplicates:
            leaving = or_(leaving, column.in_(ids))
        connection.execute(update(sounds).where(leaving).values({column: None}))
        single = select(column).where(column.in_(groups)).group_by(column).having(func.count() < 2)
        connection.execute(update(sounds).where(column.in_(single)).values({column: None}))


def same_as(sound: dict[str, Any]) -> ColumnElement[bool]:
    """The condition of being in one of a sound's groups, and another."""
    groups = [column == sound[column.name] for column in COLUMNS if sound[column.name] is not None]
    return and_(or_(False, *groups), sounds.c.id != sound["id"])


def group_of(sound: dict[str, Any]) -> int | None:
    """The number of the widest group that a sound is in."""
    near: int | None = sound["near_duplicates"]
    copies: int | None = sound["duplicates"]
    return copies if near is None else near
