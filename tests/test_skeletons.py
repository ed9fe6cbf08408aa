"""The skeletons of docs/skeletons work as CONTRIBUTING.md says: each is put where it belongs and tried."""

import re

import pytest
import soundfile
import torch

from recipes import LABEL, NAME, backend_with_metric, changed_files, copied_backend, printed_by, replace
from script_modules import ROOT, module_of

SKELETONS = ROOT / "docs" / "skeletons"


def test_contributing_names_every_skeleton():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"docs/skeletons/([\w/.-]+)", text))
    files = [file for file in SKELETONS.rglob("*.*") if "__pycache__" not in file.parts]
    assert {file.relative_to(SKELETONS).as_posix() for file in files} <= named


def test_a_geodesic_of_the_skeleton_metric_is_shorter_than_the_line():
    from sonifold import geodesic

    metric = module_of("docs/skeletons/metric.py").Growing()
    start, end = torch.tensor([[2.0, -2.0]]), torch.tensor([[2.0, 2.0]])
    path = geodesic.solve(metric, start, end)
    assert path.stop[0] is geodesic.Stop.CONVERGED
    assert path.length[0] < 0.95 * path.line_length[0]


SERVICE = """
import json
from fastapi.testclient import TestClient
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.settings import Settings
app = create_app(Settings(), LocalEngine(load=lambda: ({}, {})))
with TestClient(app, base_url="http://127.0.0.1:8750") as client:
    choices = client.get("/api/v1/models").json()["choices"]
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
"""

METRIC = f"""{SERVICE}
from sonifold.cli import _parser
from sonifold.metric.registry import metric_named
print(json.dumps({{
    "class": type(metric_named("growing", None)).__name__,
    "option": _parser().parse_args(["morph", "a.wav", "b.wav", "--metric", "growing"]).metric,
    "choices": choices["metrics"],
    "enum": schemas["MetricName"]["enum"],
}}))
"""


@pytest.mark.long
def test_a_new_metric_is_two_files_and_stands_in_library_command_line_and_api(tmp_path):
    backend = backend_with_metric(tmp_path)
    assert changed_files(backend) == {"sonifold/metric/growing.py", "sonifold/choices.py"}
    offered = printed_by(METRIC, backend)
    assert (offered["class"], offered["option"]) == ("Growing", NAME)
    assert (offered["choices"][-1]["id"], offered["choices"][-1]["label"]) == (NAME, LABEL)
    assert offered["enum"] == [choice["id"] for choice in offered["choices"]]


FORMAT = f"""{SERVICE}
import torch
from sonifold import Clip
from sonifold.cli import _parser
from sonifold_app.http.negotiation import audio_format
Clip(0.5 * torch.rand(1000), 44_100).write("{{folder}}/noise.caf")
print(json.dumps({{
    "option": _parser().parse_args(["morph", "a.wav", "b.wav", "--format", "caf"]).format,
    "accepted": audio_format("audio/x-caf"),
    "enum": schemas["ExportRequest"]["properties"]["format"]["anyOf"][0]["enum"],
}}))
"""


@pytest.mark.long
def test_a_new_export_format_is_one_file_and_is_written_sent_and_taken(tmp_path):
    backend = copied_backend(tmp_path)
    formats = backend / "sonifold" / "audio" / "formats.py"
    replace(formats, '"aiff", "ogg"]', '"aiff", "ogg", "caf"]')
    entry = 'FileFormat("Core Audio", "CAF", {16: "PCM_16"}, ("audio/x-caf",), ("caf",))'
    replace(formats, '    "ogg": FileFormat(', f'    "caf": {entry},\n    "ogg": FileFormat(')
    assert changed_files(backend) == {"sonifold/audio/formats.py"}
    offered = printed_by(FORMAT.replace("{folder}", str(tmp_path)), backend)
    assert (offered["option"], offered["accepted"]) == ("caf", "caf")
    assert "caf" in offered["enum"]
    assert soundfile.info(tmp_path / "noise.caf").format == "CAF"


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
