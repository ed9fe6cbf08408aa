"""Users with tokens of their own: who is let in, and that nobody learns anything of what another has.

What is asked comes from the OpenAPI document: a new route cannot be forgotten.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from app_checks import API, assert_problem, file_of, renamed_pack, tone, wait_for
from pydantic import ValidationError
from starlette.testclient import TestClient

from sonifold_app.admin.backup import back_up
from sonifold_app.admin.finding import Level
from sonifold_app.admin.restore import restore
from sonifold_app.admin.user_checks import check_users
from sonifold_app.app import create_app
from sonifold_app.engine.examples import OTHER_USER_SOUND_ID, SOUND_ID, USER_SOUND_ID
from sonifold_app.http.holders import REREAD_SECONDS
from sonifold_app.settings import Settings
from sonifold_app.store.data_folder import DataFolderUnusableError
from sonifold_app.store.opening import open_database
from sonifold_app.store.users import UserStore

pytestmark = pytest.mark.long

TOKEN = "sixteen-characters-and-more"
#: Nobody but Ada may read this anywhere: it is in the name of everything that she makes.
SECRET = "adas-own"
#: Parameters whose values are everybody's.
FIXED = ("which", "file", "number")
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    names: tuple[str, ...]  # of the parameters in its path
    required: tuple[str, ...]  # parameters elsewhere that it does not do without
    kinds: tuple[str, ...]  # of its body
    examples: tuple[Any, ...]  # of a JSON body

    @property
    def changes(self) -> bool:
        return self.method != "get"


def operations_of(document: dict[str, Any]) -> list[Operation]:
    return [
        operation_of(method, path, described, document["components"]["schemas"])
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]


def operation_of(method: str, path: str, described: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    parameters = [each for each in described.get("parameters", []) if each["required"]]
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return Operation(
        method,
        path,
        tuple(re.findall(r"\{(\w+)\}", path)),
        tuple(each["name"] for each in parameters if each["in"] != "path"),
        tuple(content),
        tuple(schema.get("examples", ())),
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory, small_models, small_engine_of):
    folder = tmp_path_factory.mktemp("samples")
    (folder / f"{SECRET}.wav").write_bytes(file_of(tone()))
    settings = Settings(
        data=tmp_path_factory.mktemp("data"),
        models=small_models,
        token=TOKEN,
        host="0.0.0.0",
        metrics=True,
        collection_folders=str(folder),
    )
    app = create_app(settings, small_engine_of())
    with TestClient(app, base_url="http://studio.example:8750", raise_server_exceptions=False) as client:
        client.portal.call(app.state.workspaces._machine.turn.acquire)  # no job gets its turn
        yield client
        client.portal.call(app.state.workspaces._machine.turn.release)


class Person:
    """A client with somebody's token."""

    def __init__(self, server: TestClient, token: str) -> None:
        self._server, self.token = server, token
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, **how: Any) -> Any:
        return self._server.request(method, path, headers=self._headers, **how)

    def get(self, path: str) -> Any:
        return self("GET", path)

    def made(self, method: str, path: str, **how: Any) -> Any:
        reply = self(method, path, **how)
        assert reply.status_code in (200, 201, 202), reply.text
        return reply.json()


@pytest.fixture(scope="module")
def main(server):
    return Person(server, TOKEN)


@pytest.fixture(scope="module")
def person(server, main):
    def add(name: str) -> Person:
        return Person(server, main.made("POST", f"{API}/users", json={"name": name})["token"])

    return add


@pytest.fixture(scope="module")
def operations(main):
    return operations_of(main("GET", f"{API}/openapi.json").json())


@dataclass(frozen=True)
class Scene:
    """Ada has one of everything, and Bob may learn nothing of it."""

    ada: Person
    bob: Person
    ids: dict[str, str]
    models: list[str]  # of hers
    before: dict[str, dict[str, Any]]  # what others were answered before she had anything


@pytest.fixture(scope="module")
def scene(server, main, person, operations, name, small_model):
    ada, bob = person(SECRET), person("Bob")
    before = {"bob": overview(bob, operations, name), "main": overview(main, operations, name)}
    ids, models = everything(ada, main, name, small_model.library.ids)
    return Scene(ada, bob, ids, models, before)


def overview(someone: Person, operations: list[Operation], model: str) -> dict[str, Any]:
    """What somebody is answered to every question that names nothing of anybody's."""
    return {
        operation.path: said(someone("GET", operation.path.replace("{model}", model)))
        for operation in operations
        if not operation.changes and set(operation.names) <= {"model"} and operation.path != "/metrics"
    }


