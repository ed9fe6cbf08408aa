"""Every engine keeps the contract; one more number on a path, and one more operation, are one edit each."""

from __future__ import annotations

import asyncio
import pickle
import time
from contextlib import aclosing
from types import SimpleNamespace

import numpy as np
import pytest
from app_checks import samples_of
from engine_contract import BROKEN_AT, BROKEN_STEP, ENGINES, UNUSABLE, HalfPlane, distance, use
from pydantic import Field

from sonifold import errors
from sonifold_app.engine import answers
from sonifold_app.engine.answers import Path, PathFacts
from sonifold_app.engine.build import ENGINES as KINDS
from sonifold_app.engine.numbers import Short
from sonifold_app.engine.operations import (
    DUPLICATES,
    LIFT,
    MORPH,
    MORPH_PARTS,
    OPERATIONS,
    PROGRESSIVE,
    PROJECT,
    TRACE,
)
from sonifold_app.engine.protocol import Engine, Operation, ProgressiveOperation, run_one
from sonifold_app.engine.questions import Anchor, MorphQuery, PathQuery
from sonifold_app.routes.links import linked
from sonifold_app.schemas.morphs import Morph


@pytest.fixture(params=ENGINES)
def engine_kind(request):
    """A function from models by name, and the sentences about those that cannot be used, to an engine."""
    return ENGINES[request.param]


@pytest.fixture
def engine(engine_kind) -> Engine:
    return engine_kind({"plane": HalfPlane(), "other": HalfPlane("2.0.0")}, {"broken": UNUSABLE})


def query(*anchors: str, kind="geodesic") -> PathQuery:
    return PathQuery(tuple(Anchor(sound=name) for name in anchors), kind=kind, steps=5)


def test_the_catalogue_has_every_model_and_says_why_others_are_not_usable(engine):
    catalogue = use(engine, lambda engine: engine.catalogue(1.0))
    assert list(catalogue.models) == ["plane", "other"]
    assert catalogue.models["plane"].library.ids == ["a", "b", "c"]
    assert catalogue.unusable == {"broken": UNUSABLE}


def test_a_path_is_as_long_as_the_closed_form_says(engine):
    first, second = use(engine, lambda engine: run_one(engine, TRACE, "plane", query("a", "b", "c")))
    assert first.length == pytest.approx(distance((0, 1), (1, 1)), rel=1e-5)
    assert second.length == pytest.approx(distance((1, 1), (0, 2)), rel=1e-5)
    assert len(first.nodes) == 5


def test_answers_come_in_the_order_of_their_questions(engine):
    points = [np.array([[0.0, 1.0 + number]], np.float32) for number in range(20)]
    positions = use(engine, lambda engine: engine.run(PROJECT, "plane", points))
    assert [position[0, 1] for position in positions] == [1.0 + number for number in range(20)]
    assert all(position.flags.writeable for position in positions), "torch takes no others without a warning"


def test_an_error_belongs_to_its_own_question(engine):
    async def ask(engine):
        return await asyncio.gather(
            *(run_one(engine, TRACE, "plane", query("a", name)) for name in ("b", "nobody", "c")),
            return_exceptions=True,
        )

    good, bad, other = use(engine, ask)
    assert isinstance(bad, errors.SoundNotFound)
    assert [path.length for (path,) in (good, other)] == [
        pytest.approx(distance((0, 1), end), rel=1e-5) for end in ((1, 1), (0, 2))
    ]


@pytest.mark.parametrize(
    ("model", "error"), [("nobody", errors.PackNotFound), ("broken", errors.PackInvalid)]
)
def test_a_model_that_cannot_be_used_is_an_error_of_the_science(engine, model, error):
    with pytest.raises(error):
        use(engine, lambda engine: run_one(engine, TRACE, model, query("a", "b")))


def test_answers_that_are_no_numbers_are_refused(engine):
    far = np.array([[np.inf, 1.0]], np.float32)
    with pytest.raises(errors.NotFinite):
        use(engine, lambda engine: run_one(engine, LIFT, "plane", far))


def test_operations_on_files_need_no_model(engine):
    assert use(engine, lambda engine: run_one(engine, DUPLICATES, None, [])) == []


def test_titles_change_and_models_go(engine):
    async def scenario(engine):
        await engine.retitle("plane", "Mine")
        await engine.shut("other")
        return await engine.catalogue(1.0)

    catalogue = use(engine, scenario)
    assert {name: facts.title for name, facts in catalogue.models.items()} == {"plane": "Mine"}


# -- answers in parts -----------------------------------------------------------------------------

STEPS = 5


def morph_query(height: float = 1.0, kinds=("geodesic", "linear")) -> MorphQuery:
    return MorphQuery(Anchor(point=(0.0, height)), Anchor(point=(0.0, 2.0)), kinds=kinds, steps=STEPS)


async def all_parts(engine, question, model="plane"):
    return [part async for part in engine.stream(MORPH_PARTS, model, question)]


