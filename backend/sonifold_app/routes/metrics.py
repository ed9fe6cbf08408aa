"""Figures for whoever watches over the server."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from sonifold_app.http.openapi import problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.routes.services import MainTokenDep, ServicesDep

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus's text format", "content": {"text/plain": {}}},
        **problems_of(403, 404),
    },
    dependencies=[MainTokenDep],
)
async def get_metrics(services: ServicesDep) -> Response:
    """Requests, queues, batches, cache, jobs, memory; there where SONIFOLD_METRICS is set, and for the token."""
    if services.metrics is None:
        raise Problem(
            404,
            "metrics_off",
            "No metrics",
            "This server gives none. SONIFOLD_METRICS=true at its start has it do so.",
        )
    text = await run_in_threadpool(services.metrics.text)
    return Response(text, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