def said(reply: Any) -> tuple[int, str]:
    """Status and body, without the id of the request."""
    return reply.status_code, re.sub(r'"request_id": "\w+"', "", reply.text)


def everything(ada: Person, main: Person, name: str, library: list[str]) -> tuple[dict[str, str], list[str]]:
    """One of everything that a user can have: ids by the names of parameters, and models."""
    home = f"{API}/models/{name}"
    wav = {"files": (f"{SECRET}.wav", file_of(tone(hertz=311)), "audio/wav")}
    sound = ada.made("POST", f"{home}/sounds", files=wav)["sounds"][0]["id"]
    upload = ada.made("POST", f"{home}/uploads", files=wav)["id"]
    adapted = ada.made("POST", f"{home}/adaptations", json={"sounds": [sound]})["result"]
    pack = {"file": (f"{SECRET}.sonifold.zip", renamed_pack(main, name, SECRET), "application/zip")}
    imported = ada.made("POST", f"{API}/models", files=pack)["id"]
    job = ada.made("POST", f"{home}/finetunes", json={"sounds": [sound], "title": SECRET})["id"]
    point = ada.made("GET", f"{home}/sounds/{sound}")["z"]
    decoded = ada.made("POST", f"{home}/decodings", json={"points": [point]})
    (sha256,) = set(re.findall(r"[0-9a-f]{64}", json.dumps(decoded)))
    test = ada.made("POST", f"{API}/listening-tests", json=listening_test(sound, library, SECRET))["id"]
    wait_for(lambda: ada.made("GET", f"{API}/listening-tests/{test}")["state"] == "ready")
    listener = ada.made("POST", f"{API}/listening-tests/{test}/listeners", json={"name": SECRET})["id"]
    (within,) = ada.made("GET", f"{API}/collection")["within"]
    request = {"folders": [within], "phase": "names"}
    ingest = ada.made("POST", f"{API}/collection/ingests", json=request)["id"]
    wait_for(lambda: ada.made("GET", f"{API}/collection/ingests/{ingest}")["state"] == "done")
    (found,) = ada.made("GET", f"{API}/collection/sounds")["sounds"]
    ids = {
        "sound": sound,
        "upload": upload,
        "file": "0",
        "job": job,
        "which": "before",
        "sha256": sha256,
        "test": test,
        "listener": listener,
        "number": "1",
        "ingest": str(ingest),
        "collection_sound": str(found["id"]),
        "root": str(ada.made("GET", f"{API}/collection")["folders"][0]["id"]),
        "named": str(ada.made("POST", f"{API}/collection/named", json={"name": SECRET})["id"]),
        "user": "00000000",
    }
    return ids, [adapted, imported]


def listening_test(sound: str, library: list[str], title: str) -> dict[str, Any]:
    return {
        "title": title,
        "conditions": [{"kind": "linear"}, {"kind": "crossfade"}],
        "pairs": [{"start": sound, "end": library[0]}],
        "trials": 1,
        "steps": 2,
        "step_seconds": 0.2,
    }


# -- isolation ---------------------------------------------------------------------------------------


def test_there_is_something_to_hide(scene, name):
    listed = scene.ada("GET", f"{API}/models/{name}/sounds").text
    assert scene.ids["sound"] in listed
    assert SECRET in listed
    for path in ("/jobs", "/listening-tests", "/collection/sounds", f"/models/{name}/uploads"):
        assert SECRET in scene.ada("GET", f"{API}{path}").text, path
    assert scene.models[0] in scene.ada("GET", f"{API}/models").text
    assert scene.ada("GET", f"{API}/audio/{scene.ids['sha256']}").status_code == 200


@pytest.mark.parametrize("who", ["bob", "main"])
def test_what_is_asked_for_in_general_is_as_if_nobody_else_were_there(scene, operations, main, name, who):
    someone = scene.bob if who == "bob" else main
    after = overview(someone, operations, name)
    assert len(after) > 12
    for path, answer in scene.before[who].items():
        if path != f"{API}/users":
            assert after[path] == answer, path


def test_every_route_answers_as_for_what_never_was(scene, operations, name):
    """404, or 403 where only the server's own token is let in; the same words as for ids that nobody has."""
    asked = 0
    for operation in operations:
        for request in requests_of(operation, scene, name):
            answers = [
                scene.bob(operation.method.upper(), **each) for each in (request.hers, request.nobodys)
            ]
            statuses = [answer.status_code for answer in answers]
            assert statuses[0] in (403, 404), (operation, statuses, answers[0].text)
            words = [
                without(said(answer)[1], sent) for answer, sent in zip(answers, request.sent, strict=True)
            ]
            assert words[0] == words[1], operation
            assert answers[0].headers.keys() == answers[1].headers.keys()
            told = without(answers[0].text + json.dumps(dict(answers[0].headers)), request.sent[0])
            leaks = [secret for secret in secrets_of(scene) if secret in told]
            assert leaks == [], operation
            asked += 1
    assert asked > 60


