"""A morph step by step: what comes when, that it is the same as the whole, and what happens when somebody leaves."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress

import numpy as np
import pytest
import uvicorn
from app_checks import API, assert_problem, samples_of
from engine_contract import BROKEN_AT, BROKEN_STEP, HalfPlane
from starlette.testclient import TestClient

from sonifold_app import serve
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.http.frames import MEDIA_TYPE
from sonifold_app.settings import Settings

MANY = 33  # steps


def frames_of(body: bytes) -> list[tuple[dict, bytes]]:
    """Each frame's line and what comes after it."""
    frames = []
    while body:
        line, _, rest = body.partition(b"\n")
        header = json.loads(line)
        payload, body = rest[: header["bytes"]], rest[header["bytes"] :]
        assert len(payload) == header["bytes"]
        frames.append((header, payload))
    return frames


def plane_request(height=1.0, steps=5, kinds=("geodesic",)):
    anchors = [{"point": [0.0, height]}, {"point": [0.0, 2.0]}]
    return {"anchors": anchors, "steps": steps, "kinds": list(kinds)}


@pytest.fixture
def plane():
    return HalfPlane()


@pytest.fixture
def app(tmp_path, plane):
    """The service over the toy model, whose morphs can be slow and can fail."""
    return create_app(Settings(data=tmp_path), LocalEngine(load=lambda: ({"plane": plane}, {})))


@pytest.fixture
def ask(client, name):
    return lambda **request: client.post(f"{API}/models/{name}/morph-streams", json=request)


def test_paths_come_first_then_steps_as_they_are_heard_then_the_whole_reply(client, ask, ids, name):
    request = {
        "anchors": [{"sound": ids[10]}, {"sound": ids[11]}],
        "kinds": ["linear", "geodesic"],
        "steps": 7,
    }
    reply = ask(**request)
    assert reply.headers["content-type"] == MEDIA_TYPE
    assert "content-encoding" not in reply.headers
    (paths, _), *steps, (end, _) = frames_of(reply.content)
    assert [path["kind"] for path in paths["paths"]] == ["linear", "geodesic"]
    assert all(len(path["map"]) > 2 and path["length"] > 0 for path in paths["paths"])
    assert [(header["kind"], header["step"]) for header, _ in steps] == [
        (kind, step) for kind in ("linear", "geodesic") for step in (0, 6, 1, 2, 3, 4, 5)
    ]
    assert end["reply"] == client.post(f"{API}/models/{name}/morphs", json=request).json()
    for morph in end["reply"]["morphs"]:
        whole = samples_of(client.get(morph["audio"]["url"]).content)[0].reshape(7, -1)
        for header, wav in steps:
            if header["kind"] == morph["kind"]:
                np.testing.assert_array_equal(samples_of(wav)[0], whole[header["step"]])


def test_it_is_the_same_whether_it_is_rendered_whole_in_steps_or_was_kept(client, ask, ids, name, counted):
    request = {"anchors": [{"sound": ids[12]}, {"sound": ids[13]}], "kinds": ["geodesic"], "steps": 7}
    _, *fresh = frames_of(ask(**request).content)
    with counted() as calls:
        (paths, _), *kept = frames_of(ask(**request).content)
    assert not calls
    assert kept.pop() == (last := fresh.pop())
    for (header, wav), (kept_header, kept_wav) in zip(fresh, kept, strict=True):
        assert (header["kind"], header["step"]) == (kept_header["kind"], kept_header["step"])
        np.testing.assert_array_equal(samples_of(wav)[0], samples_of(kept_wav)[0])
    assert paths["paths"][0]["speed"] == last[0]["reply"]["morphs"][0]["speed"]  # final from the start
    whole = client.post(f"{API}/models/{name}/morphs", json=request).json()["morphs"][0]["audio"]["sha256"]
    client.app.state.services.recordings._blobs._folder.drop(whole)
    again = client.post(f"{API}/models/{name}/morphs", json=request).json()
    assert again["morphs"][0]["audio"]["sha256"] == whole


