"""The packs: those that are well, and those that are not."""

from __future__ import annotations

from app_checks import API, assert_problem

from sonifold.choices import MetricName, PathKind, SamplerName


def test_models_say_what_they_can_do_and_what_they_take(client, model, name):
    found = {listed["id"]: listed for listed in client.get(f"{API}/models").json()["models"]}[name]
    assert found == client.get(f"{API}/models/{name}").json()
    assert found["sounds"] == len(model.library.ids)
    assert found["latent_dim"] == model.latent_dim
    assert found["unit"] == model.unit
    assert found["path_kinds"] == ["geodesic", "graph", "linear", "retimed"]
    assert found["metrics"] == ["blend", "pullback", "kernel", "flat"]
    assert found["weights"] == {"min": 0, "max": 10, "default": model.config.metric.weight}
    assert found["steps"]["default"] == 17
    assert found["limits"] == {
        "shortest_seconds": 0.01,
        "choice_sounds": 512,
        "upload_bytes": 64 * 1024 * 1024,
        "upload_seconds": 10,
        "split_seconds": 240,
        "upload_files": 20,
    }


def test_choices_come_with_their_words_from_the_one_table_of_the_science(client, model, name):
    reply = client.get(f"{API}/models").json()
    for kind, table in (("path_kinds", PathKind), ("metrics", MetricName), ("samplers", SamplerName)):
        assert [choice["id"] for choice in reply["choices"][kind]] == [str(choice) for choice in table]
        assert all(all(choice.values()) for choice in reply["choices"][kind])
    listed = next(listed for listed in reply["models"] if listed["id"] == name)
    assert listed["metrics"] == list(map(str, model.metric_names))
    assert [sampler["id"] for sampler in listed["samplers"]] == [str(choice) for choice in SamplerName]


def test_what_a_request_does_not_choose_is_the_first_choice(client):
    reply = client.get(f"{API}/models").json()["choices"]
    first = {name: choices[0]["id"] for name, choices in reply.items()}
    schemas = client.get(f"{API}/openapi.json").json()["components"]["schemas"]
    defaults = [
        ("PathRequest", "kind", "path_kinds"),
        ("PathRequest", "metric", "metrics"),
        ("MorphRequest", "metric", "metrics"),
        ("MeanRequest", "metric", "metrics"),
        ("SampleRequest", "sampler", "samplers"),
    ]
    for schema, field, choices in defaults:
        assert schemas[schema]["properties"][field]["default"] == first[choices]


def test_a_listening_test_can_compare_every_kind_of_path(client):
    schemas = client.get(f"{API}/openapi.json").json()["components"]["schemas"]
    kind = schemas["Condition"]["properties"]["kind"]
    assert (kind["enum"], kind["default"]) == ([*PathKind, "crossfade"], "geodesic")
    body = {"conditions": [{"kind": "sideways"}, {"kind": "crossfade"}]}
    problem = assert_problem(client.post(f"{API}/listening-tests", json=body), 422, "request_invalid")
    assert "choose one of geodesic" in problem["errors"][0]["message"]


def test_a_damaged_pack_is_told_of_and_the_others_serve(client):
    unusable = client.get(f"{API}/models").json()["unusable"]
    broken = next(pack for pack in unusable if pack["id"] == "broken")
    assert "weights.safetensors" in broken["problem"]
    problem = assert_problem(client.get(f"{API}/models/broken"), 503, "model_unusable")
    assert problem["detail"] == broken["problem"]
    assert_problem(client.get(f"{API}/models/broken/sounds"), 503, "model_unusable")


def test_an_unknown_model_is_answered_with_those_there_are(client, name):
    problem = assert_problem(client.get(f"{API}/models/no-such"), 404, "model_not_found")
    assert name in problem["detail"]
    morph = client.post(f"{API}/models/no-such/morphs", json={"anchors": [{"sound": "a"}, {"sound": "b"}]})
    assert_problem(morph, 404, "model_not_found")


def test_the_card_comes_as_json_and_as_markdown(client, model, name):
    card = client.get(f"{API}/models/{name}/card")
    assert card.headers["content-type"] == "application/json"
    assert card.json() == model.card
    page = client.get(f"{API}/models/{name}/card", headers={"Accept": "text/markdown"})
    assert page.headers["content-type"] == "text/markdown; charset=utf-8"
    assert page.text == model.card_markdown
    assert page.headers["vary"] == "Accept, Accept-Encoding" or "Accept" in page.headers["vary"]
    assert_problem(
        client.get(f"{API}/models/{name}/card", headers={"Accept": "image/png"}), 406, "not_acceptable"
    )


def test_a_card_that_has_not_changed_is_not_sent_again(client, name):
    first = client.get(f"{API}/models/{name}/card")
    again = client.get(f"{API}/models/{name}/card", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