@dataclass(frozen=True)
class Request:
    """The same asked twice: of what is Ada's, and of what never was; and the ids that each of the two sends."""

    hers: dict[str, Any]
    nobodys: dict[str, Any]
    sent: tuple[list[str], list[str]]


def requests_of(operation: Operation, scene: Scene, name: str) -> list[Request]:
    """Every way to name something of Ada's in a request."""
    strange = set(operation.names) - scene.ids.keys() - {"model"}
    assert not strange, f"{operation.path}: say in everything() what {strange} of Ada's is"
    assert not operation.required, f"{operation.path}: say here what to send as {operation.required}"
    in_path = set(operation.names) - {"model"}
    models = [*([name] if in_path else []), *scene.models] if "model" in operation.names else [None]
    bodies: Sequence[Any] = operation.examples if "application/json" in operation.kinds else (None,)
    assert bodies, f"{operation.path}: its body needs an example"
    requests = [
        asking(operation, scene, model, body) for model, body in product(models, bodies) if in_path or model
    ]
    naming = [body for body in bodies if SOUND_ID in json.dumps(body) or USER_SOUND_ID in json.dumps(body)]
    return requests + [asking(operation, scene, name, body) for body in naming if not in_path]


def asking(operation: Operation, scene: Scene, model: str | None, body: Any) -> Request:
    hers = {**scene.ids, "model": model or ""}
    never = {key: nobodys(key, value) for key, value in hers.items()}
    if model not in scene.models:
        never["model"] = hers["model"]
    asked = []
    for ids in (hers, never):
        how: dict[str, Any] = {"path": operation.path.format(**ids)}
        if "application/json" in operation.kinds:
            how["json"] = json.loads(
                json.dumps(body).replace(SOUND_ID, ids["sound"]).replace(USER_SOUND_ID, ids["sound"])
            )
        elif operation.kinds:
            how["files"] = {"files": ("a.wav", file_of(tone()), "audio/wav")}
        asked.append(how)
    named = [
        [
            OTHER_USER_SOUND_ID,
            hers["collection_sound"],
            *(ids[key] for key in (*operation.names, "sound") if key not in FIXED),
        ]
        for ids in (hers, never)
    ]
    return Request(asked[0], asked[1], (named[0], named[1]))


def nobodys(key: str, id: str) -> str:
    """An id that looks like another and belongs to nobody."""
    if key in FIXED:
        return id
    if id.isdecimal() and len(id) < 6:
        return str(int(id) + 1000)
    return id[:-2] + ("00" if id[-2:] != "00" else "11")


def without(text: str, sent: list[str]) -> str:
    for id in sorted(sent, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(id)}\b", "ID", text)
        text = text.replace(id[:12], "ID") if len(id) > 12 else text
    return text


def secrets_of(scene: Scene) -> set[str]:
    return {SECRET, *scene.models, *(id for id in scene.ids.values() if len(id) > 4)}


# -- what is the same in two workspaces --------------------------------------------------------------


def test_the_same_file_and_the_same_model_of_two_users_are_two(scene, name, main):
    """Nothing tells whether another has the same; and what one deletes, the other still has."""
    wav = {"files": (f"{SECRET}.wav", file_of(tone(hertz=311)), "audio/wav")}
    pack = {"file": ("kit.sonifold.zip", renamed_pack(main, name, SECRET), "application/zip")}
    sound = scene.bob.made("POST", f"{API}/models/{name}/sounds", files=wav)["sounds"][0]["id"]
    model = scene.bob.made("POST", f"{API}/models", files=pack)["id"]
    assert model not in scene.models
    for path in (f"{API}/models/{name}/sounds/{sound}", f"{API}/models/{model}"):
        assert scene.bob("DELETE", path).status_code == 204
    hers = scene.ada("GET", f"{API}/models/{name}/sounds/{scene.ids['sound']}/audio")
    assert hers.status_code == 200
    for model in scene.models:
        assert (
            scene.ada("POST", f"{API}/models/{model}/atlas/points", json={"positions": [[0, 0]]}).status_code
            == 200
        )


# -- who is let in -----------------------------------------------------------------------------------


