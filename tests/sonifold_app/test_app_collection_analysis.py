"""How files sound: analysed where they lie, once each, whatever ends the run or becomes of the files meanwhile."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import insert, select

import sonifold
from sonifold.analysis.analyser import Analyser
from sonifold_app.collection.analysis import BATCH, Analysis
from sonifold_app.collection.database import FOLDER, open_database
from sonifold_app.collection.duplicates import group_near, leave_groups
from sonifold_app.collection.ingest import Ingest
from sonifold_app.collection.listing import described_by_name, root_of
from sonifold_app.collection.query import read_query
from sonifold_app.collection.runs import Runs, RunState
from sonifold_app.collection.search import Search
from sonifold_app.collection.tables import sounds
from sonifold_app.collection.vectors import TIMBRE, VECTORS, VectorFile, Vectors
from sonifold_app.collection.walk import File
from sonifold_app.collection.words import Fts5Index
from sonifold_app.engine.packs import meaning_of_points

pytestmark = pytest.mark.long
RATE = 44_100
FILES = BATCH + 12


def tone(number):
    """A short tone whose pitch is its number's."""
    time_of = np.arange(RATE // 20) / RATE
    return 0.5 * np.sin(2 * np.pi * (200 + 10 * number) * time_of) * np.exp(-40 * time_of)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("Samples")
    for number in range(FILES):
        soundfile.write(root / f"tone {number:03d}.wav", tone(number), RATE)
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def rows_of(data):
    with open_database(data).connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(sounds).order_by(sounds.c.id))]


def ingest(data, small_models, *folders):
    words, database = Fts5Index(), open_database(data)
    analysis = Analysis(data / FOLDER, database, words, "oneshots", small_models, 1)
    return Ingest(data / FOLDER, database, words).run(folders, analysis)