def test_parts_come_in_the_order_in_which_they_are_heard_and_are_the_whole(engine):
    async def ask(engine):
        return await all_parts(engine, morph_query()), await run_one(engine, MORPH, "plane", morph_query())

    (paths, *steps, whole), complete = use(engine, ask)
    assert [path.kind for path in paths.paths] == ["geodesic", "linear"]
    assert [(step.kind, step.step) for step in steps] == [
        (kind, step) for kind in ("geodesic", "linear") for step in range(STEPS)
    ]
    assert list(whole.morphs) == complete
    for kind, morph in zip(("geodesic", "linear"), complete, strict=True):
        sounds = [samples_of(step.recording.wav)[0] for step in steps if step.kind == kind]
        np.testing.assert_array_equal(np.concatenate(sounds), samples_of(morph.recording.wav)[0])


def test_what_was_computed_before_an_error_is_not_lost(engine):
    async def ask(engine):
        parts = engine.stream(MORPH_PARTS, "plane", morph_query(BROKEN_AT))
        before = [await anext(parts) for _ in range(1 + BROKEN_STEP)]
        with pytest.raises(errors.NotFinite):
            await anext(parts)
        return before

    assert [part.step for part in use(engine, ask)[1:]] == list(range(BROKEN_STEP))


def test_nothing_is_computed_for_whoever_has_gone(engine_kind, tmp_path):
    steps = tmp_path / "steps"  # which another process can write too
    steps.touch()
    plane = HalfPlane()

    def pause():
        with steps.open("a") as file:
            file.write(".")
        time.sleep(0.05)

    plane.pause = pause  # type: ignore[method-assign]

    async def leave_after_a_step(engine):
        async with aclosing(engine.stream(MORPH_PARTS, "plane", morph_query())) as parts:
            async for part in parts:
                if isinstance(part, answers.MorphStep):
                    break
        await all_parts(engine, morph_query(kinds=("linear",)), "other")  # what comes next is not behind it

    use(engine_kind({"plane": plane, "other": HalfPlane()}, {}), leave_after_a_step)
    assert len(steps.read_text()) < STEPS


def test_whoever_takes_parts_slowly_holds_up_nobody(engine):
    async def ask(engine):
        async with aclosing(engine.stream(MORPH_PARTS, "plane", morph_query())) as slow:
            first = await anext(slow)
            await run_one(engine, MORPH, "plane", morph_query())
            return [first, *[part async for part in slow]], await all_parts(engine, morph_query())

    slowly, at_once = use(engine, ask)
    assert slowly == at_once


def test_an_answer_in_parts_fails_at_once_where_there_is_no_such_model(engine):
    with pytest.raises(errors.PackNotFound):
        use(engine, lambda engine: all_parts(engine, morph_query(), "nobody"))


def test_parts_may_cross_to_another_process(engine):
    parts = use(engine, lambda engine: all_parts(engine, pickle.loads(pickle.dumps(morph_query()))))
    assert pickle.loads(pickle.dumps(parts)) == parts


def test_questions_and_answers_may_cross_to_another_process(engine):
    question = query("a", "b")
    (path,) = use(
        engine, lambda engine: run_one(engine, TRACE, "plane", pickle.loads(pickle.dumps(question)))
    )
    assert pickle.loads(pickle.dumps(path)) == path
    assert Path.model_validate_json(path.model_dump_json()) == path


def test_the_protocol_has_ten_methods_and_every_engine_has_them():
    methods = {name for name in vars(Engine) if not name.startswith("_")}
    assert methods == {
        *("start", "close", "catalogue", "workload"),
        *("open", "retitle", "shut", "adapt"),
        *("run", "stream"),
    }
    assert all(callable(getattr(kind, name)) for kind in KINDS.values() for name in methods)


def test_every_operation_is_found_by_its_name():
    assert all(operation.name == name for name, operation in OPERATIONS.items())
    assert all(isinstance(operation, Operation) for operation in OPERATIONS.values())
    assert all(operation.name == name for name, operation in PROGRESSIVE.items())
    assert all(isinstance(operation, ProgressiveOperation) for operation in PROGRESSIVE.values())
    assert not PROGRESSIVE.keys() & OPERATIONS.keys()


def test_one_more_number_on_a_path_is_one_more_field(monkeypatch):
    """A field of PathFacts is all that it takes for the number to be read from the science and to be in a reply."""

    class Facts(PathFacts):
        curvature: Short = Field(description="Largest curvature of the path.")

    class MorphWithMore(Facts, Morph):
        pass

    solved = HalfPlane().paths(
        [(SimpleNamespace(z=HalfPlane.z[0]), SimpleNamespace(z=HalfPlane.z[1]))],
        kind="linear",
        metric="flat",
        weight=None,
        steps=3,
    )[0]
    solved.curvature = 0.12345678
    rendered = answers.Rendered(Facts.model_validate(solved), answers.Recording(b"", 0, 1))

    class Nowhere:
        async def keep(self, recording):
            return "0" * 64

    reply = asyncio.run(linked(MorphWithMore, rendered, Nowhere(), "steps"))
    assert reply.model_dump()["curvature"] == 0.123457
