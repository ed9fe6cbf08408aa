"""User sounds outlive the model that they were kept with: they move to its base, where they are found anew."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import sqlalchemy.exc
from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.protocol import Engine
from sonifold_app.store.failures import StorageError
from sonifold_app.store.jobs import OVER, Job, JobStore
from sonifold_app.store.sounds import UserSoundStore
from sonifold_app.user.models import UserModels

#: What a fine-tune calls its result: its base, and digits of the job.
FINETUNED_NAME = re.compile(r"(?P<base>.+)-[0-9a-f]{8}")

log = logging.getLogger(__name__)


def successor_of(model: str, catalogue: Catalogue, jobs: Sequence[Job]) -> str | None:
    """The model to which the sounds of another one go when that is no more; None where there is no telling."""
    others = catalogue.models.keys() - {model}
    facts = catalogue.models.get(model)
    finetuned = FINETUNED_NAME.fullmatch(model)
    libraries = [name for name in others if catalogue.models[name].kind == "library"]
    bases = (
        facts.base if facts is not None else None,
        next((job.model for job in jobs if job.pack == model), None),
        finetuned["base"] if finetuned else None,
        libraries[0] if len(libraries) == 1 else None,
    )
    return next((base for base in bases if base in others), None)


async def delete_model(
    model: str, successor: str | None, store: UserSoundStore, user_models: UserModels, jobs: JobStore
) -> int:
    """Delete a user model; returns how many sounds went to its successor. Jobs waiting to fine-tune it are cancelled.

    Raises PackNotFound.
    """
    for job in await run_in_threadpool(jobs.all):
        if job.model == model and job.state not in OVER:
            await run_in_threadpool(jobs.cancel, job.id)
    await user_models.discard(model)
    # After it: this needs some room on the disk, and nobody can keep more with the model.
    return 0 if successor is None else await run_in_threadpool(store.rehome, model, successor)


async def rehome_orphans(
    store: UserSoundStore, jobs: JobStore, user_models: UserModels, engine: Engine
) -> None:
    """Give sounds whose model is not here a home, and those of a model that is here again the one they had."""
    await user_models.opened.wait()
    try:
        await _rehome_orphans(store, jobs, engine)
    except (StorageError, OSError, sqlalchemy.exc.SQLAlchemyError) as error:
        log.warning("sounds whose model is not here wait for the next start: %s", error)


async def _rehome_orphans(store: UserSoundStore, jobs: JobStore, engine: Engine) -> None:
    catalogue = await engine.catalogue(0)
    if catalogue is None or not catalogue.models:
        return
    present = catalogue.models.keys() | catalogue.unusable.keys()
    await run_in_threadpool(store.bring_home, catalogue.models.keys())
    all_jobs = await run_in_threadpool(jobs.all)
    for model in await run_in_threadpool(store.homes) - present:
        successor = successor_of(model, catalogue, all_jobs)
        if successor is None:
            log.warning(
                "user sounds belong to the model %r, which is not here; they are listed again once it is",
                model,
            )
            continue
        count = await run_in_threadpool(store.rehome, model, successor, remember=True)
        log.warning(
            "%d user sounds of the model %r, which is not here, are now among those of %r",
            count,
            model,
            successor,
        )
