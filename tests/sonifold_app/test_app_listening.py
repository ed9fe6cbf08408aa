"""Blind listening tests: fair to the last byte until they are over, and honest afterwards."""

from __future__ import annotations

import csv
import io
import time
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from app_checks import API
from starlette.testclient import TestClient

from sonifold import listening
from sonifold_app.app import create_app
from sonifold_app.settings import Settings
from sonifold_app.store.listening import AnswerConflictError, ListeningStore
from sonifold_app.store.named import NamedFolder
from sonifold_app.store.sqlite import SqliteDatabase
from sonifold_app.store.trash import Trash

TESTS = f"{API}/listening-tests"
HEARD = {"1": 1, "2": 1, "x": 1}


def request_of(ids, **changes):
    return {
        "conditions": [{"kind": "linear"}, {"kind": "crossfade"}],
        "pairs": [{"start": ids[0], "end": ids[40]}, {"start": ids[80], "end": ids[7]}],
        "trials": 8,
        "steps": 3,
        "step_seconds": 0.2,
    } | changes


def make(client, request):
    """A test that is ready."""
    reply = client.post(TESTS, json=request)
    assert reply.status_code == 202, reply.text
    address = reply.headers["location"]
    for _ in range(600):
        test = client.get(address).json()
        if test["state"] != "preparing":
            break
        time.sleep(0.1)
    assert test["state"] == "ready", test
    return test


@pytest.fixture(scope="module")
def test(client, ids):
    return make(client, request_of(ids))


@pytest.fixture(scope="module")
def preference(client, ids):
    return make(client, request_of(ids, method="preference", trials=4))


def begin(client, test, **body):
    reply = client.post(f"{TESTS}/{test['id']}/listeners", json=body)
    assert reply.status_code == 201, reply.text
    return f"{TESTS}/{test['id']}/listeners/{reply.json()['id']}"


def answer(client, listener, number, answer="1", listens=HEARD):
    return client.put(f"{listener}/trials/{number}/answer", json={"answer": answer, "listens": listens})


def channels(client, listener, number):
    """What a trial plays, (frame, channel), and the reply."""
    reply = client.get(f"{listener}/trials/{number}/audio")
    assert reply.status_code == 200, reply.text
    with wave.open(io.BytesIO(reply.content)) as file:
        frames = file.readframes(file.getnframes())
        return np.frombuffer(frames, "<i2").reshape(-1, file.getnchannels()), reply


def heard_as(sounds):
    """What X is, by comparing the samples themselves."""
    one, two, x = sounds.astype(float).T
    return "1" if np.abs(x - one).sum() < np.abs(x - two).sum() else "2"


def test_it_says_before_the_start_what_it_can_show(test):
    assert test["critical"] == 7
    assert [round(each["power"], 3) for each in test["power"]] == [0.106, 0.255, 0.503]


def test_who_hears_the_difference_is_right_in_every_trial(client, test):
    listener = begin(client, test, name="Ada", browser="Test 1", sample_rate=48000, latency_ms=10.0)
    for number in range(1, 9):
        sounds, _ = channels(client, listener, number)
        assert sounds.shape == (26460, 3)
        reply = answer(client, listener, number, heard_as(sounds))
        assert reply.json().get("answered") == number, reply.text
    results = client.get(f"{listener}/results").json()
    (mine,) = results["listeners"]
    assert (mine["result"]["hits"], mine["result"]["trials"]) == (8, 8)
    assert mine["result"]["p"] == listening.binomial_p(8, 8)
    assert mine["client"] == {"browser": "Test 1", "sample_rate": 48000, "latency_ms": 10.0}
    assert [vars(trial)["x"] for trial in listening.draw_trials(8, 2, mine["seed"])] == [
        "ab".index(row["x"]) for row in mine["trials"]
    ]
    repeat = results["repeat"]
    assert repeat["request"]["conditions"][1]["kind"] == "crossfade"
    assert len(repeat["pairs"]) == 2
    assert all(len(pair["gains_db"]) == 2 for pair in repeat["pairs"])
    assert all(model["version"] for model in repeat["models"])
    assert "8 of 8 right" in results["sentence"]


def seen(client, listener, number):
    """Everything but the samples that page and network see of a trial."""
    reply = client.get(f"{listener}/trials/{number}/audio")
    progress = client.get(listener)
    return (
        *sorted(
            (name, value)
            for name, value in reply.headers.items()
            if name not in ("date", "x-request-id")  # drawn for each request, whatever it asks for
        ),
        len(reply.content),
        reply.content[:44],
        progress.text.split('"answered"')[0],
    )


def test_replies_before_the_end_are_the_same_whatever_the_key_is(client, test):
    listeners = [begin(client, test, name="Bob") for _ in range(12)]
    views = set()
    for listener in listeners:
        headers, progress = seen(client, listener, 1)[:-1], client.get(listener).json()
        views.add(headers)
        assert set(progress) == {"id", "test", "name", "answered", "trials", "finished"}
    assert len(views) == 1
    assert "etag" not in dict(pair for pair in next(iter(views)) if isinstance(pair, tuple))


