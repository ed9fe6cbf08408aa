"""Sound files in, places out; nothing is kept."""

from __future__ import annotations

from fastapi import APIRouter, Request

from sonifold_app.engine.answers import fields_of
from sonifold_app.engine.operations import EMBED
from sonifold_app.http.openapi import problems_of
from sonifold_app.routes.forms import FILES_FORM, files_of, require_form, uploads_of
from sonifold_app.routes.refusals import outcomes, sort
from sonifold_app.routes.services import ModelDep, ServicesDep, in_line, unless_abandoned
from sonifold_app.schemas.embeddings import Embedding, Embeddings

router = APIRouter(prefix="/models/{model}/embeddings", tags=["embeddings"])


@router.post(
    "",
    operation_id="create_embeddings",
    responses=problems_of(404, 413, 415, 422, 503),
    openapi_extra={"requestBody": FILES_FORM},
)
async def create_embeddings(model: ModelDep, request: Request, services: ServicesDep) -> Embeddings:
    """Latent points, map positions and nearest sounds of recordings. Files that cannot be used are listed."""
    require_form(request)
    async with files_of(request) as files, in_line(services.uploads, request):
        items, uploads, skipped = await uploads_of(files, services.decoding)
        work = outcomes([services.engine.run(EMBED, model.name, [upload]) for upload in uploads])
        results = sort(items, await unless_abandoned(request, work), skipped)
    return Embeddings(
        embeddings=[
            Embedding.model_construct(file=item.file, **fields_of(facts)) for item, (facts,) in results.taken
        ],
        refused=results.refused,
    )
