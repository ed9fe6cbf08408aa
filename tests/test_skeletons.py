"""The skeletons of docs/skeletons work as CONTRIBUTING.md says: each is put where it belongs and tried."""

import json
import os
import re
import subprocess
import sys

import torch

from metric_recipe import LABEL, NAME, backend_with_metric, changed_files
from script_modules import ROOT, module_of

SKELETONS = ROOT / "docs" / "skeletons"


def test_contributing_names_every_skeleton():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"docs/skeletons/([\w/.-]+)", text))
    assert {file.relative_to(SKELETONS).as_posix() for file in SKELETONS.rglob("*.*")} <= named


def test_a_geodesic_of_the_skeleton_metric_is_shorter_than_the_line():
    from sonifold import geodesic

    metric = module_of("docs/skeletons/metric.py").Growing()
    start, end = torch.tensor([[2.0, -2.0]]), torch.tensor([[2.0, 2.0]])
    path = geodesic.solve(metric, start, end)
    assert path.stop[0] is geodesic.Stop.CONVERGED
    assert path.length[0] < 0.95 * path.line_length[0]


OFFERED = """
import json
from fastapi.testclient import TestClient
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.settings import Settings
from sonifold.cli import _parser
from sonifold.metric.registry import metric_named
app = create_app(Settings(), LocalEngine(load=lambda: ({}, {})))
with TestClient(app, base_url="http://127.0.0.1:8750") as client:
    print(json.dumps({
        "class": type(metric_named("growing", None)).__name__,
        "option": _parser().parse_args(["morph", "a.wav", "b.wav", "--metric", "growing"]).metric,
        "choices": client.get("/api/v1/models").json()["choices"]["metrics"],
        "enum": client.get("/api/v1/openapi.json").json()["components"]["schemas"]["MetricName"]["enum"],
    }))
"""


def test_a_new_metric_is_two_files_and_stands_in_library_command_line_and_api(tmp_path):
    backend = backend_with_metric(tmp_path)
    assert changed_files(backend) == {"sonifold/metric/growing.py", "sonifold/choices.py"}
    settings = {"SONIFOLD_MODELS": str(tmp_path / "models"), "SONIFOLD_DATA": str(tmp_path / "data")}
    environment = os.environ | {"PYTHONPATH": str(backend)} | settings
    (tmp_path / "models").mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", OFFERED], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    offered = json.loads(ran.stdout)
    assert (offered["class"], offered["option"]) == ("Growing", NAME)
    assert (offered["choices"][-1]["id"], offered["choices"][-1]["label"]) == (NAME, LABEL)
    assert offered["enum"] == [choice["id"] for choice in offered["choices"]]


def test_the_skeleton_resource_answers_and_is_described():
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from sonifold_app.routes.services import model_facts

    resource = module_of("docs/skeletons/resource.py")
    library = type("Library", (), {"families": ("Kick", "Bell", "Kick")})
    app = FastAPI()
    app.dependency_overrides[model_facts] = lambda: type("Facts", (), {"library": library})
    app.include_router(resource.router)
    with TestClient(app) as client:
        assert client.get("/models/any/families").json() == {"families": {"Kick": 2, "Bell": 1}}
    assert "/models/{model}/families" in app.openapi()["paths"]


def test_the_skeleton_representation_is_found_by_its_name_and_undoes_itself():
    from sonifold.audio.levels import log_mel_error
    from sonifold.representation import registry

    module_of("docs/skeletons/representation.py")
    try:
        representation = registry.representation_named("emphasised")
    finally:
        registry.REPRESENTATIONS.remove("emphasised")
    seconds = torch.arange(representation.samples - representation.onset) / representation.sample_rate
    tone = 0.3 * torch.sin(2 * torch.pi * 440 * seconds) * torch.exp(-6 * seconds)
    audio = torch.nn.functional.pad(tone, (representation.onset, 0))[None]
    again = representation.synthesise(representation.analyse(audio)[0])
    again = again * audio.norm() / again.norm()
    assert log_mel_error(audio, again, representation.sample_rate) < 2.5