def test_answers_right_and_wrong_are_acknowledged_alike(client, test):
    texts = set()
    for guess in ("1", "2") * 4:
        listener = begin(client, test, name="Cy")
        reply = answer(client, listener, 1, guess)
        texts.add((reply.status_code, reply.text.replace(listener.rpartition("/")[2], "")))
    assert len(texts) == 1


def test_no_two_channels_are_alike_to_the_byte(client, test):
    one, two, x = channels(client, begin(client, test), 1)[0].T
    assert not np.array_equal(x, one)
    assert not np.array_equal(x, two)
    assert np.abs(x.astype(int) - (one if np.abs(x - one).sum() < np.abs(x - two).sum() else two)).max() <= 2


def features(client, listener, number):
    """Numbers from what is seen of a trial but for its samples: lengths, headers, time of the reply, checksums."""
    began = time.perf_counter()
    reply = client.get(f"{listener}/trials/{number}/audio")
    seconds = time.perf_counter() - began
    digest = hash(reply.content) & 0xFFFF
    return [
        len(reply.content),
        len(str(reply.headers)),
        digest,
        seconds,
        reply.content[-1],
        int(listener[-8:], 16),
    ]


@pytest.mark.long
def test_a_script_that_sees_all_but_the_samples_scores_within_chance(client, ids):
    """From one half of the trials it learns which feature foretells the key best, and plays the other half by it.

    A feature that foretold the key in three trials of five would be found out with a probability above .95.
    """
    listeners, trials = 6, 100
    test = make(
        client, request_of(ids, trials=trials, pairs=request_of(ids)["pairs"][:1], steps=2, step_seconds=0.1)
    )
    seen_features, keys = [], []
    for _ in range(listeners):
        listener = begin(client, test)
        for number in range(1, trials + 1):
            seen_features.append(features(client, listener, number))
            answer(client, listener, number)
        rows = client.get(f"{listener}/results").json()["listeners"][0]["trials"]
        keys += [(row["x"] == row["played_1"]) for row in rows]
    values, keys = np.array(seen_features, float), np.array(keys)
    assert len(keys) == listeners * trials
    hits, first, second = 0, slice(0, len(keys) // 2), slice(len(keys) // 2, None)
    for learned, played in ((first, second), (second, first)):
        side = values > np.median(values[learned], axis=0)
        agreement = (side[learned] == keys[learned, None]).mean(0)
        best = int(np.abs(agreement - 0.5).argmax())
        guess = side[played, best] if agreement[best] > 0.5 else ~side[played, best]
        hits += int((guess == keys[played]).sum())
    assert listening.binomial_p(hits, len(keys)) > 0.001, hits
    assert listening.binomial_p(len(keys) - hits, len(keys)) > 0.001, hits
    client.delete(f"{TESTS}/{test['id']}")


def test_results_are_sealed_until_the_last_answer(client, test):
    listener = begin(client, test)
    for number in range(1, 8):
        answer(client, listener, number)
        reply = client.get(f"{listener}/results")
        assert (reply.status_code, reply.json()["code"]) == (409, "listening_test_unfinished")
    names = [each["name"] for each in client.get(f"{TESTS}/{test['id']}/results").json()["listeners"]]
    answer(client, listener, 8)
    assert client.get(f"{listener}/results").status_code == 200
    after = [each["name"] for each in client.get(f"{TESTS}/{test['id']}/results").json()["listeners"]]
    assert len(after) == len(names) + 1


def test_answers_are_final_in_order_and_after_listening(client, test):
    listener = begin(client, test)
    assert answer(client, listener, 2).json()["code"] == "trial_not_next"
    assert answer(client, listener, 1, "1", {"1": 1, "2": 0, "x": 1}).json()["code"] == "listens_too_few"
    assert answer(client, listener, 1, "none").json()["code"] == "answer_invalid"
    assert answer(client, listener, 1).json()["answered"] == 1
    assert answer(client, listener, 1).json()["answered"] == 1
    assert answer(client, listener, 1, "2").json()["code"] == "trial_not_next"
    assert client.get(f"{listener}/trials/3/audio").json()["code"] == "trial_not_next"
    assert answer(client, listener, 9).json()["code"] == "trial_not_next"


def test_of_several_answers_to_a_trial_at_the_same_time_the_first_counts(tmp_path):
    database = SqliteDatabase(tmp_path / "library.sqlite")
    store = ListeningStore(database, NamedFolder(tmp_path / "listening", Trash(tmp_path)))
    test = store.create("", {"trials": 1}, [{}, {}], [("a", "b")])
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            listener = store.add_listener(test.id, "", {})
            answers = [pool.submit(store.add_answer, listener, 1, word, {}, 1) for word in ("1", "2") * 4]
            outcomes = [each.exception() or each.result() for each in answers]
            assert {type(each) for each in outcomes} == {int, AnswerConflictError}
            assert outcomes.count(1) == 4
    database.close()


def test_preferences_ties_and_two_listeners(client, preference):
    for given in (["1", "2", "none", "1"], ["none"] * 4):
        listener = begin(client, preference)
        for number, each in enumerate(given, 1):
            assert channels(client, listener, number)[0].shape[1] == 2
            assert answer(client, listener, number, each, {"1": 1, "2": 1}).status_code == 200
    results = client.get(f"{TESTS}/{preference['id']}/results").json()
    first, second = results["listeners"]
    assert first["name"] == "Listener 1"
    assert (first["result"]["ties"], second["result"]["ties"]) == (1, 4)
    assert first["result"]["a"] + first["result"]["b"] == 3
    assert second["result"]["share"]["share"] is None
    assert results["pooled"]["listeners"] == 2
    table = client.get(f"{TESTS}/{preference['id']}/results?format=csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len(rows) == 8
    assert rows[2]["preferred"] == "none"


def test_a_result_by_chance_says_that_nothing_was_found(client, test, preference):
    guesser, undecided = begin(client, test), begin(client, preference)
    for number in range(1, 9):
        wrong = {"1": "2", "2": "1"}[heard_as(channels(client, guesser, number)[0])]
        answer(client, guesser, number, wrong)
    for number in range(1, 5):
        answer(client, undecided, number, "none", {"1": 1, "2": 1})
    assert "No difference was found" in client.get(f"{guesser}/results").json()["sentence"]
    assert client.get(f"{undecided}/results").json()["sentence"].endswith("No preference was found.")


def test_drawn_pairs_are_the_same_for_the_same_seed(client, ids):
    request = request_of(ids, draw={"count": 2, "seed": 5}, trials=2, steps=2, step_seconds=0.1)
    del request["pairs"]
    results = [client.get(f"{TESTS}/{make(client, request)['id']}/results").json() for _ in range(2)]
    first, second = ([(p["start"], p["end"]) for p in each["repeat"]["pairs"]] for each in results)
    assert first == second
    assert len(first) == 2


def test_a_glide_under_two_metrics_is_compared(client, ids):
    conditions = [{"metric": "blend"}, {"metric": "flat"}]
    request = request_of(ids, conditions=conditions, mode="glide", seconds=0.5, steps=3, trials=1)
    request["pairs"] = request["pairs"][:1]
    test = make(client, request)
    sounds, _ = channels(client, begin(client, test), 1)
    assert abs(len(sounds) - 22050) < 1000
    assert client.get(f"{TESTS}/{test['id']}/results").json()["conditions"] == [
        "geodesic, metric blend",
        "geodesic, metric flat",
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"pairs": [{"start": "nobody", "end": "nothing"}]}, 404, "sound_not_found"),
        ({"conditions": [{"model": "none"}, {}]}, 404, "model_not_found"),
        ({"conditions": [{}, {}]}, 422, "request_invalid"),
        ({"trials": 0}, 422, "request_invalid"),
        ({"trials": 1}, 422, "request_invalid"),
        ({"steps": 33, "step_seconds": 1.5}, 422, "request_invalid"),
        ({"draw": {"count": 1}}, 422, "request_invalid"),
        ({"key": 1}, 422, "request_invalid"),
    ],
)
def test_what_cannot_be_tested_is_refused(client, ids, changes, status, code):
    reply = client.post(TESTS, json=request_of(ids, **changes))
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_a_name_for_a_spreadsheet_is_no_formula(client, preference):
    listener = begin(client, preference, name="=1+1")
    for number in range(1, 5):
        answer(client, listener, number, "1", {"1": 1, "2": 1})
    assert "'=1+1" in client.get(f"{TESTS}/{preference['id']}/results?format=csv").text