def test_a_token_is_told_once_and_is_good_until_it_is_rotated_or_revoked(server, main):
    added = main.made("POST", f"{API}/users", json={"name": "Carl"})
    user, token = added["user"]["id"], added["token"]
    carl = Person(server, token)
    assert carl("GET", f"{API}/jobs").json() == {"jobs": []}
    assert token not in main("GET", f"{API}/users").text
    assert token.partition(".")[2] not in main("GET", f"{API}/users").text
    page = server.get("/", params={"token": token}, follow_redirects=False)
    cookie = {"Cookie": page.headers["set-cookie"].partition(";")[0]}
    server.cookies.clear()
    assert server.get(f"{API}/jobs", headers=cookie).status_code == 200
    assert_problem(carl("GET", f"{API}/users"), 403, "main_token_required")

    again = main.made("POST", f"{API}/users/{user}/token")["token"]
    assert_problem(carl("GET", f"{API}/jobs"), 401, "token_required")
    assert_problem(server.get(f"{API}/jobs", headers=cookie), 401, "token_required")
    assert Person(server, again)("GET", f"{API}/jobs").status_code == 200

    assert main("DELETE", f"{API}/users/{user}").json()["revoked"]
    assert_problem(Person(server, again)("GET", f"{API}/jobs"), 401, "token_required")
    assert_problem(main("POST", f"{API}/users", json={"name": "carl"}), 422, "user_name_invalid")


@pytest.mark.parametrize(
    "token", ["{id}.", "{id}.{secret}x", "{other}.{secret}", "{id}.{secret}\n", "{id}", "x" * 9000]
)
def test_what_is_nearly_a_token_opens_nothing(server, main, token):
    known = main("GET", f"{API}/users").json()["users"]
    wrong = token.format(id=known[0]["id"], other=known[1]["id"], secret="A" * 43)
    answer = server.get(f"{API}/models", headers={"Authorization": f"Bearer {wrong}".encode()})
    assert answer.status_code in (400, 401)


def test_users_are_added_beside_the_running_server_by_a_command(server, main):
    settings = server.app.state.services.settings
    environment = {"SONIFOLD_DATA": str(settings.data), "SONIFOLD_TOKEN": TOKEN}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sonifold.cli", "user", *arguments]
        return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)

    added = run("add", "Dora")
    assert added.returncode == 0, added.stderr
    dora = Person(server, added.stdout.strip())
    time.sleep(REREAD_SECONDS)
    assert dora("GET", f"{API}/jobs").status_code == 200
    assert "Dora" in run("list").stdout
    refused = run("revoke", "Nobody")
    assert (refused.returncode, "no user 'Nobody'" in refused.stderr) == (1, True)


def test_a_server_without_a_token_does_not_start_where_users_were_promised_one(tmp_path, small_engine_of):
    with TestClient(
        create_app(Settings(data=tmp_path), small_engine_of()), base_url="http://127.0.0.1"
    ) as client:
        assert_problem(client.post(f"{API}/users", json={"name": "Eve"}), 409, "users_need_a_token")
    database = open_database(tmp_path / "library")
    UserStore(database).add("Eve")
    database.close()
    with pytest.raises(DataFolderUnusableError, match="SONIFOLD_TOKEN"):
        create_app(Settings(data=tmp_path), small_engine_of())


# -- on the disk -------------------------------------------------------------------------------------


def test_a_backup_holds_what_each_user_has(scene, server, operations, name, small_engine_of, tmp_path):
    settings = server.app.state.services.settings
    back_up(settings.data, tmp_path / "backup.zip")
    restore(tmp_path / "backup.zip", tmp_path / "data")
    findings = list(check_users(settings.model_copy(update={"data": tmp_path / "data"})))
    assert [finding.message for finding in findings if finding.level != Level.OK] == []
    assert SECRET in findings[0].message
    app = create_app(settings.model_copy(update={"data": tmp_path / "data"}), small_engine_of())
    asyncio.run(app.state.workspaces._machine.turn.acquire())
    with TestClient(app, base_url="http://studio.example:8750") as restored:
        ada = Person(restored, scene.ada.token)
        wait_for(lambda: scene.models[1] in ada("GET", f"{API}/models").text)
        for path, answer in overview(scene.ada, operations, name).items():
            if "/collection" not in path:  # which is made again from its folders
                assert said(ada("GET", path.replace("{model}", name))) == answer, path
        sound = f"{API}/models/{name}/sounds/{scene.ids['sound']}/audio"
        assert ada("GET", sound).content == scene.ada("GET", sound).content


