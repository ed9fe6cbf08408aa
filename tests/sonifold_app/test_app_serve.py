"""Starting and ending the server."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from app_checks import API

from sonifold_app import serve
from sonifold_app.serve import ServeError
from sonifold_app.settings import Settings

COMMAND = (
    "from sonifold_app.serve import serve; from sonifold_app.settings import Settings; serve(Settings())"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server process without models, at a free port; gives its URL."""
    folder = tmp_path_factory.mktemp("server")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SONIFOLD_")}
    environment |= {"SONIFOLD_PORT": "0", "SONIFOLD_DATA": str(folder), "SONIFOLD_MODELS": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        env=environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line
    yield found[0]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    process.stdout.close()


def test_a_started_server_prints_where_it_is_and_answers_there(server):
    with urllib.request.urlopen(f"{server}livez") as answer:
        assert answer.read() == b'{"status":"alive"}'
        assert "server" not in answer.headers


def test_a_client_that_sends_too_much_sees_why(server):
    request = urllib.request.Request(
        f"{server}api/v1/models/x/embeddings",
        data=bytes(80_000_000),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 413
    assert b"upload_too_large" in refused.value.read()
    refused.value.close()


def test_an_answer_that_does_not_wait_for_the_body_reaches_who_is_still_sending(server):
    request = urllib.request.Request(
        f"{server}api/v1/models/x/sounds",
        data=bytes(60_000_000),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 404
    assert b"model_not_found" in refused.value.read()
    refused.value.close()


def test_models_of_an_empty_folder_are_none(server):
    with urllib.request.urlopen(f"{server}{API.lstrip('/')}/models") as answer:
        catalogue = json.load(answer)
    assert (catalogue["models"], catalogue["unusable"]) == ([], [])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "studio.example"])
def test_the_server_refuses_to_be_reached_by_others_without_a_token(host):
    with pytest.raises(ServeError, match="SONIFOLD_TOKEN"):
        serve.serve(Settings(host=host))
    serve.require_token(Settings(host=host, token="a long enough secret"))


def test_a_port_that_is_taken_is_told_of():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServeError, match="SONIFOLD_PORT"):
            serve.listen(Settings(port=taken.getsockname()[1]))


def test_a_host_that_is_not_ours_is_told_of():
    with pytest.raises(ServeError, match=r"cannot listen on 192\.0\.2\.1"):
        serve.listen(Settings(host="192.0.2.1", port=0, token="a long enough secret"))


def test_the_address_is_one_that_a_browser_takes():
    with serve.listen(Settings(port=0)) as listener:
        port = listener.getsockname()[1]
        assert serve.url_of(Settings(port=0), listener) == f"http://127.0.0.1:{port}/"
        assert serve.url_of(Settings(host="::1"), listener) == f"http://[::1]:{port}/"
    assert (
        serve.page_url("http://h/", Settings(token="a&b c=d/e?012345"))
        == "http://h/?token=a%26b%20c%3Dd%2Fe%3F012345"
    )


def test_a_browser_is_opened_for_a_person_only(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    for name in ("SSH_CONNECTION", "CI", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setenv("DISPLAY", ":0")
    assert serve.has_browser()
    for name in ("SSH_CONNECTION", "CI"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            assert not serve.has_browser()
    monkeypatch.delenv("DISPLAY")
    assert not serve.has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys, "stdin", None)
    assert not serve.has_browser()
