"""What a running server tells of itself: metrics, and logs in which a request is found by its id."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from app_checks import API
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from sonifold.cli import main
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.settings import Settings
from sonifold_app.store.jobs import JobStore

TOKEN = "a long enough secret"
COMMAND = "import sys; from sonifold.cli import main; sys.exit(main(['serve']))"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[httpx.Client, Path]]:
    """A client of a server process without models, and the file of its log."""
    folder = tmp_path_factory.mktemp("observed")
    jobs = JobStore(folder / "library")
    jobs.finish(jobs.create("m", "t", {"sounds": []}).id, "failed", {})
    jobs.close()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SONIFOLD_")}
    settings = {
        "PORT": "0",
        "DATA": folder,
        "MODELS": folder,
        "METRICS": "true",
        "LOG": "json",
        "TOKEN": TOKEN,
    }
    environment |= {f"SONIFOLD_{name}": str(value) for name, value in settings.items()}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND],
            env=environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    address = re.search(r"http://[\d.:]+", process.stdout.readline())
    assert address is not None
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=address[0], headers=headers, timeout=60) as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.1)
        yield client, folder / "log"
    process.terminate()
    process.wait(30)
    process.stdout.close()


def metrics_of(client: httpx.Client | TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample: (name, labels) -> value."""
    reply = client.get("/metrics")
    assert reply.status_code == 200, reply.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def requests(metrics, **labels: str) -> float:
    return metrics.get(("sonifold_http_requests_total", tuple(sorted(labels.items()))), 0.0)


def lines_about(log: Path, ids: set[str]) -> list[dict]:
    """What the log says of requests; the line of one is written after its reply was sent."""
    deadline = time.monotonic() + 60
    while True:
        lines = [
            json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")
        ]
        about = [line for line in lines if line["request_id"] in ids]
        if {line["request_id"] for line in about} == ids:
            return about
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_requests_are_counted_by_the_template_of_their_address(server):
    client, _ = server
    labels = {"method": "GET", "route": f"{API}/models/{{model}}/sounds/{{sound}}/audio", "status": "404"}
    before = requests(metrics_of(client), **labels)
    for name in ("one", "two", "three"):
        assert client.get(f"{API}/models/{name}/sounds/x/audio").status_code == 404
    metrics = metrics_of(client)
    assert requests(metrics, **labels) == before + 3
    count = metrics["sonifold_http_request_seconds_count", (("method", "GET"), ("route", labels["route"]))]
    assert count == before + 3
    assert metrics["sonifold_http_requests_in_flight", ()] == 1  # this one


def test_no_client_can_make_a_label(server):
    client, _ = server
    metrics_of(client)
    before = set(metrics_of(client))
    for number in range(5):
        client.get(f"/{number}")
        client.get(f"{API}/{number}")
        client.request(f"METHOD{number}", "/")
        client.get(f"{API}/models", headers={"Authorization": "Bearer wrong", "X-Request-ID": f"{number}"})
    added = set(metrics_of(client)) - before
    assert {dict(labels)["route"] for _, labels in added} <= {"other", f"{API}/models"}
    assert {dict(labels)["method"] for _, labels in added} <= {"GET", "other"}
    assert len({labels for name, labels in added if name == "sonifold_http_requests_total"}) <= 6


def test_engine_cache_jobs_and_process_are_told_of(server):
    metrics = metrics_of(server[0])
    for pool in ("batch", "light", "files", "adapt"):
        assert metrics["sonifold_queue_length", (("pool", pool),)] == 0
        assert metrics["sonifold_queue_age_seconds", (("pool", pool),)] == 0
    assert metrics["sonifold_device", (("device", "cpu"),)] == 1
    assert metrics["sonifold_jobs", (("state", "failed"),)] == 1
    assert ("sonifold_cache_lookups_total", (("outcome", "hit"),)) in metrics
    if sys.platform == "linux":
        assert metrics["process_resident_memory_bytes", ()] > 10e6


def test_metrics_are_for_those_with_the_token(server):
    client, _ = server
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401


def test_a_request_is_found_by_its_id_in_reply_problem_and_log(server):
    client, log = server
    reply = client.get(f"{API}/models/none?token=secret", headers={"X-Request-ID": "from-a-proxy.1"})
    assert reply.headers["x-request-id"] == reply.json()["request_id"] == "from-a-proxy.1"
    (line,) = lines_about(log, {"from-a-proxy.1"})
    assert (line["method"], line["status"], line["level"]) == ("GET", reply.status_code, "info")
    assert (line["path"], line["route"]) == (f"{API}/models/none", f"{API}/models/{{model}}")
    assert "secret" not in log.read_text()


@pytest.mark.parametrize("id", ["", "with space", "x" * 65, 'quote"', "tab\there"])
def test_what_is_no_id_is_replaced_by_one(server, id):
    client, log = server
    headers = {"X-Request-ID": id}
    ids = {client.get("/livez", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", drawn) for drawn in ids)
    assert len(lines_about(log, ids)) == 2


def test_a_refused_request_has_an_id_too(server):
    reply = server[0].get(f"{API}/models", headers={"Authorization": "Bearer wrong"})
    assert reply.status_code == 401
    assert reply.json()["request_id"] == reply.headers["x-request-id"]


def test_doctor_sees_that_the_port_is_a_sonifolds(server, monkeypatch, capsys):
    client, _ = server
    monkeypatch.setenv("SONIFOLD_PORT", str(client.base_url.port))
    assert main(["doctor", "--only", "port"]) == 0
    assert "a Sonifold answers there" in capsys.readouterr().out


# -- in this process --------------------------------------------------------------------------------


def test_batches_and_cache_are_counted(tmp_path, small_engine_of, small_model, name):
    app = create_app(Settings(data=tmp_path, metrics=True), small_engine_of())
    with TestClient(app, base_url="http://127.0.0.1:8750") as client:
        anchors = [{"sound": id} for id in small_model.library.ids[:2]]
        morph = {"anchors": anchors, "kinds": ["linear"], "steps": 3}
        for _ in range(2):
            assert client.post(f"{API}/models/{name}/morphs", json=morph).status_code == 200
        metrics = metrics_of(client)
    assert metrics["sonifold_batch_size_count", ()] >= 1
    assert metrics["sonifold_batch_size_bucket", (("le", "1"),)] >= 1
    lookups = {
        outcome: metrics["sonifold_cache_lookups_total", (("outcome", outcome),)]
        for outcome in ("hit", "miss")
    }
    assert lookups["hit"] >= 1
    assert lookups["miss"] >= 1


def test_without_the_setting_there_are_no_metrics_and_no_lines(tmp_path, caplog):
    app = create_app(Settings(data=tmp_path), LocalEngine(load=lambda: ({}, {})))
    with TestClient(app, base_url="http://127.0.0.1:8750") as client:
        problem = client.get("/metrics").json()
    assert (problem["status"], problem["code"]) == (404, "metrics_off")
    assert "sonifold_app.requests" not in {record.name for record in caplog.records}


def test_an_error_that_nobody_expected_has_its_id(tmp_path):
    app = create_app(Settings(data=tmp_path), LocalEngine(load=lambda: ({}, {})))

    @app.get("/fails")
    def fail() -> None:
        raise RuntimeError("ours")

    client = TestClient(app, base_url="http://127.0.0.1:8750", raise_server_exceptions=False)
    reply = client.get("/fails", headers={"X-Request-ID": "abc"})
    assert reply.status_code == 500
    assert reply.json()["request_id"] == reply.headers["x-request-id"] == "abc"
