"""Adapting at once: a model that is there when the answer is, plays like any other, and is undone without a trace."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest
import torch
from app_checks import API, assert_problem, file_of, samples_of
from starlette.concurrency import run_in_threadpool
from starlette.testclient import TestClient

from sonifold import adapt
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.engine.operations import PROJECT
from sonifold_app.settings import Settings


def as_file(model, id):
    return file_of(model.library.audio(id, model.sound_samples).numpy(), model.sample_rate)


@pytest.fixture(scope="module")
def kit(model):
    """Eight strokes of a kit that the base never saw, as files."""
    ids = [label.id for label in model.library.labels if label.group == "Sonic Pi tabla"][:8]
    return [as_file(model, id) for id in ids]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("adaptations")


@pytest.fixture(scope="module")
def app(data, engine_of):
    with TestClient(
        create_app(Settings(data=data), engine_of()),
        base_url="http://localhost",
        raise_server_exceptions=False,
    ) as client:
        yield client


@pytest.fixture(scope="module")
def mine(app, name, kit):
    files = [("files", (f"stroke {i}.wav", one)) for i, one in enumerate(kit)]
    return [one["id"] for one in app.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]


@pytest.fixture
def adapted(app, name, mine):
    """An adaptation, undone afterwards."""
    made = app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{API}/models/{made.json()['result']}"
    yield made.json()
    app.delete(f"{API}/models/{made.json()['result']}")


@pytest.fixture(scope="module")
def by_hand(app, model, name, mine):
    """The same adaptation, made by the library from the same recordings."""
    sounds = []
    for id in sorted(mine):
        own = app.get(f"{API}/models/{name}/sounds/{id}").json()
        audio, _ = samples_of(app.get(own["audio_url"]).content)
        z = torch.tensor(own["z"])
        sounds.append(model.recorded(torch.from_numpy(audio), z, own["name"], own["seconds"]))
    return adapt.instant(model, sounds)


def models(app):
    return {one["id"]: one for one in app.get(f"{API}/models").json()["models"]}


def heard(app, model, **asked):
    reply = app.post(f"{API}/models/{model}/decodings", json=asked, headers={"Accept": "audio/wav"})
    assert reply.status_code == 200, reply.text
    return samples_of(reply.content)[0]


def test_what_is_told_is_what_the_library_says(adapted, by_hand, name, mine):
    assert adapted["model"] == name
    assert adapted["sounds"] == sorted(mine)
    told = by_hand.forecast
    assert adapted["forecast"]["coherence"] == pytest.approx(told.coherence, rel=1e-4)
    assert adapted["forecast"]["gain"] == pytest.approx(told.gain, rel=1e-4)
    assert adapted["forecast"]["text"] == str(told)
    assert adapted["carries"] == (by_hand.adaptation.field is not None)
    assert [one["id"] for one in adapted["sliders"]] == [one.name for one in by_hand.sliders]
    assert adapted["seconds"] > 0


def test_the_result_is_a_model_and_sounds_as_the_library_adapts(app, adapted, by_hand, model, name):
    result = adapted["result"]
    listed = models(app)
    assert (listed[result]["kind"], listed[result]["base"]) == ("adapted", name)
    assert (listed[name]["kind"], listed[name]["base"]) == ("library", None)
    assert listed[result]["version"] != listed[name]["version"]
    point = by_hand.uploads[2].z
    audio = heard(app, result, points=[point.tolist()])
    np.testing.assert_allclose(audio, by_hand.decode(point[None]).audio[0].numpy(), atol=2e-4)
    assert np.abs(audio - heard(app, name, points=[point.tolist()])).max() > 0.01, (
        "it sounds as its base does"
    )


def test_own_sounds_lie_where_the_adapted_decoder_comes_closest(app, adapted, by_hand, mine, name, ids):
    table = app.get(f"{API}/models/{adapted['result']}/sounds").json()
    assert table["id"] == [*ids, *mine]
    for given, id in zip(by_hand.uploads, sorted(mine), strict=True):
        found = app.get(f"{API}/models/{adapted['result']}/sounds/{id}").json()
        np.testing.assert_allclose(found["z"], given.z.numpy(), atol=1e-3)
        ((x, y),) = by_hand.project(given.z[None]).tolist()
        assert [found["x"], found["y"]] == pytest.approx([x, y], abs=1e-2)
        assert app.get(f"{API}/models/{name}/sounds/{id}").json()["z"] != found["z"]


def test_every_route_under_it_works(app, adapted, mine, ids):
    url = f"{API}/models/{adapted['result']}"
    pair = {"anchors": [{"sound": mine[0]}, {"sound": ids[5]}]}
    three = {"anchors": [{"sound": mine[0]}, {"sound": mine[1]}, {"sound": ids[5]}]}
    for path, asked in (
        ("paths", {**pair, "kind": "linear", "steps": 3}),
        ("morphs", {**pair, "kinds": ["geodesic"], "steps": 3}),
        ("means", three),
        ("traversals", {"start": {"sound": mine[0]}, "descriptor": "brightness", "steps": 3}),
        ("descriptions", {"anchors": [{"sound": mine[0]}]}),
        ("samples", {"sampler": "walk", "count": 2, "start": {"sound": mine[0]}}),
        ("checks", {}),
        ("atlas/positions", {"points": [[0.0] * 32]}),
    ):
        reply = app.post(f"{url}/{path}", json=asked)
        assert reply.status_code == 200, (path, reply.text)
    for path in ("", "/card", "/atlas", "/indicatrices?count=5", f"/sounds/{ids[3]}/distances"):
        assert app.get(url + path).status_code == 200, path
    for path in ("audio", "decoded", "neighbours"):
        assert app.get(f"{url}/sounds/{mine[0]}/{path}").status_code == 200, path


def test_a_sound_kept_with_it_is_kept_with_its_base(app, adapted, name, model):
    url = f"{API}/models/{adapted['result']}/sounds"
    kept = app.post(url, json={"point": model.library.z[3].tolist(), "name": "from the adapted map"})
    assert kept.status_code == 201, kept.text
    id = kept.json()["id"]
    assert app.get(f"{API}/models/{name}/sounds/{id}").json()["name"] == "from the adapted map"
    audio, _ = samples_of(app.get(f"{API}/models/{name}/sounds/{id}/audio").content)
    made = heard(app, adapted["result"], points=[model.library.z[3].tolist()])
    alike = np.fft.irfft(np.fft.rfft(audio) * np.fft.rfft(made).conj()).max()  # it was aligned to its onset
    assert alike / np.linalg.norm(audio) / np.linalg.norm(made) > 0.98
    assert app.delete(f"{url}/{id}").status_code == 204
    assert_problem(app.get(f"{API}/models/{name}/sounds/{id}"), 404, "sound_not_found")


def test_sliders_add_what_the_library_adds(app, adapted, by_hand, model):
    z = model.library.z[7]
    slider = adapted["sliders"][0]["id"]
    audio = heard(app, adapted["result"], points=[z.tolist()], amounts={slider: 1.5})
    point = by_hand.point(z)
    expected = adapt.play(by_hand, adapt.turned(by_hand, point, by_hand.sliders, {slider: 1.5})).audio
    np.testing.assert_allclose(
        audio, expected.numpy(), atol=2e-3
    )  # rounds of phase refinement magnify rounding
    nothing = heard(app, adapted["result"], points=[z.tolist()], amounts={slider: 0.0})
    np.testing.assert_array_equal(nothing, heard(app, adapted["result"], points=[z.tolist()]))
    assert np.abs(audio - nothing).max() > 0.01
    several = {"positions": [[0.0, 0.0], [0.1, 0.1]], "amounts": {slider: -1.0}}
    reply = app.post(f"{API}/models/{adapted['result']}/decodings", json=several)
    assert len(reply.json()["sounds"]) == 2


def test_sliders_that_are_not_there_or_turned_too_far_are_refused(app, adapted, name):
    for model, amounts in (
        (name, {"common": 0.5}),
        (adapted["result"], {"own-99": 0.5}),
        (adapted["result"], {"common": 99.0}),
    ):
        asked = {"positions": [[0.0, 0.0]], "amounts": amounts}
        assert_problem(app.post(f"{API}/models/{model}/decodings", json=asked), 422, "slider_invalid")
    for amounts in ({"common": "much"}, {"common": None}, [1], {str(i): 0.0 for i in range(17)}):
        asked = {"positions": [[0.0, 0.0]], "amounts": amounts}
        reply = app.post(f"{API}/models/{adapted['result']}/decodings", json=asked)
        assert_problem(reply, 422, "request_invalid")


def test_the_same_sounds_and_seed_are_the_same_adaptation_in_any_order(app, adapted, name, mine):
    again = app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine[::-1]})
    assert again.json() == adapted
    on_itself = app.post(f"{API}/models/{adapted['result']}/adaptations", json={"sounds": mine})
    assert on_itself.json() == adapted
    other = app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine, "seed": 1}).json()
    listed = app.get(f"{API}/models/{name}/adaptations").json()["adaptations"]
    assert listed == [adapted, other]
    assert app.delete(f"{API}/models/{other['result']}").status_code == 204


def test_undoing_leaves_the_base_as_it_was(app, name, mine, model):
    point = model.library.z[5].tolist()
    before, listed = heard(app, name, points=[point]), models(app)
    result = app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine[:3]}).json()["result"]
    assert app.delete(f"{API}/models/{result}").status_code == 204
    assert_problem(app.get(f"{API}/models/{result}"), 404, "model_not_found")
    assert_problem(app.get(f"{API}/models/{result}/sounds"), 404, "model_not_found")
    assert models(app) == listed
    np.testing.assert_array_equal(heard(app, name, points=[point]), before)


def test_a_model_adapted_to_a_sound_goes_on_when_that_is_deleted_even_after_a_restart(
    tmp_path, engine_of, name, kit, model
):
    def serve():
        return TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost")

    point = model.library.z[11].tolist()
    with serve() as app:
        files = [("files", (f"{i}.wav", one)) for i, one in enumerate(kit[:4])]
        own = [one["id"] for one in app.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]
        made = app.post(f"{API}/models/{name}/adaptations", json={"sounds": own}).json()
        asked = {"points": [point], "amounts": {"common": 1.0}}
        before = heard(app, made["result"], **asked)
        assert app.delete(f"{API}/models/{name}/sounds/{own[0]}").status_code == 204
        np.testing.assert_array_equal(heard(app, made["result"], **asked), before)
    with serve() as app:
        assert app.get(f"{API}/models/{name}/adaptations").json()["adaptations"] == [made]
        recordings = list((tmp_path / "library" / "sounds").glob("*/*"))
        assert made["bytes"] == sum(file.stat().st_size for file in recordings) > 10_000
        assert (models(app)[made["result"]]["bytes"], models(app)[name]["bytes"]) == (made["bytes"], None)
        assert models(app)[made["result"]]["kind"] == "adapted"
        np.testing.assert_allclose(heard(app, made["result"], **asked), before, atol=1e-3)
        shown = app.get(f"{API}/models/{made['result']}/sounds").json()["id"]
        assert own[0] not in shown
        assert own[1] in shown
        finetune = {"title": "Kit"}
        refused = app.post(f"{API}/models/{made['result']}/finetunes", json=finetune)
        assert own[0] in assert_problem(refused, 404, "sound_not_found")["detail"]
        assert app.delete(f"{API}/models/{made['result']}").status_code == 204
        recordings = list((tmp_path / "library" / "sounds").glob("*/*"))
        assert len(recordings) == 3, "the deleted sound's audio went with the adaptation"


def test_an_adaptation_whose_audio_the_disk_lost_says_so_and_can_be_undone(tmp_path, engine_of, name, kit):
    settings = Settings(data=tmp_path)
    with TestClient(create_app(settings, engine_of()), base_url="http://localhost") as app:
        files = [("files", ("a.wav", kit[0])), ("files", ("b.wav", kit[1]))]
        own = [one["id"] for one in app.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]
        result = app.post(f"{API}/models/{name}/adaptations", json={"sounds": own}).json()["result"]
    for file in (tmp_path / "library" / "sounds").glob("*/*"):
        file.write_bytes(b"damaged")
    with TestClient(create_app(settings, engine_of()), base_url="http://localhost") as app:
        asked = {"positions": [[0.0, 0.0]]}
        problem = assert_problem(
            app.post(f"{API}/models/{result}/decodings", json=asked), 503, "model_unusable"
        )
        assert "missing in the data folder" in problem["detail"]
        assert app.post(f"{API}/models/{name}/decodings", json=asked).status_code == 200
        assert app.delete(f"{API}/models/{result}").status_code == 204


def test_adapting_does_not_keep_a_morph_waiting(app, name, mine, ids, monkeypatch):
    """A morph is answered while an adaptation is held in the middle."""
    import sonifold_app.engine.operations.adapting as adapting

    real, begun, go = adapting.adapted, threading.Event(), threading.Event()

    def held(*given):
        begun.set()
        assert go.wait(60)
        return real(*given)

    monkeypatch.setattr(adapting, "adapted", held)
    replies = []
    asking = threading.Thread(
        target=lambda: replies.append(
            app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine[:2], "seed": 5})
        )
    )
    asking.start()
    try:
        assert begun.wait(30)
        asked = {"anchors": [{"sound": ids[1]}, {"sound": ids[4]}], "kinds": ["linear"], "steps": 2}
        assert app.post(f"{API}/models/{name}/morphs", json=asked).status_code == 200
        assert not replies
    finally:
        go.set()
        asking.join()
    assert replies[0].status_code == 201
    app.delete(f"{API}/models/{replies[0].json()['result']}")


def test_adapted_models_that_nobody_uses_make_room_and_come_back(app, name, mine, monkeypatch):
    import sonifold_app.user.adaptations as adaptations

    def make(seed):
        asked = {"sounds": mine[:2], "seed": seed}
        return app.post(f"{API}/models/{name}/adaptations", json=asked).json()["result"]

    engine: LocalEngine = app.app.state.services.engine
    made = [make(10)]
    one = app.app.state.services.adaptations._loaded[made[0]]
    monkeypatch.setattr(adaptations, "LOADED_BYTES", 2.5 * one)
    made += [make(seed) for seed in (11, 12, 13)]
    assert [one in engine._models.by_name for one in made] == [False, False, True, True]
    assert heard(app, made[0], positions=[[0.0, 0.0]]).size
    assert made[0] in engine._models.by_name
    for one in made:
        assert app.delete(f"{API}/models/{one}").status_code == 204
    assert not [one for one in made if one in engine._models.by_name]


def test_an_adapted_model_is_gone_from_memory_when_it_is_undone(app, name, mine):
    engine: LocalEngine = app.app.state.services.engine
    references = []
    for seed in (20, 21):
        asked = {"sounds": mine[:3], "seed": seed}
        result = app.post(f"{API}/models/{name}/adaptations", json=asked).json()["result"]
        morph = {"anchors": [{"sound": mine[0]}, {"sound": mine[1]}], "kinds": ["linear"], "steps": 2}
        assert app.post(f"{API}/models/{result}/morphs", json=morph).status_code == 200
        references.append(weakref.ref(engine._models.by_name[result]))
        assert app.delete(f"{API}/models/{result}").status_code == 204
    assert [one() for one in references] == [None, None]


def test_an_adapted_model_in_use_is_not_taken_away(app, name, mine, monkeypatch):
    """Others are made and fill the room while a question to the first is under way."""
    import sonifold_app.user.adaptations as adaptations

    services = app.app.state.services
    made = app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine[:2], "seed": 30}).json()[
        "result"
    ]
    monkeypatch.setattr(adaptations, "LOADED_BYTES", 1)
    run, begun, go = services.engine.run, threading.Event(), threading.Event()

    async def held(operation, *rest, **options):
        if operation is PROJECT:
            begun.set()
            await run_in_threadpool(go.wait, 60)
        return await run(operation, *rest, **options)

    monkeypatch.setattr(services.engine, "run", held)
    replies = []
    asking = threading.Thread(
        target=lambda: replies.append(
            app.post(f"{API}/models/{made}/atlas/positions", json={"points": [[0.0] * 32]})
        )
    )
    asking.start()
    assert begun.wait(60)
    others = [
        app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine[:2], "seed": seed}).json()["result"]
        for seed in (31, 32)
    ]
    go.set()
    asking.join()
    assert replies[0].status_code == 200, replies[0].text
    for one in (made, *others):
        app.delete(f"{API}/models/{one}")


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"sounds": []}, 422, "request_invalid"),
        ({}, 422, "request_invalid"),
        ({"sounds": ["u0"]}, 404, "sound_not_found"),
        ({"sounds": ["LIBRARY"]}, 422, "uploads_invalid"),
        ({"sounds": ["u0", "u0"]}, 422, "request_invalid"),
        ({"sounds": ["u0"] * 101}, 422, "request_invalid"),
        ({"sounds": ["u0"], "seed": -1}, 422, "request_invalid"),
        ({"sounds": ["u0"], "seed": 1.5}, 422, "request_invalid"),
        ({"sounds": ["\0"]}, 404, "sound_not_found"),
    ],
)
def test_bad_requests_adapt_nothing(app, name, ids, asked, status, code):
    if "sounds" in asked:
        asked = {**asked, "sounds": [ids[0] if one == "LIBRARY" else one for one in asked["sounds"]]}
    assert_problem(app.post(f"{API}/models/{name}/adaptations", json=asked), status, code)
    assert app.get(f"{API}/models/{name}/adaptations").json() == {"adaptations": []}


def test_there_can_be_too_many(app, name, mine, monkeypatch, adapted):
    import sonifold_app.user.adaptations as adaptations

    monkeypatch.setattr(adaptations, "MOST", 1)
    refused = app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine[:1]})
    assert_problem(refused, 409, "adaptations_full")
    assert app.post(f"{API}/models/{name}/adaptations", json={"sounds": mine}).json() == adapted