@pytest.mark.parametrize("wrong", [{"kinds": []}, {"steps": 34}, {"mode": "steps"}, {"seconds": 2.0}])
def test_a_stream_out_of_bounds_is_refused(ask, ids, wrong):
    assert_problem(ask(anchors=[{"sound": ids[0]}, {"sound": ids[1]}], **wrong), 422, "request_invalid")


def test_what_is_wrong_before_the_first_byte_is_a_problem_as_anywhere(ask, client, ids):
    assert_problem(ask(anchors=[{"sound": ids[0]}, {"sound": "nobody"}]), 404, "sound_not_found")
    anchors = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}]}
    nowhere = client.post(f"{API}/models/nowhere/morph-streams", json=anchors)
    assert_problem(nowhere, 404, "model_not_found")


def test_what_goes_wrong_on_the_way_is_the_last_frame_with_the_same_code(app):
    with TestClient(app, base_url="http://localhost") as client:
        reply = client.post(f"{API}/models/plane/morph-streams", json=plane_request(BROKEN_AT))
        whole = client.post(f"{API}/models/plane/morphs", json=plane_request(BROKEN_AT))
    assert reply.status_code == 200
    (first, _), *steps, (last, _) = frames_of(reply.content)
    assert first["frame"] == "paths"
    assert [header["step"] for header, _ in steps] == list(range(BROKEN_STEP))
    assert last["frame"] == "problem"
    problem = assert_problem(whole, 422, "not_computable")
    assert last["problem"] | {"request_id": ""} == problem | {"request_id": ""}


@contextmanager
def serving(app):
    """The service on a socket; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=serve.protocol(8), log_level=logging.ERROR)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join(30)


@contextmanager
def posted(port, address, request):
    """The reply to a request, as it comes; afterwards the connection is closed."""
    connection = http.client.HTTPConnection("localhost", port, timeout=30)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"{API}/models/plane/{address}", json.dumps(request), headers)
    with closing(connection), connection.getresponse() as reply:
        yield reply


def test_nothing_more_is_computed_once_the_client_has_gone(app, plane):
    plane.pause = lambda: time.sleep(0.05)
    with serving(app) as port:
        request = plane_request(steps=MANY, kinds=["geodesic", "linear"])
        with posted(port, "morph-streams", request) as leaving:
            assert json.loads(leaving.readline())["frame"] == "paths"
            assert json.loads(leaving.readline())["frame"] == "step"
        plane.pause = lambda: None
        with posted(port, "paths", {"anchors": [{"sound": "a"}, {"sound": "b"}]}) as paths:
            assert paths.status == 200  # it had to wait for its turn
        assert len(plane.rendered) < MANY


def test_each_step_is_there_before_the_next_is_rendered(app, plane):
    """The second waits until the first has been read from the line."""
    read = threading.Event()
    plane.pause = lambda: read.wait(20)
    with serving(app) as port, posted(port, "morph-streams", plane_request()) as reply:
        assert json.loads(reply.readline())["frame"] == "paths"
        step = json.loads(reply.readline())
        assert (step["frame"], step["step"]) == ("step", 0)
        assert len(samples_of(reply.read(step["bytes"]))[0]) == plane.sound_samples
        assert plane.rendered == [0]
        read.set()
        assert frames_of(reply.read())[-1][0]["frame"] == "end"


def test_a_stream_that_is_cut_off_has_no_last_frame(app, plane, monkeypatch):
    monkeypatch.setattr("sonifold_app.http.frames.LONGEST_SECONDS", 0.3)
    plane.pause = lambda: time.sleep(0.2)
    received = b""
    cut = suppress(http.client.HTTPException, ValueError)  # which of them depends on where
    with serving(app) as port, posted(port, "morph-streams", plane_request(steps=MANY)) as reply, cut:
        while chunk := reply.read1(1 << 16):
            received += chunk
    last, _ = frames_of(received)[-1]
    assert last["frame"] == "step"
    assert last["step"] < MANY - 1