# -- how much a user may take ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bounded(tmp_path_factory, small_engine_of):
    """A server on which a user may keep little, and send few requests."""
    limits = {"user_sounds": 2, "user_bytes": 80_000, "user_jobs": 1, "user_renders": 1, "rates": "40/hour"}
    settings = Settings(data=tmp_path_factory.mktemp("data"), token=TOKEN, **limits)
    app = create_app(settings, small_engine_of())
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.portal.call(app.state.workspaces._machine.turn.acquire)
        yield client
        client.portal.call(app.state.workspaces._machine.turn.release)


@pytest.fixture
def newcomer(bounded, request):
    reply = bounded.post(
        f"{API}/users", json={"name": request.node.name[:60]}, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    return Person(bounded, reply.json()["token"])


def wav(hertz: float, seconds: float = 0.3) -> dict[str, Any]:
    return {"files": ("a.wav", file_of(tone(seconds, hertz)), "audio/wav")}


def test_a_user_keeps_so_many_sounds_and_jobs_and_no_more(newcomer, bounded, name):
    sounds = f"{API}/models/{name}/sounds"
    ids = [newcomer.made("POST", sounds, files=wav(hertz))["sounds"][0]["id"] for hertz in (200, 300)]
    refused = assert_problem(newcomer("POST", sounds, files=wav(400)), 507, "quota_full")
    assert "You keep 2 sounds" in refused["detail"]
    assert newcomer("DELETE", f"{sounds}/{ids[0]}").status_code == 204
    assert newcomer("POST", sounds, files=wav(400)).status_code == 201

    finetunes = f"{API}/models/{name}/finetunes"
    job = newcomer.made("POST", finetunes, json={"sounds": ids[1:], "title": "x"})["id"]
    busy = newcomer("POST", finetunes, json={"sounds": ids[1:], "title": "x"})
    assert_problem(busy, 429, "quota_busy")
    assert int(busy.headers["retry-after"]) > 0
    newcomer.made("POST", f"{API}/jobs/{job}/cancellation")
    newcomer.made("POST", finetunes, json={"sounds": ids[1:], "title": "x"})

    main = {"Authorization": f"Bearer {TOKEN}"}  # whose sounds are as many as there is room for
    for hertz in (200, 300, 400):
        assert bounded.post(sounds, files=wav(hertz), headers=main).status_code == 201


def test_a_user_keeps_so_many_bytes_and_room_that_was_made_is_room(newcomer, name):
    uploads = f"{API}/models/{name}/uploads"
    first = newcomer.made("POST", uploads, files=wav(200, 0.5))["id"]
    refused = assert_problem(newcomer("POST", uploads, files=wav(300, 0.5)), 507, "quota_full")
    assert "you may keep 0.1 MB" in refused["detail"]
    assert newcomer("DELETE", f"{uploads}/{first}").status_code == 204
    assert newcomer("POST", uploads, files=wav(300, 0.5)).status_code == 201


def test_what_a_user_has_computed_at_once_is_bounded(newcomer, bounded, name):
    newcomer("GET", f"{API}/jobs")
    quota = bounded.portal.call(newest_services, bounded.app.state.workspaces).engine._quota
    decode = {"path": f"{API}/models/{name}/decodings", "json": {"positions": [[0.1, 0.2]]}}
    quota.begin_render()  # as another request of the same user does
    busy = newcomer("POST", **decode)
    assert_problem(busy, 429, "quota_busy")
    assert busy.headers["retry-after"] == "1"
    quota.end_render()
    assert newcomer("POST", **decode).status_code == 200


async def newest_services(workspaces: Any) -> Any:
    return (await list(workspaces._opening.values())[-1]).services


def test_a_user_who_sends_too_much_is_told_when_to_go_on_and_nobody_else_is(newcomer, bounded):
    answers = [newcomer("GET", f"{API}/jobs") for _ in range(41)]
    assert [answer.status_code for answer in answers] == [200] * 40 + [429]
    assert "40 requests in 1 hour" in assert_problem(answers[-1], 429, "rate_limited")["detail"]
    assert 3000 < int(answers[-1].headers["retry-after"]) <= 3600
    assert newcomer("GET", "/").status_code == 200  # the page says it
    assert bounded.get(f"{API}/jobs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "rates", "count"),
    [
        ("127.0.0.1", None, 0),
        ("0.0.0.0", None, 1),
        ("0.0.0.0", "off", 0),
        ("127.0.0.1", "2/second;9/hour", 2),
    ],
)
def test_requests_are_counted_where_others_can_send_some(host, rates, count):
    assert len(Settings(host=host, rates=rates).rate_limits) == count


def test_a_rate_that_is_none_is_refused_at_the_start():
    with pytest.raises(ValidationError, match="600/minute"):
        Settings(rates="many")
