"""Is the process alive?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sonifold_app.engine.examples import example
from sonifold_app.schemas.common import Reply


class Health(Reply):
    model_config = example(status="ready", models=["oneshots"], device="cpu")

    status: Literal["alive", "ready", "loading"]
    models: list[str] | None = Field(None, description="The models that can be used, once they are loaded.")
    parts: dict[str, str] | None = Field(
        None, description="Parts of the service that cannot do their work at the moment: why, and what to do."
    )
    device: str | None = Field(
        None, description="Where they compute, once they are loaded: `cpu`, `cuda` or `mps`."
    )
