"""The evaluation of few-shot adaptation: no leaks, true scores, paired differences. On a kit that the pack ships."""

import json

import numpy as np
import pytest
import torch

from sonifold.adapt import replay, ridge
from sonifold.adapt.instant import statistics
from sonifold_research.fewshot import closed, groups, report, results, run, variants
from sonifold_research.fewshot.bench import FEWEST, OTHERS, Bench
from sonifold_research.fewshot.encodings import COPIES, Encodings
from sonifold_research.fewshot.groups import Group, Sounds


@pytest.fixture(scope="module")
def bench(model) -> Bench:
    """Tabla, of which the base has never seen a stroke."""
    ids = [label.id for label in model.library.labels if label.group == "Sonic Pi tabla"]
    audio = torch.stack([model.library.audio(sound_id, model.sound_samples) for sound_id in ids])
    features = torch.cat([model.representation.analyse(part)[0] for part in audio.split(16)])
    values, timbre = model.coefficients.analyse(features), model.representation.timbre(features)
    z = model.inverted(values)
    noisy = values[:, None] + 0.1 * torch.randn(len(values), COPIES, values.shape[1])
    heard, offset = model.coefficients.timbre_map
    tabla = Group("Tabla", "kit", "report", tuple(range(len(ids))))
    library = replay.coefficients(model)[replay.trained(model.library)]
    return Bench(
        model,
        Sounds(audio, (tabla,)),
        Encodings(values, timbre, noisy, z),
        statistics(model),
        library,
        heard,
        offset,
        (values[:8], timbre[:8], z[:8]),
    )


def test_mixed_bags_are_drawn_from_their_own_side():
    known = [Group("a", "kit", "settings", (0, 1, 2, 3)), Group("b", "kit", "report", (4, 5, 6, 7))]
    for mixed in groups._mixed(known):
        own = {index for group in known if group.side == mixed.side for index in group.indices}
        assert set(mixed.indices) <= own


@pytest.mark.parametrize("seed", range(5))
def test_what_is_judged_was_not_uploaded(seed):
    group = Group("a", "kit", "report", tuple(range(100, 140)))
    own, others = Bench.draw(group, 10, seed)
    assert len(own) == len(set(own)) == 10
    assert not set(own) & set(others)
    assert len(others) == OTHERS
    assert (own, others) == Bench.draw(group, 10, seed)


def test_held_out_sounds_take_no_part_in_what_is_rehearsed_or_remembered(bench):
    library = bench.model.library
    held_out = {i for i, label in enumerate(library.labels) if label.split.startswith("held_out")}
    kept = set(replay.trained(library).tolist())
    assert held_out
    assert not held_out & kept
    assert len(bench.library) == bench.statistics.count == len(kept)


def test_chords_come_to_where_newton_comes(bench):
    """The cheap scores of closed forms are those of full refinement."""
    own, others = bench.draw(bench.sounds.groups[0], 8, 0)
    evidence = bench.uploads(own, 0).evidence(bench.model.vae)
    change = ridge.Spectrum.of(evidence, bench.statistics, 0.1).solution(1.0)
    vae = ridge.with_head(bench.model.vae, change)
    quick = bench.closed(own, others).score(vae, 0.0)
    assert quick.others == pytest.approx(bench.phi_error(vae, others), rel=0.02)
    assert quick.own == pytest.approx(bench.phi_error(vae, own), rel=0.05)


@pytest.fixture(scope="module")
def cell(bench) -> dict:
    plan = run.Plan("closed", closed.arms, (10,), range(1))
    return run.measure(bench, run.Cell(plan, bench.sounds.groups[0], 10, 0))


