"""Sounds of the collection on a map: as columns that say what they are, whole or since a version."""

import json
import os

import numpy as np
import pytest
import sqlalchemy

from sonifold_app.collection.database import DATABASE, FOLDER, open_database
from sonifold_app.collection.positions import GONE, OTHER, FolderNumbers, Positions
from sonifold_app.collection.tables import roots, sounds

EXTENT = (-2.0, 2.0, -1.0, 1.0)
FAMILIES = ("kick", "snare")


def decoded(data):
    """Header and columns of a reply, by its description alone."""
    (length,) = np.frombuffer(data, "<u4", 1)
    header, at = json.loads(data[4 : 4 + length]), 4 + int(length)
    columns = {}
    for name, kind in header["columns"]:
        columns[name] = np.frombuffer(data, np.dtype(kind).newbyteorder("<"), header["count"], at)
        at += columns[name].nbytes
    assert at == len(data)
    return header, columns


@pytest.fixture
def database(tmp_path):
    database = open_database(tmp_path)
    yield database
    database.close()


def add(database, *ids, **values):
    """Sounds, each at (id / 10, 0)."""
    same = {
        "root": 1,
        "size": 1,
        "modified": 1,
        "missing": False,
        "tags": "",
        "state": "analysed",
        "pack": "p",
    }
    same |= {"family": "kick", "brightness": 0.5, "y": 0.0, "folder": "/files/Kits/TR808"} | values

    def write(connection):
        if not connection.execute(sqlalchemy.select(roots)).first():
            connection.execute(sqlalchemy.insert(roots).values(id=1, path="/files", created=""))
        for id in ids:
            row = {"id": id, "path": f"/files/{id}.wav", "name": f"{id}.wav", "x": id / 10, "vector": id}
            connection.execute(sqlalchemy.insert(sounds).values(**row | same))

    database.write(write)


def change(database, id, **values):
    database.write(lambda c: c.execute(sqlalchemy.update(sounds).where(sounds.c.id == id).values(**values)))


def positions_of(database, tmp_path, **options):
    """Read again at once: what is tried here is what is read, not how seldom."""
    return Positions(database, tmp_path / FOLDER / DATABASE, "p", EXTENT, FAMILIES, rest=0.0, **options)


def test_positions_are_shares_of_the_extent_in_columns_that_say_what_they_are(database, tmp_path):
    add(database, 3, 1)
    add(database, 7, family="bell", brightness=1.0, folder="/files", x=9.0)
    add(database, 8, state="listed", x=None)
    add(database, 9, missing=True)
    add(database, 10, pack="another")
    header, columns = decoded(positions_of(database, tmp_path).after().encoded(growing=True))
    assert columns["id"].tolist() == [1, 3, 7]
    x0, x1, y0, y1 = header["extent"]
    x = x0 + columns["x"] / 65535 * (x1 - x0)
    np.testing.assert_allclose(x, [0.1, 0.3, x1], atol=1e-4)  # what lies outside stands at the edge
    np.testing.assert_allclose(y0 + columns["y"] / 65535 * (y1 - y0), 0, atol=1e-4)
    assert columns["family"].tolist() == [0, 0, OTHER]
    assert [header["folders"][number] for number in columns["folder"]] == [
        os.path.join("files", "Kits")
    ] * 2 + ["files"]
    assert columns["brightness"].tolist() == [128, 128, 255]
    assert (header["whole"], header["growing"]) == (True, True)
    assert sum(values.itemsize for values in columns.values()) == 11


def test_who_has_a_version_is_sent_what_changed_after_it(database, tmp_path):
    add(database, 1, 2, 3)
    positions = positions_of(database, tmp_path)
    first = positions.after()
    assert positions.after(first.version).ids.tolist() == []
    add(database, 4)
    change(database, 2, x=1.5)
    change(database, 3, missing=True)
    second = positions.after(first.version)
    assert (second.whole, second.ids.tolist()) == (False, [2, 3, 4])
    assert second.rows["family"].tolist() == [0, GONE, 0]
    change(database, 3, missing=False)
    assert positions.after(second.version).ids.tolist() == [3]
    assert positions.after(second.version).rows["family"].tolist() == [0]
    assert positions.after(first.version).ids.tolist() == [2, 3, 4]
    for foreign in ("", "x", "ffffffff.1", f"{first.version}x", first.version.split(".")[0]):
        assert positions.after(foreign).whole


def test_a_change_that_moves_no_sound_is_no_new_version(database, tmp_path):
    add(database, 1)
    positions = positions_of(database, tmp_path)
    first = positions.after()
    change(database, 1, tags="kick loud")
    assert positions.after().version == first.version


def test_another_layout_puts_the_same_sounds_elsewhere_and_leaves_out_those_it_has_none_for(
    database, tmp_path
):
    add(database, 1, 2)
    positions = positions_of(
        database,
        tmp_path,
        layout=lambda rows: np.where(rows[:, None] == 2, np.nan, [[2.0, 1.0]]).astype(np.float32),
    )
    columns = positions.after()
    assert columns.ids.tolist() == [1]
    assert columns.rows[["x", "y"]].tolist() == [(65535, 65535)]


def test_folders_beyond_those_that_have_a_number_share_the_last():
    numbers = FolderNumbers({1: "/", 2: "/b"})
    assert [numbers.number(1, "/a"), numbers.number(1, "/a/c"), numbers.number(2, "/b")] == [0, 0, 1]
    assert [numbers.number(1, f"/more{i}") for i in range(300)][-2:] == [OTHER, OTHER]
    assert len(numbers.names) == OTHER
