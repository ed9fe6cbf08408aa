"""Is the process alive, and can it be asked?"""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from sonifold_app.http import problems
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.services import ServicesDep
from sonifold_app.schemas.operations import Health

router = APIRouter(tags=["operations"])


@router.get("/livez", operation_id="livez", response_model_exclude_none=True)
async def live(response: Response) -> Health:
    """Answers as soon as the process listens."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="alive", models=None, device=None, parts=None)


@router.get("/readyz", operation_id="readyz", response_model_exclude_none=True, responses=problems_of(503))
async def ready(response: Response, services: ServicesDep) -> Health:
    """200 once the models are loaded and everything can be kept; 503 until then, and while something is wrong.

    Where fine-tuning waits for something the service is ready all the same, and `parts` says why.
    """
    catalogue = await services.engine.catalogue(timeout=0)
    if catalogue is None:
        raise problems.not_ready()
    parts, ready = await run_in_threadpool(services.readiness.problems)
    if not ready:
        raise problems.impaired(parts)
    response.headers["Cache-Control"] = "no-store"
    # asked without a token: what users made is named to nobody
    models = [name for name, model in catalogue.models.items() if model.kind == "library"]
    return Health(status="ready", models=models, device=catalogue.device, parts=parts or None)