def start_and_kill(data, small_models, folder):
    """Kill an ingest as soon as it has written its first sounds."""
    environment = os.environ | {
        "SONIFOLD_DATA": str(data), "SONIFOLD_MODELS": str(small_models), "SONIFOLD_THREADS": "1",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "sonifold.cli", "ingest", str(folder)], env=environment)
    try:
        while process.poll() is None and not any(row["vector"] is not None for row in rows_of(data)):
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(os.name == "nt", reason="kills are signals")
def test_what_kills_moves_copies_and_damage_leave_is_put_right(data, folder, small_models):
    start_and_kill(data, small_models, folder)
    before = {row["id"]: row["vector"] for row in rows_of(data) if row["state"] == "analysed"}
    pack = next(row["pack"] for row in rows_of(data) if row["pack"])
    with (data / FOLDER / VECTORS / pack / "timbre.f32").open("ab") as out:
        out.write(b"half a row that no transaction names")
    moved = {row["name"]: row for row in rows_of(data)}["tone 003.wav"]
    (folder / "new").mkdir()
    (folder / "tone 003.wav").rename(folder / "new" / "kick.wav")
    shutil.copy(folder / "tone 005.wav", folder / "copy.wav")
    (folder / "broken.wav").write_bytes(b"RIFF and nothing else")
    soundfile.write(folder / "silent.wav", np.zeros(RATE // 10), RATE)

    progress = ingest(data, small_models, folder)

    rows = rows_of(data)
    by_name = {row["name"]: row for row in rows}
    analysed = [row for row in rows if row["state"] == "analysed"]
    assert BATCH <= len(before) <= FILES
    assert {row["id"]: row["vector"] for row in rows if row["id"] in before} == before, "none again"
    assert len(analysed) == FILES + 1
    assert len({row["vector"] for row in analysed}) == FILES, "the copy shares its vector"
    assert progress.remaining == 0
    assert not any(row["missing"] for row in rows)
    assert by_name["kick.wav"]["id"] == moved["id"]
    assert by_name["copy.wav"]["duplicates"] == by_name["tone 005.wav"]["duplicates"] is not None
    assert {row["name"]: row["state"] for row in rows if row["reason"]} == {
        "broken.wav": "unreadable",
        "silent.wav": "unreadable",
    }
    states = [run.state for run in Runs(open_database(data)).all()]
    assert states == [RunState.DONE, RunState.INTERRUPTED]
    search = Search(open_database(data), Fts5Index())
    assert [match.sound["name"] for match in search.find(read_query("kick")).matches] == ["kick.wav"]
    shorter = search.find(read_query("length:<0.06 -copy"), 1000).matches
    assert len(shorter) == FILES


def test_the_arrays_hold_what_the_analysis_finds_and_the_nearest_come_first(data, folder, small_models):
    """After the test before, whose collection it reads."""
    model = sonifold.load("oneshots", small_models)
    search = Search(open_database(data), Fts5Index())
    vectors = Vectors(
        data / FOLDER / VECTORS, meaning_of_points(model), model.latent_dim, model.config.unit_per_phi
    )
    (facts,) = Analyser(model).analyse([folder / "tone 040.wav"])
    page = search.near(facts.timbre, vectors, read_query("tone"), 5)
    assert page.matches[0].sound["name"] == "tone 040.wav"
    assert page.matches[0].distance == pytest.approx(0, abs=1e-2)
    distances = [match.distance for match in page.matches]
    assert distances == sorted(distances)
    row = page.matches[0].sound
    np.testing.assert_allclose(vectors.latent.rows(FILES)[row["vector"]], facts.z, atol=1e-4)
    following = search.near(facts.timbre, vectors, read_query("tone"), 5, offset=5)
    assert not {match.sound["id"] for match in page.matches} & {
        match.sound["id"] for match in following.matches
    }


def test_facts_of_a_tone_are_those_of_the_tone(small_models, tmp_path):
    time_of = np.arange(12 * RATE) / RATE
    stereo = np.repeat(0.25 * np.sin(2 * np.pi * 440 * time_of)[:, None], 2, axis=1)
    soundfile.write(tmp_path / "long.wav", stereo, RATE)
    (facts,) = Analyser(sonifold.load("oneshots", small_models)).analyse([tmp_path / "long.wav"])
    assert (facts.seconds, facts.sample_rate, facts.channels) == (12, RATE, 2)
    assert facts.pitch_hz == pytest.approx(440, rel=0.005)
    assert 0 < facts.brightness < 0.5
    assert 0 < facts.confidence <= 1
    assert facts.loudness == pytest.approx(
        -15.05 - 0.69, abs=0.3
    )  # BS.1770: its constant, and hardly a weight at 440 Hz


def test_rows_that_are_written_over_what_a_kill_left_are_the_ones_that_count(tmp_path):
    array = VectorFile(tmp_path / "rows.f32", 3)
    assert len(array.rows(5)) == 0
    array.write(0, np.full((2, 3), 1, np.float32))
    with array.path.open("ab") as out:
        out.write(b"left by a kill")
    array.write(2, np.full((2, 3), 2, np.float32))
    assert array.rows(10).tolist() == [[1] * 3] * 2 + [[2] * 3] * 2


def test_the_nearest_of_many_are_exactly_those_that_a_comparison_with_each_finds(tmp_path):
    """Also of copies, of sounds that differ by less than single precision tells, and of an array without norms."""
    random = np.random.default_rng(0)
    rows = 20 + random.standard_normal((900, TIMBRE)).astype(np.float32)
    rows[300:600] = rows[0] + 1e-4 * random.standard_normal((300, TIMBRE)).astype(np.float32)
    rows[600:610] = rows[1]
    vectors = Vectors.create(tmp_path, "pack", 2, 3.0)
    vectors.write(0, rows[:500, :2], rows[:500])
    vectors.squares.path.unlink()
    for written in (500, 900):
        for row in (0, 1, 2, 450):
            brute = 3.0 * brute_of(rows[:written], row)
            numbers, distances = vectors.nearest(rows[row], 10)
            np.testing.assert_array_equal(numbers, np.lexsort((np.arange(written), brute))[:10])
            np.testing.assert_allclose(distances, brute[numbers], rtol=1e-12)
        even, _ = vectors.nearest(rows[1], 10, np.arange(0, written, 2))
        order = np.argsort(brute_of(rows[:written], 1), kind="stable")
        assert even.tolist() == [row for row in order if row % 2 == 0][:10]
        vectors.write(500, rows[500:, :2], rows[500:])


def test_rows_that_earlier_ones_are_near_to_are_those_that_a_comparison_with_each_finds(tmp_path):
    random = np.random.default_rng(1)
    rows = random.standard_normal((5000, TIMBRE)).astype(np.float32)
    for row, original in {17: 3, 4990: 3, 4991: 4990, 4999: 17, 4995: 4994}.items():
        rows[row] = rows[original] + 0.01 * random.standard_normal(TIMBRE)
    vectors = Vectors.create(tmp_path, "pack", 2, 2.0)
    vectors.write(0, rows[:, :2], rows)
    distances = {row: 2.0 * brute_of(rows, row)[:row] for row in range(4980, 5000)}
    nearest_first = {
        row: [int(at) for at in np.argsort(all) if all[at] <= 1] for row, all in distances.items()
    }
    assert dict(vectors.near_before(4980, 20, 1.0)) == {
        row: near for row, near in nearest_first.items() if near
    }
    assert set(nearest_first[4999]) == {3, 17, 4990, 4991}


def grouped(database, vectors, placed):
    """Ids of sounds -> their group, after sounds came one by one that lie at these numbers on a line."""

    def take_in(connection):
        root = root_of(connection, Path("/samples"))
        for row, at in enumerate(placed):
            vectors.write(
                row, np.zeros((1, 2), np.float32), np.full((1, TIMBRE), at / TIMBRE**0.5, np.float32)
            )
            file = File(f"/samples/{row}.wav", "/samples", f"{row}.wav", 1, 1)
            facts = {"state": "analysed", "pack": vectors.pack, "vector": row}
            values = described_by_name(row + 1, Path("/samples"), root, file)[0] | facts
            connection.execute(insert(sounds).values(**values))
            group_near(connection, vectors, row, 1)

    database.write(take_in)
    return groups_in(database)


def groups_in(database):
    with database.connect() as connection:
        return {row.id: row.near_duplicates for row in connection.execute(select(sounds))}


def test_what_is_near_the_first_of_a_group_is_in_it_and_no_chain_is(tmp_path):
    """At 0, .9 and 1.8 no two groups: the last is near the second only, which is no first."""
    database = open_database(tmp_path)
    vectors = Vectors.create(tmp_path / FOLDER / VECTORS, "pack", 2, 1.0)
    assert grouped(database, vectors, [0, 5, 0.9, 1.8, 5.1, -0.5]) == {1: 1, 2: 2, 3: 1, 4: None, 5: 2, 6: 1}
    database.write(lambda connection: leave_groups(connection, [3, 5]))
    assert groups_in(database) == {1: 1, 2: None, 3: None, 4: None, 5: None, 6: 1}
    database.write(lambda connection: leave_groups(connection, [1]))
    assert set(groups_in(database).values()) == {None}


def brute_of(rows, row):
    return np.linalg.norm(rows.astype(np.float64) - rows[row], axis=1)
