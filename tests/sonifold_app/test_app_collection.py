"""A collection: files are found where they lie, by name first, and nothing is lost by moves, failures and kills."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sonifold.cli import main
from sonifold_app.collection.database import DATABASE, FOLDER, open_database
from sonifold_app.collection.folders import AllowedFolders
from sonifold_app.collection.following import outermost
from sonifold_app.collection.ingest import Ingest, IngestRefused
from sonifold_app.collection.query import QueryInvalid, read_query
from sonifold_app.collection.runs import Runs, RunState, Wish
from sonifold_app.collection.search import Search
from sonifold_app.collection.service import Collection
from sonifold_app.collection.synonyms import SYNONYMS
from sonifold_app.collection.tables import metadata
from sonifold_app.collection.words import Fts5Index
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.marks import MarkStore
from sonifold_app.store.opening import open_database as open_user_database
from test_docs import ROOT

NAMES = [
    "Kits/TR808/BD01.wav",
    "Kits/TR808/Snare Hard.aif",
    "tape/HatClosed02.flac",
    "tape/loop_120bpm_Am.wav",
]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "Samples"
    for name in [*NAMES, "tape/readme.txt", "tape/._HatClosed02.flac"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"not read in the first phase")
    return root


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def ingest(data, *folders):
    return Ingest(data / FOLDER, open_database(data), Fts5Index()).run(folders)


def found(data, query):
    return [
        match.sound["name"]
        for match in Search(open_database(data), Fts5Index()).find(read_query(query)).matches
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", [0, 1, 2, 3]),
        ("kick", [0]),  # by its tag
        ("bass drum", [0]),
        ("BD", [0]),
        ("hi-hat", [2]),
        ("closed", [2]),
        ("clos", [2]),  # while one is still writing
        ("tr808", [0, 1]),
        ("808 -snare", [0]),
        ("-808", [2, 3]),
        ('"snare hard"', [1]),
        ('"hard snare"', []),
        ("folder:tape", [2, 3]),
        ("name:tape", []),
        ("tag:loop", [3]),
        ("tempo:115..125", [3]),
        ("-tempo:115..125", [0, 1, 2]),
        ("key:Am", [3]),
        ("key:A", [3]),
        ("key:Amaj", []),
        ("is:listed loop", [3]),
        ("is:analysed", []),
        ("samples", [0, 1, 2, 3]),  # the root's own name
        ('"', [0, 1, 2, 3]),
        ('AND OR ( * " NOT', []),  # nothing of it is an operator
        ("family:", [0, 1, 2, 3]),
    ],
)
def test_what_fits_a_query_is_found(data, folder, query, names):
    ingest(data, folder)
    assert sorted(found(data, query)) == sorted(NAMES[index].split("/")[-1] for index in names)


def test_a_word_in_a_files_own_name_counts_more_than_one_in_its_folders(data, tmp_path):
    for name in ("Snare/808 Rim.wav", "Snare/Wood Snare Long Room.wav", "Kick/Snare.wav", "Kick/Kick.wav"):
        (tmp_path / "Kit" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "Kit" / name).touch()
    ingest(data, tmp_path / "Kit")
    assert found(data, "snare") == ["Snare.wav", "Wood Snare Long Room.wav", "808 Rim.wav"]
    pages = [
        Search(open_database(data), Fts5Index()).find(read_query("snare"), 2, offset) for offset in (0, 2)
    ]
    assert [len(page.matches) for page in pages] == [2, 1]
    assert [page.more for page in pages] == [True, False]


@pytest.mark.parametrize(
    "query", ["colour:red", "length:long", "pitch:H2", "tempo:1..x", "key:hello", "is:blue"]
)
def test_a_query_that_cannot_be_read_says_what_could(query):
    with pytest.raises(QueryInvalid, match=r"Write for example|write one of|write for example|it can be"):
        read_query(query)


@pytest.mark.parametrize(
    ("query", "low", "high"),
    [
        ("pitch:A4..A5", 440 / 2 ** (1 / 24), 880 * 2 ** (1 / 24)),
        ("pitch:c4", 261.6256 / 2 ** (1 / 24), 261.6256 * 2 ** (1 / 24)),
        ("length:<500ms", float("-inf"), 0.5),
        ("length:>=.5", 0.5, float("inf")),
        ("brightness:.2..", 0.2, float("inf")),
    ],
)
def test_ranges_are_numbers_notes_and_units(query, low, high):
    (bounds,) = read_query(query).ranges
    assert (bounds.low, bounds.high) == pytest.approx((low, high))


def test_the_command_line_takes_folders_in_and_finds_them(data, folder, monkeypatch, capsys):
    monkeypatch.setenv("SONIFOLD_DATA", str(data))
    assert main(["ingest", str(folder), "--phase", "names"]) == 0
    assert "4 files listed." in capsys.readouterr().out
    assert main(["find", "kick -snare"]) == 0
    assert capsys.readouterr().out == f"{folder / NAMES[0]}\n"
    assert main(["find", "pitch:high"]) == 1
    assert "pitch:C2..C3" in capsys.readouterr().err
    assert main(["ingest", str(folder / "nothing")]) == 1
    assert "is no folder" in capsys.readouterr().err


def test_the_command_line_finds_what_was_said_of_sounds(data, folder, monkeypatch, capsys):
    monkeypatch.setenv("SONIFOLD_DATA", str(data))
    ingest(data, folder)
    database = open_user_database(data / "library")
    collection = Collection(data, AllowedFolders(None), None, 1, MarkStore(database))
    ids = {sound["name"]: id for id, sound in collection.search.by_ids(range(1, 5)).items()}
    (folder / "Kits" / "TR808" / "BD01.wav").write_bytes(b"other bytes than those of the others")
    collection.mark(ids["BD01.wav"], favourite=True, rating=5)
    named = collection.marks.create("Dark_Kits")
    collection.marks.put(named.id, [collection.hash(ids["Snare Hard.aif"])])
    for opened in (collection, database):
        opened.close()
    for query, name in (
        ("is:favourite", NAMES[0]),
        ("rating:5", NAMES[0]),
        ('kick -collection:"dark kits"', NAMES[0]),
    ):
        assert main(["find", query]) == 0
        assert capsys.readouterr().out == f"{folder / name}\n"


def test_finding_by_words_loads_neither_torch_nor_the_server(data, folder):
    """Either takes longer to load than all the rest of the command."""
    ingest(data, folder)
    script = """