def test_a_cell_holds_every_closed_form_and_what_was_foretold(cell):
    families = {family.plain: family.names for family in variants.FAMILIES}
    elsewhere = {"field, learned metric", "instant, meta-trained base"}
    assert {"none", "instant", *families["head"], *families["instant"]} - elsewhere <= set(cell["arms"])
    assert cell["arms"]["none"]["drift"] == pytest.approx(0, abs=1e-6)
    assert cell["arms"]["instant"]["own"] < cell["arms"]["none"]["own"]
    assert -1 <= cell["coherence"] <= 1
    json.dumps(cell, allow_nan=False)


def test_the_light_cell_says_what_the_full_one_says(bench, cell):
    own, others = bench.draw(bench.sounds.groups[0], 10, 0)
    light = closed.instant(bench, own, others, 0)
    assert set(light) == {"none", "instant", "head", "prototype"}
    for name, score in light.items():
        assert score.others == pytest.approx(cell["arms"][name]["others"], rel=1e-4)


def test_the_page_is_written_from_whatever_is_there(cell, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "record", lambda *figure: None)
    page = report.write(report.Measured([cell], []), bench.sounds.groups, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert f"{cell['arms']['none']['others']:.2f}" in text
    assert f"1 cells of {run.planned(bench.sounds.groups)}" in text
    assert all(picture.stat().st_size < 300_000 for picture in tmp_path.glob("*.png"))
    assert "nan" not in text


def test_cells_that_are_not_planned_are_not_reported(cell, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "record", lambda *figure: None)
    stray = cell | {"seed": run.SEEDS + 3}
    page = report.write(report.Measured([cell, stray], []), bench.sounds.groups, tmp_path)
    assert "1 cells of" in page.read_text(encoding="utf-8")


def _cell(group, seed, **arms):
    scores = {name: {"others": v, "own": 1.0, "drift": 0.0, "seconds": 1.0} for name, v in arms.items()}
    about = {"part": "x", "kind": "kit", "side": "report", "count": 10, "coherence": 0.1, "expected": 0.1}
    return about | {"group": group, "seed": seed, "arms": scores}


def test_differences_are_paired_by_group_and_seed():
    cells = [
        _cell("a", 0, plain=2.0, better=1.0),
        _cell("a", 1, plain=100.0),
        _cell("b", 0, plain=4.0, better=4.0),
        _cell("c", 0, plain=1.0),
        _cell("c", 1, better=1.0),  # no draw in common
    ]
    saved, found = results.Results(cells).saved("better", "plain", 10)
    assert found == ["a", "b"]
    np.testing.assert_allclose(saved, [0.5, 0.0])


def test_a_draw_that_two_parts_measured_counts_once():
    found = results.Results([_cell("a", 0, plain=2.0), _cell("a", 0, plain=2.0), _cell("a", 1, plain=5.0)])
    assert found.mean("plain", 10, "a") == 3.5
    assert found.draws("plain", 10) == 2


@pytest.mark.parametrize(
    ("better", "said"), [(1.6, "is better than head"), (2.0, "from chance"), (2.4, "worse")]
)
def test_the_verdict_is_what_the_numbers_say(better, said):
    """Twelve groups whose gains scatter little around 20 %, 0 and -20 %."""
    cells = [
        _cell(f"group {i}", 0, **{"head": 2.0, "head + geodesic": better + 0.01 * (i % 2 * 2 - 1)})
        for i in range(12)
    ]
    text = " ".join(variants.verdict(results.Results(cells), 10))
    assert said in text
    assert ("no.**" in text) == (better >= 2)


def test_every_cell_has_a_file_of_its_own_and_enough_sounds_to_be_judged_by():
    whole = Group("whole", "kit", "report", tuple(range(30)))
    tiny, other = (
        Group("tiny", "kit", "report", tuple(range(9))),
        Group("other", "kit", "settings", whole.indices),
    )
    planned = run.cells([whole, tiny, other], "report")
    assert len({cell.file for cell in planned}) == len(planned) == run.planned([whole, tiny, other])
    assert {cell.group.name for cell in planned if cell.uploads >= 5} == {"whole"}
    assert all(cell.uploads + FEWEST <= len(cell.group.indices) for cell in planned)
