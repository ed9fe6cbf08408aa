"""What went wrong."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine.examples import example
from sonifold_app.schemas.common import Reply


class FieldProblem(Reply):
    where: str = Field(description="The place in the request, as `body.anchors[0].sound`.")
    message: str


class Refused(Reply):
    """A file, or a part of one, that could not be used; the others were."""

    file: int = Field(description="Number of the file in the request or the upload, from 0.")
    sound: int | None = Field(
        None, description="Number of the sound in the choice, from 0, where one was made."
    )
    name: str
    code: str = Field(
        description="As of a problem: `audio_unreadable`, `audio_silent`, ...; `skipped` for what file managers leave "
        "in folders."
    )
    detail: str = Field(description="The fault, and what to do.")


class ProblemDocument(Reply):
    """A problem (RFC 9457)."""

    model_config = example(
        type="urn:sonifold:problem:sound_not_found",
        title="No such sound",
        status=404,
        detail="no sound '5f2b8c1e9a07' in the library; GET models/oneshots/sounds lists them.",
        code="sound_not_found",
    )

    type: str = Field(description="A URI that names the kind of problem.")
    title: str
    status: int = Field(description="The HTTP status, again.")
    detail: str = Field(description="What was expected, what the request had, and what to do.")
    code: str = Field(description="Stable between versions, for programs.")
    request_id: str | None = Field(
        None, description="The reply's `X-Request-ID`: the server's log has it too."
    )
    errors: list[FieldProblem] | None = Field(
        None, description="The faults of an invalid request, field by field."
    )
    limit_bytes: int | None = Field(None, description="The limit, where a request was too large.")
    expected_wait: float | None = Field(
        None, description="Seconds of work that are ahead, where the server has too much to do."
    )
    place: int | None = Field(None, description="Number of computations ahead, in the same case.")
    file: str | None = Field(None, description="The uploaded file that is the problem.")
    parts: dict[str, str] | None = Field(
        None, description="The fault of each part of the service that cannot do its work."
    )
    refused: list[Refused] | None = Field(None, description="Every file, where none of them can be used.")
