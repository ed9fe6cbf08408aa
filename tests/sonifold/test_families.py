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