import sys
from sonifold.cli import main
main(["find", "kick"])
sys.exit("torch" in sys.modules or "fastapi" in sys.modules)
"""
    environment = {**os.environ, "SONIFOLD_DATA": str(data)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


def test_a_file_that_is_gone_is_missing_and_comes_back(data, folder):
    ingest(data, folder)
    gone = folder / NAMES[0]
    gone.rename(folder.parent / "elsewhere")
    assert ingest(data).missing == 1
    assert found(data, "is:missing") == ["BD01.wav"]
    assert found(data, "kick") == ["BD01.wav"]
    (folder.parent / "elsewhere").rename(gone)
    assert ingest(data, folder).missing == 0
    assert found(data, "is:missing") == []


def test_a_folder_that_is_away_makes_its_sounds_missing_and_no_more(data, folder):
    ingest(data, folder)
    folder.rename(folder.parent / "unplugged")
    assert ingest(data).missing == len(NAMES)
    assert len(found(data, "")) == len(NAMES)
    with pytest.raises(IngestRefused, match="is no folder"):
        ingest(data, folder.parent / "never there")


def test_of_changes_no_more_is_looked_at_than_where_they_are(data, folder):
    """A new file, one that is gone, a folder that was renamed; another new one elsewhere is not seen."""
    ingest(data, folder)
    (folder / "tape" / "new snare.wav").touch()
    (folder / NAMES[1]).unlink()
    (folder / "Kits" / "TR808").rename(folder / "Kits" / "TR909")
    (folder / "elsewhere.wav").touch()
    changed = [folder / "tape" / "new snare.wav", folder / "Kits" / "TR808", folder / "Kits" / "TR909"]
    progress = Ingest(data / FOLDER, open_database(data), Fts5Index()).run([folder], changes=changed)
    assert (progress.listed, progress.missing) == (2, 2)
    assert found(data, "is:missing") == ["BD01.wav", "Snare Hard.aif"]
    assert found(data, "tr909 -is:missing") == ["BD01.wav"]
    assert found(data, "new") == ["new snare.wav"]
    assert found(data, "elsewhere") == []


def test_what_lies_in_a_folder_that_is_not_looked_through_is_none_of_its_changes(data, folder):
    ingest(data, folder)
    (folder / "__MACOSX" / "deep").mkdir(parents=True)
    (folder / "__MACOSX" / "deep" / "kick.wav").touch()
    (folder / "link").symlink_to(folder / "tape")
    changed = [folder / "__MACOSX" / "deep", folder / "link", folder / "tape" / "readme.txt"]
    assert Ingest(data / FOLDER, open_database(data), Fts5Index()).run([folder], changes=changed).listed == 0


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["/a/b/c.wav", "/a/b", "/a/bc", "/x/y"], ["/a/b", "/a/bc"]),
        ([f"/a/b/{number}.wav" for number in range(200)], ["/a/b"]),
        ([f"/a/{number}/kick.wav" for number in range(200)], ["/a"]),
    ],
)
def test_many_changes_are_looked_at_by_their_folders(paths, expected):
    assert outermost([Path(path) for path in paths], Path("/a")) == [Path(path) for path in expected]


def test_the_command_line_follows_folders_until_it_is_ended(data, folder):
    environment = {**os.environ, "SONIFOLD_DATA": str(data)}
    command = [sys.executable, "-m", "sonifold.cli", "ingest", str(folder), "--phase", "names", "--watch"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert next(line for line in process.stdout if "Following" in line)
            # a change before the system follows is told by none: one more until one is seen
            said = threading.Thread(target=process.stdout.readline)
            said.start()
            number = 0
            while said.is_alive():
                number += 1
                (folder / f"clap {number}.wav").touch()
                said.join(0.2)
            assert found(data, "clap")
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()  # it may be telling what else came
    assert process.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_a_row_with_its_reason(data, folder):
    try:
        (folder / os.fsdecode(b"kick\xff.wav")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no such names")
    ingest(data, folder)
    assert found(data, "is:unreadable") == ["kick\\xff.wav"]


def test_links_that_lead_in_circles_end(data, folder):
    (folder / "circle").symlink_to(folder)
    assert ingest(data, folder).listed == len(NAMES)


def test_folders_inside_each_other_share_their_sounds(data, folder):
    ingest(data, folder / "tape")
    ingest(data, folder)
    assert len(found(data, "")) == len(NAMES)


def test_two_ingests_at_once_are_refused(data, folder):
    inner = []

    def again(progress):
        if not inner:
            inner.append(None)
            with pytest.raises(IngestRefused, match="another ingest"):
                ingest(data, folder)

    Ingest(data / FOLDER, open_database(data), Fts5Index(), again).run([folder])
    assert inner


def test_a_run_can_be_cancelled_and_the_next_goes_on(data, folder):
    from sonifold.errors import Cancelled

    database = open_database(data)
    runs = Runs(database)
    with pytest.raises(Cancelled):
        Ingest(
            data / FOLDER, database, Fts5Index(), lambda progress: runs.want(runs.all()[0].id, Wish.CANCEL)
        ).run([folder])
    assert runs.all()[0].state is RunState.CANCELLED
    assert found(data, "is:missing") == []
    assert ingest(data).listed == len(NAMES)


def test_the_migrations_lead_to_the_tables_that_are_declared(data):
    open_database(data)
    engine = sqlalchemy.create_engine(f"sqlite:///{data / FOLDER / DATABASE}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda item, name, *_: not str(name).startswith("sound_words")},
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(data, folder):
    ingest(data, folder)
    path = data / FOLDER / DATABASE
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnusableError, match="newer Sonifold"):
        open_database(data)


def test_the_search_knows_the_pages_other_names():
    page = (ROOT / "frontend" / "core" / "search.js").read_text(encoding="utf-8")
    for names in SYNONYMS:
        assert "[" + ", ".join(f'"{name}"' for name in names) + "]" in page
