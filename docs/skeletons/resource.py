"""A new resource of the service: how many sounds of each family a model has.

Copy the reply to ``backend/sonifold_app/schemas`` and the route to ``backend/sonifold_app/routes``, each as
``families.py``, and add ``families.router`` to ``ROUTERS`` in ``backend/sonifold_app/app.py``.
"""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from pydantic import Field

from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.services import ModelDep
from sonifold_app.schemas.common import Reply

router = APIRouter(prefix="/models/{model}", tags=["sounds"])


class FamiliesReply(Reply):
    """The families of a model."""

    families: dict[str, int] = Field(description="Number of library sounds, by family.")


@router.get("/families", operation_id="list_families", responses=problems_of(404))
async def list_families(model: ModelDep) -> FamiliesReply:
    """Count the sounds of each family of a model."""
    return FamiliesReply(families=dict(Counter(model.library.families)))