def test_a_test_goes_on_after_a_restart_and_can_be_deleted(tmp_path, engine_of, ids):
    def started():
        return TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://127.0.0.1:8750")

    with started() as client:
        test = make(client, request_of(ids, trials=2))
        listener = begin(client, test)
        before, _ = channels(client, listener, 1)
        answer(client, listener, 1)
    with started() as client:
        assert client.get(listener).json()["answered"] == 1
        again, _ = channels(client, listener, 1)
        assert np.abs(again.astype(int) - before).max() <= 2
        assert answer(client, listener, 2).json()["finished"]
        assert len(list((tmp_path / "listening").glob("*/*"))) == 2
        assert client.delete(f"{TESTS}/{test['id']}").status_code == 204
        assert list((tmp_path / "listening").glob("*/*")) == []
        assert client.get(listener).json()["code"] == "listening_test_not_found"


def test_a_test_whose_rendering_was_cut_off_is_rendered_after_a_restart(tmp_path, engine_of, ids):
    def started():
        return TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://127.0.0.1:8750")

    with started() as client:
        address = client.post(TESTS, json=request_of(ids)).headers["location"]
    with started() as client:
        for _ in range(600):
            if (state := client.get(address).json())["state"] == "ready":
                break
            time.sleep(0.1)
        assert state["rendered"] == 2
