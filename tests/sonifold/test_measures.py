"""The figures the project keeps about itself."""

import json
import math

import pytest

from sonifold.evaluate import measures

COMMAND = "make bench"


@pytest.fixture
def record(tmp_path):
    def record(measure, value, *, unit="dB", bar=None, n=None, name=None):
        return measures.record(measure, value, unit, bar, n, COMMAND, name=name, folder=tmp_path)

    return record


def test_a_recorded_figure_is_one_object_with_the_promised_keys(record):
    file = record("log-mel, held-out sounds", 4.5, bar="<= 4.8", n=217, name="vae")
    (row,) = json.loads(file.read_text())
    assert file.name == "vae.json"
    assert {"measure", "value", "unit", "bar", "n", "command", "machine"} <= row.keys()
    assert (row["measure"], row["value"], row["unit"]) == ("log-mel, held-out sounds", 4.5, "dB")
    assert (row["bar"], row["n"], row["command"]) == ("<= 4.8", 217, COMMAND)
    assert "cores" in row["machine"]
    assert "torch" in row["machine"]


def test_measuring_again_replaces_the_figure_and_keeps_its_neighbours(record, tmp_path):
    record("a", 1, name="shared")
    record("b", 2, name="shared")
    record("a", 3, name="shared")
    assert [(row.measure, row.value) for row in measures.read_all(tmp_path)] == [("b", 2.0), ("a", 3.0)]


def test_rows_come_oldest_first_across_files(record, tmp_path):
    for measure, name in [("first", "z"), ("second", "a"), ("third", "z")]:
        record(measure, 1, name=name)
    assert [row.measure for row in measures.read_all(tmp_path)] == ["first", "second", "third"]


def test_a_figure_without_a_file_name_gets_one_from_its_words(record):
    assert record("One geodesic, 64 batched (ms)", 1).name == "one-geodesic-64-batched-ms.json"


@pytest.mark.parametrize(
    ("value", "bar", "verdict"),
    [
        (4.8, "<= 4.8", "met"),
        (4.81, "<= 4.8", "MISSED"),
        (4.8, "< 4.8", "MISSED"),
        (0.9, ">= 0.9", "met"),
        (0.9, "> 0.9", "MISSED"),
        (0, "== 0", "met"),
        (1, "== 0", "MISSED"),
        (-2, "<= -1.5", "met"),
        (3e-4, "<=1e-3", "met"),
        (7, None, ""),
    ],
)
def test_a_bar_says_whether_the_figure_meets_it(record, tmp_path, value, bar, verdict):
    record("figure", value, bar=bar)
    (row,) = measures.read_all(tmp_path)
    assert row.verdict == verdict


@pytest.mark.parametrize("bar", ["4.8", "<= 4.8 dB", "at most 4.8", "=< 4.8", "<= .", ""])
def test_a_bar_that_cannot_be_read_is_refused_and_nothing_is_written(record, tmp_path, bar):
    with pytest.raises(ValueError, match="cannot read the bar"):
        record("figure", 1, bar=bar)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(record, value):
    with pytest.raises(ValueError, match="no figure"):
        record("figure", value)


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", ".hidden"])
def test_a_file_name_stays_in_its_folder(record, name):
    with pytest.raises(ValueError, match="file name"):
        record("figure", 1, name=name)


def test_a_damaged_file_is_named_in_the_error(record, tmp_path):
    (tmp_path / "broken.json").write_text('{"measure": "x"}')
    with pytest.raises(ValueError, match=r"broken\.json"):
        measures.read_all(tmp_path)


def test_the_table_has_a_line_for_every_figure_and_counts_the_bars(record, tmp_path):
    record("decode one sound", 12.5, unit="ms", bar="<= 40", n=50)
    record("NaN paths", 3, unit="", bar="== 0", n=500)
    record("parameters", 1_250_000, unit="")
    rows = measures.read_all(tmp_path)
    header, rule, decode, nan_paths, parameters = measures.table(rows)
    assert set(rule) == {"-", " "}
    assert header.index("bar") == decode.index("<= 40") == nan_paths.index("== 0")
    assert decode.split()[2:] == [
        "decode",
        "one",
        "sound",
        "12.5",
        "ms",
        "<=",
        "40",
        "met",
        "50",
        "make",
        "bench",
    ]
    assert "MISSED" in nan_paths
    assert "1,250,000" in parameters
    assert measures.summary(rows).startswith("3 measures; bars met: 1, missed: 1; on: ")


def test_figures_of_a_checkout_lie_in_its_build_folder():
    folder = measures.default_folder()
    assert folder.parts[-2:] == ("build", "measures")
    assert (folder.parents[1] / "pyproject.toml").is_file()
