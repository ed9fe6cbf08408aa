"""Blind listening tests. The key stays here until a listener has given the last answer.

Before that, no reply depends on it but the sound itself: one file a trial, of a length and under an address that are
the same whatever the order is, never cached, and made by the same work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from sonifold import listening
from sonifold.listening.statistics import Alternative
from sonifold_app import urls
from sonifold_app.engine.choices import MetricName
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.engine.questions import Anchor, StimulusQuery
from sonifold_app.http.openapi import BINARY, problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.http.replies import content_disposition
from sonifold_app.routes.services import CatalogueDep, Services, ServicesDep
from sonifold_app.schemas import listening_tests as schemas
from sonifold_app.schemas.listening_tests import LISTENER_ID, TEST_ID
from sonifold_app.store.listening import Listener, ListeningTest
from sonifold_app.user.listening_results import is_finished, results_of, table_of

router = APIRouter(prefix="/listening-tests", tags=["listening tests"])

NO_STORE = {"Cache-Control": "no-store"}
TRUE_SHARES = (0.6, 0.7, 0.8)
CSV = "text/csv"


async def test_of(
    test: Annotated[str, Path(max_length=64, description="The test's id.", examples=[TEST_ID])],
    services: ServicesDep,
) -> ListeningTest:
    stored = await run_in_threadpool(services.listening.store.find, test)
    if stored is None:
        raise Problem(
            404,
            "listening_test_not_found",
            "No such listening test",
            f"There is no listening test {test[:64]!r} (any more). GET /listening-tests lists those there are.",
        )
    return stored


TestDep = Annotated[ListeningTest, Depends(test_of)]


async def listener_of(
    listener: Annotated[str, Path(max_length=64, description="The listener's id.", examples=[LISTENER_ID])],
    test: TestDep,
    services: ServicesDep,
) -> Listener:
    stored = await run_in_threadpool(services.listening.store.listener, test.id, listener)
    if stored is None:
        raise Problem(
            404,
            "listener_not_found",
            "No such listener",
            "Nobody began this test under that id. Begin by POST /listeners.",
        )
    return stored


ListenerDep = Annotated[Listener, Depends(listener_of)]
TrialNumber = Annotated[
    int, Path(ge=1, le=schemas.MAX_TRIALS, description="Of the trial, from 1.", examples=[1])
]


@router.post(
    "",
    operation_id="create_listening_test",
    status_code=202,
    responses=problems_of(404, 409, 413, 422, 503),
)
async def create_listening_test(
    body: schemas.ListeningTestRequest, response: Response, catalogue: CatalogueDep, services: ServicesDep
) -> schemas.ListeningTest:
    """Make a test. All that it plays is rendered first; it can be taken when its state is `ready`."""
    request = body.model_dump(mode="json")
    models = [catalogue.find(condition.model) for condition in body.conditions]
    pairs = await pairs_of(body, models[0], services)
    queries = queries_of(request, pairs, models)
    await services.listening.require_sounds(queries)
    versions = [{"name": model.name, "version": model.version} for model in models]
    title = body.title or default_title(request)
    test = await run_in_threadpool(services.listening.store.create, title, request, versions, pairs)
    services.listening.begin(test, queries, catalogue)
    response.headers["Location"] = urls.listening_test(test.id)
    return reply(test, services, ())


@router.get("", operation_id="list_listening_tests", responses=problems_of(503))
async def list_listening_tests(services: ServicesDep) -> schemas.ListeningTestList:
    """All tests, newest first."""
    tests = await run_in_threadpool(services.listening.store.tests)
    counts = await run_in_threadpool(services.listening.store.answer_counts)
    return schemas.ListeningTestList(tests=[reply(test, services, counts.get(test.id, ())) for test in tests])


@router.get("/{test}", operation_id="get_listening_test", responses=problems_of(404, 422, 503))
async def get_listening_test(
    test: TestDep, catalogue: CatalogueDep, services: ServicesDep
) -> schemas.ListeningTest:
    """A test: whether it can be taken, and what so many trials can show."""
    if test.stimuli is None and test.error is None:
        models = [catalogue.find(model["name"]) for model in test.models]
        services.listening.begin(test, queries_of(test.request, test.pairs, models), catalogue)
    counts = await run_in_threadpool(services.listening.store.answer_counts, test.id)
    return reply(test, services, counts.get(test.id, ()))


@router.delete(
    "/{test}", operation_id="delete_listening_test", status_code=204, responses=problems_of(404, 422, 503)
)
async def delete_listening_test(test: TestDep, services: ServicesDep) -> None:
    """Delete a test with its answers and its sounds."""
    await services.listening.delete(test)


@router.post(
    "/{test}/listeners",
    operation_id="create_listener",
    status_code=201,
    responses=problems_of(404, 409, 413, 422, 503),
)
async def create_listener(
    test: TestDep, body: schemas.ListenerRequest, services: ServicesDep, response: Response
) -> schemas.Listener:
    """Begin a test; the orders are drawn now. Several people may take the same test."""
    if test.stimuli is None:
        raise Problem(
            409,
            "listening_test_not_ready",
            "Not ready",
            test.error or "Its sounds are still being rendered. Try again in a second.",
            {"Retry-After": "1"},
        )
    client = body.model_dump(mode="json", exclude={"name"})
    add = services.listening.store.add_listener
    stored = await run_in_threadpool(add, test.id, body.name or "", client)
    response.headers["Location"] = f"{urls.listening_test(test.id)}/listeners/{stored.id}"
    return listener_reply(test, stored)


@router.get("/{test}/listeners/{listener}", operation_id="get_listener", responses=problems_of(404, 422, 503))
async def get_listener(test: TestDep, listener: ListenerDep) -> schemas.Listener:
    """How far a listener is."""
    return listener_reply(test, listener)


@router.get(
    "/{test}/listeners/{listener}/trials/{number}/audio",
    operation_id="get_trial_audio",
    response_class=Response,
    responses={
        200: {
            "description": "A WAV file with a channel for each: 1, 2 and, in an ABX test, X",
            "content": {"audio/wav": BINARY},
        },
        **problems_of(404, 409, 422, 503),
    },
)
async def get_trial_audio(
    test: TestDep, listener: ListenerDep, number: TrialNumber, services: ServicesDep
) -> Response:
    """What a trial plays: the next one, or one that has its answer."""
    if number > min(len(listener.answers) + 1, test.trials):
        raise not_next(number, len(listener.answers), test.trials)
    audio = await services.listening.trial_audio(test, listener, number)
    return Response(audio, media_type="audio/wav", headers=NO_STORE)


@router.put(
    "/{test}/listeners/{listener}/trials/{number}/answer",
    operation_id="put_answer",
    responses=problems_of(404, 409, 413, 422, 503),
)
async def put_answer(
    test: TestDep,
    listener: ListenerDep,
    number: TrialNumber,
    body: schemas.AnswerRequest,
    services: ServicesDep,
) -> schemas.Listener:
    """Answer a trial. When this replies the answer is on the disk; sent once more it changes nothing."""
    require_answer(test, body)
    answered = await run_in_threadpool(
        services.listening.store.add_answer, listener, number, body.answer, dict(body.listens), test.trials
    )
    return listener_reply(test, listener, answered)


@router.get(
    "/{test}/listeners/{listener}/results",
    operation_id="get_listener_results",
    responses=problems_of(404, 409, 422, 503),
)
async def get_listener_results(
    test: TestDep, listener: ListenerDep, response: Response
) -> schemas.ListeningResults:
    """The results of one listener's run, once it is over."""
    if not is_finished(test, listener):
        raise Problem(
            409,
            "listening_test_unfinished",
            "Not over yet",
            f"{len(listener.answers)} of {test.trials} trials have an answer; results stay sealed until all have.",
        )
    response.headers.update(NO_STORE)
    return schemas.ListeningResults(**results_of(test, [listener]))


