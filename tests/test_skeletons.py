"""The skeletons of docs/skeletons work as CONTRIBUTING.md says: each is put where it belongs and tried."""

import importlib.util
import re
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
SKELETONS = ROOT / "docs" / "skeletons"


def load(name):
    """A skeleton as a module."""
    spec = importlib.util.spec_from_file_location(f"skeleton_{name}", SKELETONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_contributing_names_every_skeleton():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"docs/skeletons/([\w/.-]+)", text))
    assert {file.relative_to(SKELETONS).as_posix() for file in SKELETONS.rglob("*.*")} <= named


def test_a_geodesic_of_the_skeleton_metric_is_shorter_than_the_line():
    from sonifold import geodesic

    metric = load("metric").Growing()
    start, end = torch.tensor([[2.0, -2.0]]), torch.tensor([[2.0, 2.0]])
    path = geodesic.solve(metric, start, end)
    assert path.stop[0] is geodesic.Stop.CONVERGED
    assert path.length[0] < 0.95 * path.line_length[0]


def test_the_skeleton_resource_answers_and_is_described():
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from sonifold_app.routes.services import model_facts

    resource = load("resource")
    library = type("Library", (), {"families": ("Kick", "Bell", "Kick")})
    app = FastAPI()
    app.dependency_overrides[model_facts] = lambda: type("Facts", (), {"library": library})
    app.include_router(resource.router)
    with TestClient(app) as client:
        assert client.get("/models/any/families").json() == {"families": {"Kick": 2, "Bell": 1}}
    assert "/models/{model}/families" in app.openapi()["paths"]
