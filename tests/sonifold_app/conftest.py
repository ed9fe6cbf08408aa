"""One real model and one running app for all the tests of the service."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

import sonifold
from sonifold.model import Model
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.settings import Settings

BROKEN = "broken: weights.safetensors is missing. The pack was copied in part; copy it again."


@pytest.fixture(scope="session")
def name() -> str:
    return "oneshots"


@pytest.fixture(scope="session")
def small_model(small_models, name) -> Model:
    return sonifold.load(name, small_models)


@pytest.fixture(scope="session")
def ids(model) -> list[str]:
    return model.library.ids


@pytest.fixture(scope="session")
def engine_of(model, name) -> Callable[[], LocalEngine]:
    """An engine that has the model already, and a pack that it could not load."""
    return lambda: LocalEngine(load=lambda: ({name: model}, {"broken": BROKEN}))


@pytest.fixture(scope="session")
def small_engine_of(small_model, name) -> Callable[[], LocalEngine]:
    """The same with the short library."""
    return lambda: LocalEngine(load=lambda: ({name: small_model}, {"broken": BROKEN}))


@pytest.fixture(scope="session")
def client(tmp_path_factory, engine_of) -> Iterator[TestClient]:
    app = create_app(Settings(data=tmp_path_factory.mktemp("data")), engine_of())
    with TestClient(app, base_url="http://127.0.0.1:8750", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def counted(model, monkeypatch) -> Callable[[], AbstractContextManager[dict[str, list[int]]]]:
    """How often the model is asked, and for how many: ``with counted() as calls: ... calls["paths"]``."""

    @contextmanager
    def counting() -> Iterator[dict[str, list[int]]]:
        calls: dict[str, list[int]] = defaultdict(list)

        def counts(owner: Any, method: str, name: str) -> Callable[..., Any]:
            original = getattr(owner, method)

            def call(items: Any, *args: Any, **kwargs: Any) -> Any:
                calls[name].append(len(items) if isinstance(items, Sized) else 1)
                return original(items, *args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for owner, method, name in (
                (model, "paths", "paths"),
                (model, "morph_parts", "morphs"),
                (model, "decode", "decode"),
            ):
                patch.setattr(owner, method, counts(owner, method, name))
            yield calls

    return counting


@pytest.fixture
def hold_engine(client) -> Callable[[int], AbstractContextManager[None]]:
    """Keep the inference thread busy until so many jobs wait: ``with hold_engine(3): ...``."""

    @contextmanager
    def holding(waiting: int) -> Iterator[None]:
        batcher = client.app.state.services.engine._batcher
        run, started, go = batcher._run, threading.Event(), threading.Event()
        # another each time: the next is not expected to last as long as this one
        hold = ("trace", uuid.uuid4().hex)

        def run_or_hold(key: Any, items: Any) -> Any:
            if key not in (hold, ("trace", "held")):
                return run(key, items)
            started.set()
            go.wait(30)
            return items

        batcher._run = run_or_hold
        held = batcher.submit(hold, None)
        started.wait(30)
        try:
            yield
            deadline = time.monotonic() + 30
            while batcher._inbox.qsize() < waiting:
                assert time.monotonic() < deadline, f"{waiting} jobs never waited"
                time.sleep(0.001)
        finally:
            go.set()
            held.result(30)
            batcher._run = run

    return holding
