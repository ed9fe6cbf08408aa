"""Fine-tunes: what to learn from, how it goes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from sonifold_app import urls
from sonifold_app.engine.examples import OTHER_USER_SOUND_ID, USER_SOUND_ID, example
from sonifold_app.schemas.adaptations import MAX_LEARNED, each_once
from sonifold_app.schemas.common import Reply, Request
from sonifold_app.schemas.sounds import Name
from sonifold_app.store.jobs import Job as StoredJob


class FinetuneRequest(Request):
    """A new model from this one and some of your own sounds."""

    model_config = example(sounds=[USER_SOUND_ID, OTHER_USER_SOUND_ID], title="My kit", seed=0)

    sounds: list[str] | None = Field(
        None,
        min_length=1,
        max_length=MAX_LEARNED,
        description="Ids of your own sounds; 5 to 20 are best. Of an adapted model by default those it was adapted to.",
    )
    title: Name
    seed: int = Field(0, ge=0, lt=2**31, strict=True)

    @field_validator("sounds")
    @classmethod
    def all_different(cls, sounds: list[str] | None) -> list[str] | None:
        return None if sounds is None else each_once(sounds)


class Job(Reply):
    """A fine-tune: waiting, running, or over."""

    model_config = example(
        id="9c56cc51b374c3ba",
        model="oneshots",
        result="oneshots-9c56cc51",
        title="My kit",
        sounds=[USER_SOUND_ID, OTHER_USER_SOUND_ID],
        state="running",
        attempts=1,
        error=None,
        created="2026-01-01T12:00:00.000+00:00",
        finished=None,
        progress={"phase": "trial", "step": 40, "steps": 160, "percent": 12.5},
        events_url=f"{urls.job('9c56cc51b374c3ba')}/events",
    )

    id: str
    model: str = Field(description="The model it starts from.")
    result: str = Field(description="The id of the model that it makes; it is there once the job is done.")
    title: str
    sounds: list[str] = Field(description="The sounds it is trained on; previews are of the first.")
    state: Literal["queued", "waiting", "running", "done", "failed", "cancelled"] = Field(
        description="`waiting`: for something to pass that `error` names, such as a full disk; it goes on by itself."
    )
    attempts: int = Field(description="More than one where it was interrupted and went on.")
    error: str | None = Field(description="Why it failed, or what it waits for; and what to do.")
    created: str
    finished: str | None
    progress: dict[str, Any] | None = Field(description="The newest `progress` event.")
    events_url: str = Field(description="Server-sent events; `Last-Event-ID` goes on after the one named.")

    @classmethod
    def of(cls, job: StoredJob, progress: dict[str, Any] | None = None) -> Job:
        return cls(
            id=job.id,
            model=job.model,
            result=job.pack,
            title=job.title,
            sounds=job.request["sounds"],
            state="waiting" if job.state == "queued" and job.error is not None else job.state,
            attempts=job.attempts,
            error=job.error,
            created=job.created,
            finished=job.finished,
            progress=progress,
            events_url=f"{urls.job(job.id)}/events",
        )


class Jobs(Reply):
    model_config = example(jobs=[])

    jobs: list[Job] = Field(description="Newest first.")
