"""The table of docs/measures.md of ``make bench-geometry`` is the one made from the committed figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "geometry"


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    import table

    yield table
    for name in ("table", "judge"):
        sys.modules.pop(name, None)


def test_the_page_of_measures_shows_the_table_of_the_committed_figures(table):
    results = json.loads(table.PUBLISHED.read_text(encoding="utf-8"))
    assert table.block(table.PAGE.read_text(encoding="utf-8")) == table.markdown(results)


def test_a_figure_that_was_not_measured_meets_no_bar(table):
    assert table.Row("time", None, "ms", "<= 1").verdict == "not measured"
    assert table.Row("time", 2.0, "ms", "<= 1").verdict == "MISSED"
    assert table.Row("time", 0.5, "ms", "<= 1").verdict == "met"


def test_the_judge_measures_a_straight_decoder_by_pythagoras(table):
    from judge import Judge

    decoder = torch.nn.Sequential(torch.nn.Linear(2, 3)).requires_grad_(False)
    curve = torch.stack([torch.linspace(0, 1, 5), torch.linspace(0, 2, 5)], 1)
    expected = float((decoder[0].weight @ torch.tensor([1.0, 2.0])).square().sum())
    assert Judge(decoder)(curve[None]) == pytest.approx([expected], rel=1e-5)
    assert Judge(decoder)((curve * float("nan"))[None]) == [float("inf")]
