"""Paths between anchors, and morphs: the same with their sound."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sonifold_app.engine.answers import MorphPart, MorphPaths, MorphStep, Path, Rendered, WholeMorph
from sonifold_app.engine.operations.sounds import recording_of, resolve
from sonifold_app.engine.parallel import (
    MapParallel,
    all_or_error,
    attempt_each,
    by_group,
    map_serially,
    value_of,
)
from sonifold_app.engine.protocol import Operation, ProgressiveOperation
from sonifold_app.engine.questions import Anchor, MorphQuery, PathQuery

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold.morph.path import Path as LatentPath
    from sonifold.sound import Sound

    #: Two sounds, the kind of path between them, and the query that it belongs to.
    PathRequest = tuple[tuple[Sound, Sound], str, PathQuery | MorphQuery]


def traces(
    model: Model, queries: Sequence[PathQuery], map_parallel: MapParallel = map_serially
) -> list[list[Path] | Exception]:
    """The paths between consecutive anchors of each query."""
    legs = attempt_each(lambda query: legs_of(model, query.anchors), queries)
    requests: list[PathRequest] = [
        (leg, query.kind, query)
        for query, legs_or_error in zip(queries, legs, strict=True)
        if not isinstance(legs_or_error, Exception)
        for leg in legs_or_error
    ]
    paths = iter(solve(model, requests, map_parallel))
    return [
        legs_or_error
        if isinstance(legs_or_error, Exception)
        else all_or_error([path_or_error(next(paths)) for _ in legs_or_error])
        for legs_or_error in legs
    ]


def morphs(
    model: Model, queries: Sequence[MorphQuery], map_parallel: MapParallel = map_serially
) -> list[list[Rendered[Path]] | Exception]:
    """The paths between two anchors and what they sound like, one of each kind of each query.

    Of a single query the paths are computed at the same time. Of several, the queries are, each by one thread: its
    paths share what the pair of sounds was analysed into, and more pairs at a time would take more memory.
    """
    if len(queries) == 1:
        return attempt_each(lambda query: morph(model, query, map_parallel), queries)
    return attempt_each(lambda query: morph(model, query, map_serially), queries, map_parallel)


def morph(model: Model, query: MorphQuery, map_parallel: MapParallel) -> list[Rendered[Path]]:
    """The paths of one query, each as it is heard. Raises the first of their errors."""
    solved = solved_kinds(model, query, map_parallel)
    render = glide if query.mode == "glide" else stepwise
    rendered = attempt_each(lambda path: render(model, query, path), solved, map_parallel)
    return [value_of(each) for each in rendered]


def stepwise(model: Model, query: MorphQuery, path: LatentPath) -> Rendered[Path]:
    """A path as the sounds of its steps."""
    from sonifold.model.rendering import whole_of

    timed, sounds = whole_of(model.morph_parts(path, map_serially))
    return Rendered(Path.model_validate(timed), recording_of(sounds))


def glide(model: Model, query: MorphQuery, path: LatentPath) -> Rendered[Path]:
    """A path as a sound that travels along it."""
    return Rendered(Path.model_validate(path), recording_of(model.render_glide(path, seconds=query.seconds)))


def morph_parts(
    model: Model, query: MorphQuery, map_parallel: MapParallel = map_serially
) -> Iterator[Sequence[MorphPart]]:
    """The steps of one query as they are rendered, one kind after the other: paths, steps, and the whole at the end."""
    paths = solved_kinds(model, query, map_parallel)
    yield [MorphPaths(tuple(Path.model_validate(path) for path in paths))]
    morphs = []
    for kind, path in zip(query.kinds, paths, strict=True):
        for part in model.morph_parts(path, map_parallel):
            if part.whole is not None:
                morphs.append(Rendered(Path.model_validate(part.path), recording_of(part.whole)))
            yield [
                MorphStep(kind, step, recording_of(clip))
                for step, clip in zip(part.steps, part.clips, strict=True)
            ]
    yield [WholeMorph(tuple(morphs))]


def solved_kinds(model: Model, query: MorphQuery, map_parallel: MapParallel) -> list[LatentPath]:
    """The paths of a query, one for each kind. Raises the first of their errors."""
    ((start, end),) = legs_of(model, (query.start, query.end))
    requests: list[PathRequest] = [((start, end), kind, query) for kind in query.kinds]
    return [value_of(path) for path in solve(model, requests, map_parallel)]


def legs_of(model: Model, anchors: Sequence[Anchor]) -> list[tuple[Sound, Sound]]:
    """The pairs of sounds between which a path through anchors leads."""
    return list(itertools.pairwise(resolve(model, anchor) for anchor in anchors))


def solve(
    model: Model, requests: Sequence[PathRequest], map_parallel: MapParallel
) -> list[LatentPath | Exception]:
    """Solve for paths, all those together that have the same kind under the same metric."""
    return by_group(
        requests,
        lambda request: (request[1], request[2].metric, request[2].weight, request[2].steps),
        lambda group, members: model.paths(
            [pair for pair, _, _ in members], kind=group[0], metric=group[1], weight=group[2], steps=group[3]
        ),
        map_parallel,
    )


def path_or_error(path: LatentPath | Exception) -> Path | Exception:
    return path if isinstance(path, Exception) else Path.model_validate(path)


TRACE = Operation("trace", PathQuery, list[Path], traces, most=64)


def morph_size(query: MorphQuery) -> float:
    """What a morph takes, compared with the usual one."""
    return len(query.kinds) * query.steps / 34


MORPH = Operation("morph", MorphQuery, list[Rendered[Path]], morphs, seconds=1.0, size=morph_size)
MORPH_PARTS = ProgressiveOperation(
    "morph_parts", MorphQuery, MorphPart, morph_parts, seconds=1.0, size=morph_size
)