@router.get(
    "/{test}/results",
    operation_id="get_listening_results",
    response_model=schemas.ListeningResults,
    responses={
        200: {"description": "The results", "content": {CSV: {"schema": {"type": "string"}}}},
        **problems_of(404, 422, 503),
    },
)
async def get_listening_results(
    test: TestDep,
    services: ServicesDep,
    response: Response,
    format: Annotated[Literal["json", "csv"], Query(description="`csv`: a row for every trial.")] = "json",
) -> Any:
    """The results of all listeners who are through."""
    listeners = numbered(await run_in_threadpool(services.listening.store.listeners, test.id))
    if format == "csv":
        headers = {"Content-Disposition": content_disposition(test.title, "csv"), **NO_STORE}
        return Response(await run_in_threadpool(table_of, test, listeners), media_type=CSV, headers=headers)
    response.headers.update(NO_STORE)
    return schemas.ListeningResults(**await run_in_threadpool(results_of, test, listeners))


# -- what they share -------------------------------------------------------------------------------


async def pairs_of(
    body: schemas.ListeningTestRequest, model: ModelFacts, services: Services
) -> list[tuple[str, str]]:
    """Those that were named, or as many as were to be drawn."""
    if body.draw is None:
        return [(pair.start, pair.end) for pair in body.pairs or ()]
    if body.draw.source == "library":
        ids = list(model.library.rows)
    else:
        ids = [sound.id for sound in (await services.user_sounds.table(model)).sounds]
    if len(ids) < 2:
        raise Problem(
            422,
            "too_few_sounds",
            "Too few sounds to draw from",
            f"Pairs need two sounds, and there are {len(ids)}. Add sounds of your own, or draw from the library.",
        )
    return listening.draw_pairs(ids, body.draw.count, body.draw.seed)


