"""Adapting a model to a few user sounds at once. The result is a model; deleting it is the undo."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sonifold_app import urls
from sonifold_app.engine.facts import ModelFacts
from sonifold_app.http.openapi import problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.routes.services import CatalogueDep, ExistingModelDep, Services, ServicesDep
from sonifold_app.schemas.adaptations import Adaptation, AdaptationRequest, Adaptations
from sonifold_app.store import adaptations as store

router = APIRouter(prefix="/models/{model}/adaptations", tags=["adaptations"])


@router.post(
    "",
    operation_id="create_adaptation",
    status_code=201,
    responses=problems_of(404, 409, 413, 422, 503),
)
async def create_adaptation(
    model: ExistingModelDep,
    body: AdaptationRequest,
    response: Response,
    catalogue: CatalogueDep,
    services: ServicesDep,
) -> Adaptation:
    """Adapt the model to some of your own sounds, at once: the result is in the list of models when this answers.

    The model itself stays as it is. The same sounds and seed give the same result. An adapted model's base is adapted
    in its place.
    """
    base = catalogue.models[model.home]
    refuse_library_sounds(base, body.sounds)
    async with services.adapting:
        adaptation = await described(await services.adaptations.make(base, body.sounds, body.seed), services)
    services.jobs.prepare(base.name)  # what is heard is often fine-tuned next
    response.headers["Location"] = urls.model(adaptation.result)
    return adaptation


@router.get("", operation_id="list_adaptations", responses=problems_of(404, 422, 503))
async def list_adaptations(model: ExistingModelDep, services: ServicesDep) -> Adaptations:
    """The model's adaptations, oldest first."""
    return Adaptations(
        adaptations=[
            await described(adaptation, services) for adaptation in services.adaptations.of(model.home)
        ]
    )


async def described(adaptation: store.Adaptation, services: Services) -> Adaptation:
    """What is replied of an adaptation."""
    return Adaptation.of(adaptation, await services.adaptations.stored_bytes(adaptation))


def refuse_library_sounds(model: ModelFacts, ids: list[str]) -> None:
    """Raises uploads_invalid where a sound is the library's."""
    for id in ids:
        if id in model.library.rows:
            raise Problem(
                422,
                "uploads_invalid",
                "Not one of your sounds",
                f"{id} is in the library of {model.name!r}, which knows it already. Name sounds that you uploaded.",
            )
