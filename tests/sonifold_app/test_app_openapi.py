"""The description of the API is complete and true: a client could be generated from it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import time
from typing import Any

import pytest
from app_checks import API, file_of, tone
from pydantic import TypeAdapter

from sonifold_app import schemas
from sonifold_app.engine.answers import Answer as Reply
from sonifold_app.engine.examples import OTHER_ID, OTHER_USER_SOUND_ID, SOUND_ID, USER_SOUND_ID
from sonifold_app.http import problems
from sonifold_app.schemas.common import Request


@pytest.fixture(scope="module")
def document(client) -> dict[str, Any]:
    return client.get(f"{API}/openapi.json").json()


@pytest.fixture(scope="module")
def operations(document):
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Sonifold"
    assert document["info"]["license"]["identifier"] == "Apache-2.0"


def test_every_operation_has_a_name_of_its_own_a_tag_and_a_sentence(document, operations):
    count = sum(len(methods) for methods in document["paths"].values())
    assert len(operations) == count >= 19
    for name, (_, _, operation) in operations.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert operation["tags"]
        assert operation["description"].endswith(".")


def test_every_path_parameter_is_described(operations):
    for name, (path, _, operation) in operations.items():
        parameters = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "path"}
        assert set(parameters) == set(re.findall(r"{(\w+)}", path)), name
        assert all(p.get("description") for p in parameters.values())


def test_errors_are_problem_documents_everywhere(operations):
    for name, (_, _, operation) in operations.items():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == [problems.MEDIA_TYPE], (name, status)


def test_what_can_come_everywhere_is_described_everywhere(operations):
    for name, (path, method, operation) in operations.items():
        described = {int(status) for status in operation["responses"]}
        body = operation.get("requestBody", {}).get("content", {})
        if path.startswith(API):
            assert described >= {401, 403, 421, 429, 503}, name
        assert (400 in described) == ("application/json" in body), name
        assert (413 in described) == bool(body), name
        if method in ("post", "put", "patch", "delete"):
            assert 507 in described, name


REAL = ("upload", "job", "test", "listener", "ingest", "collection_sound", "root", "named")


#: A stream; off by default; for sounds that were analysed; there where the server has a token (test_app_users).
UNANSWERED = (
    "watch_job", "get_metrics", "list_users", "list_collection_neighbours", "list_collection_duplicates",
)  # fmt: skip


def finished_listening_test(client):
    """Ids of a listening test of one trial, and of somebody who is through."""
    request = {
        "conditions": [{"kind": "linear"}, {"kind": "crossfade"}],
        "pairs": [{"start": SOUND_ID, "end": OTHER_ID}],
        "trials": 1,
        "steps": 2,
    }
    test = client.post(f"{API}/listening-tests", json=request).json()["id"]
    while client.get(f"{API}/listening-tests/{test}").json()["state"] == "preparing":
        time.sleep(0.05)
    listener = client.post(f"{API}/listening-tests/{test}/listeners", json={}).json()["id"]
    answer = {"answer": "1", "listens": {"1": 2, "2": 1, "x": 3}}
    client.put(f"{API}/listening-tests/{test}/listeners/{listener}/trials/1/answer", json=answer)
    return test, listener


def ingested(client, folder):
    """Ids of an ingest of names, and of the one sound that it took in."""
    (folder / "BD01.wav").write_bytes(file_of(tone()))
    url = f"{API}/collection/ingests"
    ingest = client.post(url, json={"folders": [str(folder)], "phase": "names"}).json()["id"]
    while client.get(f"{url}/{ingest}").json()["state"] == "running":
        time.sleep(0.05)
    return ingest, client.get(f"{API}/collection/sounds").json()["sounds"][0]["id"]


@pytest.fixture(scope="module")
def real(client, name, tmp_path_factory):
    """Ids in the examples that only a used server has -> those of a server that has been used."""
    files = [("files", (f"{i}.wav", file_of(tone(0.7, 150 + 70 * i)))) for i in range(2)]
    own = [one["id"] for one in client.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]
    upload = client.post(f"{API}/models/{name}/uploads", files=files[:1]).json()["id"]
    adapted = client.post(f"{API}/models/{name}/adaptations", json={"sounds": own[:1]}).json()["result"]
    asked = {"sounds": own[:1], "title": "Kit"}
    job = client.post(f"{API}/models/{name}/finetunes", json=asked).json()["id"]
    test, listener = finished_listening_test(client)
    folder = tmp_path_factory.mktemp("Samples")
    ingest, collection_sound = ingested(client, folder)
    yield {
        "folder": folder,
        "ingest": ingest,
        "collection_sound": collection_sound,
        "root": 1,
        "named": client.post(f"{API}/collection/named", json={"name": "Kit"}).json()["id"],
        "own": own,
        "upload": upload,
        "job": job,
        "adapted": adapted,
        "test": test,
        "listener": listener,
    }
    client.delete(f"{API}/listening-tests/{test}")
    for one in client.get(f"{API}/jobs").json()["jobs"]:
        client.post(f"{API}/jobs/{one['id']}/cancellation")
    client.delete(f"{API}/models/{adapted}")
    for id in client.get(f"{API}/models/{name}/sounds").json()["id"]:
        if id.startswith("u"):
            client.delete(f"{API}/models/{name}/sounds/{id}")


def with_real_ids(example, real):
    text = (
        json.dumps(example)
        .replace(USER_SOUND_ID, real["own"][0])
        .replace(OTHER_USER_SOUND_ID, real["own"][1])
        .replace("/samples", str(real["folder"]))
    )
    return json.loads(text)


def test_every_example_of_a_request_is_answered_by_the_model_that_comes_along(
    client, name, document, operations, real
):
    asked = 0
    for operation_id, (path, method, operation) in operations.items():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None or operation["tags"] == ["users"]:
            continue
        (example,) = document["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[1]]["examples"]
        own = {"change_sound": real["own"][0]}.get(operation_id, SOUND_ID)
        model = {"change_model": real["adapted"]}.get(operation_id, name)
        url = path.format(model=model, sound=own, number=1, **{key: real[key] for key in REAL})
        answer = client.request(method, url, json=with_real_ids(example, real))
        assert answer.is_success, (operation_id, answer.text)
        asked += 1
    assert asked >= 17


def test_every_example_of_an_address_is_found(client, operations, real):
    own = {**{key: real[key] for key in REAL}, "file": 0, "sha256": None, "which": None}
    for operation_id, (path, method, operation) in operations.items():
        if method != "get" or operation_id in UNANSWERED:
            continue
        named = {
            one["name"]: own.get(one["name"], (one.get("schema", {}).get("examples") or [None])[0])
            for one in operation.get("parameters", [])
            if one["in"] == "path"
        }
        if None not in named.values():
            answer = client.get(path.format(**named))
            assert answer.is_success, (operation_id, answer.text[:300])


def test_every_reference_leads_somewhere(document):
    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(document))
    assert found
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def own_models():
    """Every request and reply that a module of ``schemas`` defines."""
    modules = [
        importlib.import_module(f"{schemas.__name__}.{found.name}")
        for found in pkgutil.iter_modules(schemas.__path__)
    ]
    return [
        m
        for module in modules
        for m in vars(module).values()
        if isinstance(m, type) and issubclass(m, (Request, Reply)) and m.__module__ == module.__name__
    ]


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model.__name__)
def test_examples_are_what_they_are_examples_of(model):
    for example in model.model_json_schema().get("examples", []):
        parsed = TypeAdapter(model).validate_python(example)
        again = parsed.model_dump(mode="json", exclude_unset=True)
        assert again == example or set(again) == set(example)


def test_what_is_asked_and_what_is_answered_in_full_has_an_example(document):
    schemas_ = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            bodies = [operation.get("requestBody", {}), operation["responses"].get("200", {})]
            for body in bodies:
                reference = body.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")
                if reference and not reference.endswith("/Models"):
                    assert schemas_[reference.rsplit("/", 1)[1]].get("examples"), (path, reference)


def test_requests_in_the_examples_name_only_kinds_that_exist(document):
    text = str(document)
    for code in {row[2] for row in problems.TABLE}:
        assert re.fullmatch(r"[a-z_]+", code)
    assert "/api/v1/audio/{sha256}" in text
