"""Every error of the science has its status and code; ours never show."""

from __future__ import annotations

import pytest
from app_checks import API, assert_problem
from fastapi import APIRouter
from starlette.testclient import TestClient

from sonifold import errors
from sonifold_app.app import create_app
from sonifold_app.http import problems
from sonifold_app.settings import Settings

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.SonifoldError) and kind is not errors.SonifoldError
]

#: What only commands raise: none of these reaches a route.
OF_THE_COMMAND_LINE = (errors.DatasetError, errors.OutputError, errors.ListeningTestError)


@pytest.mark.parametrize(
    "kind",
    [k for k in KINDS if k not in OF_THE_COMMAND_LINE],
    ids=lambda kind: kind.__name__,
)
def test_every_error_of_the_science_has_a_row(kind):
    problem = problems.of_science(kind("What came, and what to do."))
    assert 400 <= problem.status_code < 600
    assert problem.code != "internal_error"
    assert problem.document()["detail"] == "What came, and what to do."


def test_children_come_before_parents_in_the_table():
    kinds = [row[0] for row in problems.TABLE]
    for index, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[index + 1 :]), kind


@pytest.fixture
def broken(tmp_path, engine_of):
    """A server with a route that fails as nobody foresaw."""
    app = create_app(Settings(data=tmp_path), engine_of())
    router = APIRouter()

    @router.get("/broken")
    def broken():
        raise RuntimeError("secret at /root/.ssh")

    app.include_router(router)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def test_our_own_mistakes_are_told_without_their_secrets(broken):
    answer = broken.get("/broken")
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no-such", 404, "not_found"),
        ("GET", f"{API}/no-such", 404, "not_found"),
        ("PUT", f"{API}/models", 405, "method_not_allowed"),
        ("DELETE", "/livez", 405, "method_not_allowed"),
        ("GET", f"{API}/models/x/morphs", 405, "method_not_allowed"),
        ("BREW", "/livez", 405, "method_not_allowed"),
    ],
)
def test_what_the_web_layer_refuses_is_a_problem_document_too(client, method, path, status, code):
    answer = client.request(method, path)
    assert_problem(answer, status, code)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{API}/models", "GET, HEAD, POST"),
        ("POST", f"{API}/models/x", "GET, HEAD, PATCH, DELETE"),
        ("DELETE", f"{API}/models/x/sounds", "GET, HEAD, POST"),
        ("PUT", f"{API}/models/x/sounds/y", "GET, HEAD, PATCH, DELETE"),
        ("POST", f"{API}/models/x/uploads/y", "GET, HEAD, DELETE"),
        ("PUT", f"{API}/models/x/adaptations", "GET, HEAD, POST"),
        ("POST", f"{API}/jobs/x", "GET, HEAD, DELETE"),
        ("POST", "/livez", "GET, HEAD"),
        ("PUT", "/index.html", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_told_which_it_does(client, method, path, allowed):
    answer = client.request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed
