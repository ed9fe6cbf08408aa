"""The page and what it is made of."""

from __future__ import annotations

import gzip

import pytest
from app_checks import assert_problem
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.routes import page
from sonifold_app.settings import Settings


@pytest.fixture
def site(tmp_path, engine_of, monkeypatch):
    folder = tmp_path / "frontend"
    (folder / "atlas").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Sonifold</title>")
    (folder / "atlas" / "view.js").write_text("export const view = 1;\n" * 200)
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(page, "page_folder", lambda: folder)
    app = create_app(Settings(data=tmp_path / "data"), engine_of())
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_the_page_is_served_with_its_modules(site):
    index = site.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert "Sonifold" in index.text
    module = site.get("/atlas/view.js")
    assert module.headers["content-type"].startswith("text/javascript")
    assert module.headers["content-encoding"] == "gzip"


def test_files_are_asked_for_each_time_and_sent_when_changed(site, tmp_path):
    first = site.get("/atlas/view.js")
    assert first.headers["cache-control"] == "private, no-cache"
    etag = first.headers["etag"]
    assert site.get("/atlas/view.js", headers={"If-None-Match": etag}).status_code == 304
    (tmp_path / "frontend" / "atlas" / "view.js").write_text("export const view = 22;")
    assert site.get("/atlas/view.js", headers={"If-None-Match": etag}).text == "export const view = 22;"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/atlas/..%2f..%2fsecret.txt",
        "/%00",
        "/atlas\\view.js",
        "/" + "a" * 5000,
        "//etc/passwd",
        "/api/v1/nothing",
        "/api/",
    ],
)
def test_there_is_nothing_else(site, path):
    answer = site.get(path)
    assert_problem(answer, 404, "not_found")


def test_the_page_cannot_be_posted_to(site):
    assert_problem(site.post("/"), 405, "method_not_allowed")


def test_plotly_comes_from_the_wheel_compressed_and_tagged(site):
    answer = site.get("/vendor/plotly.min.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == page.plotly_file().read_bytes()
    tag = answer.headers["etag"]
    assert site.get("/vendor/plotly.min.js", headers={"If-None-Match": tag}).status_code == 304
    plain = site.get("/vendor/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    assert plain.headers["etag"] != tag
    assert "immutable" in site.get("/vendor/plotly.min.js?v=7").headers["cache-control"]


def test_plotly_is_compressed_once_for_good(site, tmp_path, engine_of, monkeypatch):
    site.get("/vendor/plotly.min.js")
    monkeypatch.setattr(gzip, "compress", None)
    app = create_app(Settings(data=tmp_path / "data"), engine_of())
    with TestClient(app, base_url="http://localhost") as again:
        assert len(again.get("/vendor/plotly.min.js").content) > 1e6


def test_without_its_page_the_service_still_answers(tmp_path, engine_of, monkeypatch):
    monkeypatch.setattr(page, "page_folder", lambda: tmp_path / "none")
    app = create_app(Settings(data=tmp_path), engine_of())
    with TestClient(app, base_url="http://localhost") as client:
        assert_problem(client.get("/"), 404, "not_found")
        assert client.get("/livez").status_code == 200
