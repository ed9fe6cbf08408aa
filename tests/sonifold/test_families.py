"""A few pairs of every family of decoders that ``make bench-geometry ARGS="--only families"`` measures in full."""

from __future__ import annotations

import pytest

from script_modules import module_of

families = module_of("tests/benchmarks/geometry/families.py")
FEW = [(name, families.DIMENSIONS[k % len(families.DIMENSIONS)]) for k, name in enumerate(families.FAMILIES)]


def test_there_are_two_dozen_families():
    assert len(families.FAMILIES) == 24


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize(("name", "latent"), FEW, ids=[f"{name}, {latent}" for name, latent in FEW])
def test_a_family_has_its_own_lengths_and_no_path_worse_than_the_line(name, latent):
    counts = families.check(name, latent, pairs=3, seed=1)
    assert {key: counts[key] for key in ("exceptions", "refused", "false", "foreign")} == {
        "exceptions": 0,
        "refused": 0,
        "false": 0,
        "foreign": 0,
    }


@pytest.mark.long
def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path, monkeypatch):
    built = []

    def decoder(latent):
        built.append(latent)
        if built == [1, 2, 8]:
            raise KeyboardInterrupt
        return families.perceptron(latent)

    monkeypatch.setattr(families, "FAMILIES", {"perceptron": decoder})
    unfinished = tmp_path / "build" / "families.json"
    with pytest.raises(KeyboardInterrupt):
        families.measure(unfinished, pairs=4)
    assert families.measure(unfinished, pairs=4)["perceptron"]["pairs"] == 4
    assert built == [1, 2, 8, 8, 64]
    assert not unfinished.exists()


def test_what_was_counted_of_other_code_is_not_taken_over(tmp_path):
    unfinished = tmp_path / "families.json"
    families.write_down(unfinished, "as it was", {"perceptron": {}})
    assert families.counted(unfinished, "as it was") == {"perceptron": {}}
    assert families.counted(unfinished, families.digest()) == {}
