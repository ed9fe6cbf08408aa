"""From packs on disk to models: the well ones serve, the damaged ones are told of."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import sonifold
from sonifold import errors
from sonifold_app.engine.local import LocalEngine
from sonifold_app.engine.operations import TRACE
from sonifold_app.engine.packs import facts_of, load_packs
from sonifold_app.engine.protocol import run_one
from sonifold_app.engine.questions import Anchor, PathQuery


@pytest.fixture(scope="module")
def packs(tmp_path_factory, pack_folder) -> Path:
    """A folder of packs: one well, one with a flipped bit, one half copied, and something else."""
    folder = tmp_path_factory.mktemp("packs")
    for copy in ("well", "flipped"):
        shutil.copytree(pack_folder, folder / copy, copy_function=os.link)
    weights = folder / "flipped" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.unlink()
    weights.write_bytes(data)
    (folder / "half").mkdir()
    shutil.copy(pack_folder / "pack.json", folder / "half")
    (folder / "nonsense").mkdir()
    (folder / "nonsense" / "pack.json").write_text("{")
    (folder / "notes").mkdir()
    return folder


def test_damaged_packs_are_reported_and_the_others_are_loaded(packs, model):
    async def use(engine):
        catalogue = await engine.catalogue(60)
        assert list(catalogue.models) == ["well"]
        assert set(catalogue.unusable) == {"flipped", "half", "nonsense"}
        assert "weights.safetensors" in catalogue.unusable["flipped"]
        ids = catalogue.models["well"].library.ids
        query = PathQuery((Anchor(sound=ids[0]), Anchor(sound=ids[1])), kind="linear")
        (path,) = await run_one(engine, TRACE, "well", query)
        assert np.shape(path.nodes) == (17, model.latent_dim)
        with pytest.raises(errors.PackInvalid, match="flipped"):
            await engine.run(TRACE, "flipped", [query])
        with pytest.raises(errors.PackNotFound, match="well"):
            await engine.run(TRACE, "no-such", [query])

    engine = LocalEngine(packs)
    engine.start()
    try:
        asyncio.run(use(engine))
    finally:
        engine.close()


def test_a_pack_that_fails_as_nobody_foresaw_does_not_keep_the_others_from_loading(
    packs, monkeypatch, caplog
):
    load = sonifold.load

    def fails(path, *args, **kwargs):
        if path.name == "well":
            raise KeyError("weights")
        return load(path, *args, **kwargs)

    monkeypatch.setattr(sonifold, "load", fails)
    models, unusable = load_packs(packs)
    assert not models
    assert "Update Sonifold" in unusable["well"]
    assert "KeyError" in caplog.text


def test_what_is_rendered_is_told_apart_by_model_and_code(client, model, name):
    assert facts_of(name, model, "one").version == facts_of(name, model, "one").version
    assert facts_of(name, model, "one").version != facts_of(name, model, "other").version
