"""Fine-tunes as jobs: asked for, watched, cancelled."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from sonifold_app import urls
from sonifold_app.http.openapi import audio_of, problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.http.replies import REVALIDATE, audio_reply
from sonifold_app.routes.adaptations import refuse_library_sounds
from sonifold_app.routes.services import CatalogueDep, ExistingModelDep, ServicesDep
from sonifold_app.schemas.jobs import FinetuneRequest, Job, Jobs
from sonifold_app.store.jobs import Job as StoredJob
from sonifold_app.store.jobs import JobStore

finetunes = APIRouter(prefix="/models/{model}/finetunes", tags=["jobs"])
router = APIRouter(prefix="/jobs", tags=["jobs"])

#: Of silence before a beat is sent: the page sees that the job lives, and nobody on the way closes the line.
BEAT_SECONDS = 0.8
#: No event has a higher one.
LAST_NUMBER = 2**53

JobId = Annotated[str, Path(max_length=64, description="The job's id.", examples=["9c56cc51b374c3ba"])]


async def existing_job(job: JobId, services: ServicesDep) -> StoredJob:
    """Raises 404."""
    return await job_with(services.jobs.store, job)


ExistingJobDep = Annotated[StoredJob, Depends(existing_job)]


@finetunes.post(
    "", operation_id="create_finetune", status_code=202, responses=problems_of(404, 409, 413, 422, 503)
)
async def create_finetune(
    model: ExistingModelDep,
    body: FinetuneRequest,
    response: Response,
    catalogue: CatalogueDep,
    services: ServicesDep,
) -> Job:
    """Fine-tune the model on some of your own sounds; the result is a model of its own.

    An adapted model's base is fine-tuned in its place.
    """
    base, adaptation = catalogue.models[model.home], services.adaptations.find(model.name)
    sounds = body.sounds or (None if adaptation is None else [sound.id for sound in adaptation.sounds])
    if sounds is None:
        raise Problem(
            422,
            "request_invalid",
            "Nothing to learn from",
            f'{model.name!r} is not an adapted model: say what to learn from, {{"sounds": [ids of your own sounds]}}.',
        )
    refuse_library_sounds(base, sounds)
    await services.user_sounds.several(base, sounds)
    request = {"sounds": sounds, "kept_with": base.name, "config": {"seed": body.seed}}
    job = await run_in_threadpool(services.jobs.store.create, base.name, body.title, request)
    services.jobs.wake()
    response.headers["Location"] = urls.job(job.id)
    return Job.of(job)


@router.get("", operation_id="list_jobs")
async def list_jobs(services: ServicesDep) -> Jobs:
    """All jobs, newest first."""
    return Jobs(jobs=[Job.of(stored) for stored in await run_in_threadpool(services.jobs.store.all)])


@router.get("/{job}", operation_id="get_job", responses=problems_of(404, 422))
async def get_job(job: ExistingJobDep, services: ServicesDep) -> Job:
    """The state and progress of a job."""
    events = await run_in_threadpool(services.jobs.store.events, job.id)
    progress = [event for event in events if event.kind == "progress"]
    return Job.of(job, progress[-1].data if progress else None)


@router.post(
    "/{job}/cancellation", operation_id="cancel_job", status_code=202, responses=problems_of(404, 422)
)
async def cancel_job(job: ExistingJobDep, services: ServicesDep) -> Job:
    """Stop a job: at once where it waits, soon where it runs. One that is over stays as it is."""
    store = services.jobs.store
    await run_in_threadpool(store.cancel, job.id)
    services.jobs.wake()
    return Job.of(await job_with(store, job.id))


@router.delete("/{job}", operation_id="delete_job", status_code=204, responses=problems_of(404, 409, 422))
async def delete_job(job: ExistingJobDep, services: ServicesDep) -> None:
    """Forget a job that is over. The model that it made stays."""
    await services.jobs.discard(job)


@router.get(
    "/{job}/events",
    operation_id="watch_job",
    response_class=EventSourceResponse,
    responses=problems_of(404, 422),
)
async def watch_job(
    job: ExistingJobDep,
    services: ServicesDep,
    last_event_id: Annotated[str | None, Header(description="Go on after this event.")] = None,
    after: Annotated[int, Query(ge=0, description="The same, where a header cannot be sent.")] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """The events of a job, from its beginning or from the last one received, until it ends.

    Events: `queued`, `started`, `loading`, `progress` (phase, step, steps, percent, elapsed, eta: seconds until the
    model is there, train, held_out, best_step), `preview`, `saving`, `interrupted`, `waiting` (message: for what, and
    what to do), and at the end one of `done` (model, best_step, share, reason), `failed`, `cancelled`. Where there is
    none for a second, `beat` says how long the job has taken so far.
    """
    last_number = after if last_event_id is None else number_of(last_event_id, after)
    yield ServerSentEvent(comment="events follow")  # at once: whoever asks for the headers alone has them
    async for event in services.jobs.feed.follow(job.id, min(last_number, LAST_NUMBER), BEAT_SECONDS):
        if event is None:
            yield ServerSentEvent(event="beat", data={"elapsed": age(job)})
        else:
            yield ServerSentEvent(id=str(event.number), event=event.kind, data=event.data)


@router.get(
    "/{job}/previews/{which}",
    operation_id="get_preview",
    response_class=Response,
    responses=audio_of(404, 422),
)
async def get_preview(
    job: ExistingJobDep,
    which: Annotated[
        Literal["before", "after"], Path(description="As the base makes it, or the model by now.")
    ],
    request: Request,
    services: ServicesDep,
) -> Response:
    """The first of the sounds learned from, while the job runs."""
    file = services.settings.data / "jobs" / job.id / f"{which}.wav"
    if not await run_in_threadpool(file.is_file):
        raise Problem(
            404, "preview_not_found", "Not yet", "No preview has been made yet; a `preview` event says when."
        )
    return audio_reply(request, await run_in_threadpool(file.read_bytes), "wav", cache=REVALIDATE)


def number_of(event_id: str, otherwise: int) -> int:
    """What comes in a ``Last-Event-ID`` header is anybody's text."""
    return int(event_id) if event_id.isdecimal() and len(event_id) <= len(str(LAST_NUMBER)) else otherwise


def age(job: StoredJob) -> float:
    """Seconds since the job was asked for."""
    requested = datetime.datetime.fromisoformat(job.created)
    return round((datetime.datetime.now(datetime.UTC) - requested).total_seconds(), 1)


async def job_with(store: JobStore, id: str) -> StoredJob:
    """Raises 404."""
    stored = await run_in_threadpool(store.find, id)
    if stored is None:
        raise Problem(
            404,
            "job_not_found",
            "No such job",
            f"no job {id[:40]!r} here; GET {urls.API}/jobs lists those there are.",
        )
    return stored