def queries_of(
    request: dict[str, Any], pairs: Sequence[tuple[str, str]], models: Sequence[ModelFacts]
) -> list[tuple[ModelFacts, list[StimulusQuery]]]:
    """For each condition what the engine is asked, a question a pair."""
    shared = {key: request[key] for key in ("steps", "mode", "seconds", "step_seconds")}
    return [
        (
            model,
            [
                StimulusQuery(
                    Anchor(sound=start),
                    Anchor(sound=end),
                    condition["kind"],
                    MetricName.of(condition["metric"]),
                    condition["weight"],
                    **shared,
                )
                for start, end in pairs
            ],
        )
        for model, condition in zip(models, request["conditions"], strict=True)
    ]


def default_title(request: dict[str, Any]) -> str:
    first, second = (condition["kind"] for condition in request["conditions"])
    return f"{first} or {second}".capitalize()


def reply(test: ListeningTest, services: Services, answer_counts: Sequence[int]) -> schemas.ListeningTest:
    """A test, with how many answers each of its listeners has given."""
    critical, power = strength_of(test.trials, test.is_abx)
    state = "ready" if test.stimuli is not None else "failed" if test.error else "preparing"
    return schemas.ListeningTest(
        id=test.id,
        title=test.title,
        method=test.request["method"],
        request=test.request,
        trials=test.trials,
        pairs=len(test.pairs),
        rendered=services.listening.rendered(test),
        state=state,
        error=services.listening.problem(test),
        minimum_listens=test.request["minimum_listens"],
        critical=critical,
        power=power,
        listeners=len(answer_counts),
        finished=sum(count == test.trials for count in answer_counts),
        created=test.created,
        url=f"/listen.html?test={test.id}",
    )


@lru_cache(2 * schemas.MAX_TRIALS)
def strength_of(trials: int, abx: bool) -> tuple[int | None, list[schemas.Power]]:
    """Fewest hits or preferences that are below .05, and what so many trials can show."""
    alternative: Alternative = "greater" if abx else "two-sided"
    power = [
        schemas.Power(true_share=share, power=listening.power(trials, share, alternative=alternative))
        for share in TRUE_SHARES
    ]
    return listening.critical_hits(trials, 0.05 if abx else 0.025), power


def listener_reply(test: ListeningTest, listener: Listener, answered: int | None = None) -> schemas.Listener:
    count = len(listener.answers) if answered is None else answered
    return schemas.Listener(
        id=listener.id,
        test=test.id,
        name=listener.name,
        answered=count,
        trials=test.trials,
        finished=count == test.trials,
    )


def numbered(listeners: Sequence[Listener]) -> list[Listener]:
    """Whoever gave no name is called by number."""
    return [
        replace(listener, name=listener.name or f"Listener {number}")
        for number, listener in enumerate(listeners, 1)
    ]


def require_answer(test: ListeningTest, body: schemas.AnswerRequest) -> None:
    """Raises answer_invalid, listens_too_few."""
    if test.is_abx and body.answer == "none":
        raise Problem(
            422,
            "answer_invalid",
            "Not an answer here",
            "In an ABX trial X is `1` or `2`; guess where you hear none.",
        )
    least = test.request["minimum_listens"]
    played: tuple[schemas.SoundLabel, ...] = ("1", "2", "x") if test.is_abx else ("1", "2")
    if any(body.listens.get(label, 0) < least for label in played):
        raise Problem(
            422,
            "listens_too_few",
            "Not heard yet",
            f"Each of {', '.join(played)} is heard {least} times or more before an answer counts, got {body.listens}.",
        )


def not_next(number: int, answered: int, trials: int) -> Problem:
    return Problem(
        409,
        "trial_not_next",
        "Not this trial's turn",
        f"Trial {number} is not the next one: {answered} of {trials} have an answer.",
    )
