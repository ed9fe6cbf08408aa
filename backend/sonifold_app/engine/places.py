"""What the engine does with single questions about new points: each gets its answer or its exception.

torch is imported where it is used, as in ``compute``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sonifold_app.engine import base
from sonifold_app.engine.batching import Spread, attempt_each, serially
from sonifold_app.engine.compute import numbers, recording_of, resolve, table_of, timbre_of

if TYPE_CHECKING:
    from sonifold.caveat import Caveat
    from sonifold.model import Model
    from sonifold.model.points import Point

SLIGHT_CHANGE = base.Caveat(
    "descriptor_hardly_moves", "the whole slider hardly changes this sound: expect to hear little"
)

Query = TypeVar("Query")
Answer = TypeVar("Answer")


def each(compute: Callable[[Model, Query], Answer]) -> Callable[[Model, Sequence[Any], Spread], list[Any]]:
    """An operation on single queries as one on batches, side by side."""

    def computed(
        model: Model, queries: Sequence[Query], spread: Spread = serially
    ) -> list[Answer | Exception]:
        return attempt_each(lambda query: compute(model, query), queries, spread)

    return computed


def mean(model: Model, query: base.MeanQuery) -> base.Mean:
    found = model.mean(
        [resolve(model, anchor) for anchor in query.anchors],
        None if query.weights is None else list(query.weights),
        query.metric,
        query.weight,
    )
    return base.Mean(
        presented(model, found),
        [numbers(spoke) for spoke in found.spokes],
        numbers(found.distances),
        found.variance,
        found.converged,
    )


def analogy(model: Model, query: base.AnalogyQuery) -> base.Analogy:
    a, b, c = (resolve(model, anchor) for anchor in (query.a, query.b, query.c))
    found = model.analogy(a, b, c, query.metric, query.weight)
    return base.Analogy(presented(model, found), numbers(found.course))


def extrapolation(model: Model, query: base.ExtrapolationQuery) -> base.Extrapolation:
    start, end = resolve(model, query.start), resolve(model, query.end)
    found = model.extrapolate(start, end, query.to, query.metric, query.weight)
    return base.Extrapolation(
        presented(model, found), numbers(found.course), numbers(found.times), found.left
    )


def draw(model: Model, query: base.SampleQuery) -> base.Draw:
    start = None if query.start is None else resolve(model, query.start)
    found = model.sample(query.sampler, query.count, query.seed, query.temperature, start)
    return base.Draw(
        points=numbers(found.points),
        positions=numbers(found.positions),
        in_distribution=np.asarray(found.in_distribution, dtype=bool),
        nearest=tuple(base.Neighbour(*near) for near in found.nearest),
        seed=found.samples.seed,
        temperature=found.samples.temperature,
        acceptance=found.samples.acceptance,
        effective=found.samples.effective,
        escapes=found.samples.escapes,
        caveats=caveats_of(found.caveats),
    )


def traversal(model: Model, query: base.TraversalQuery) -> base.Traversal:
    sound = resolve(model, query.start)
    found = model.traversal(
        sound, query.descriptor, query.steps, query.reach, query.metric, query.weight, query.hold
    )
    return base.Traversal(
        points=numbers(found.points),
        positions=numbers(found.positions),
        values=numbers(found.values),
        in_distribution=np.asarray(found.in_distribution, dtype=bool),
        distances=numbers(found.distances),
        origin=found.origin,
        course=numbers(found.course),
        stopped=dict(found.stopped),
        descriptors=found.descriptors,
        caveats=(*caveats_of_word(query.descriptor), *((SLIGHT_CHANGE,) if found.slight else ())),
        recording=recording_of(model.render_traversal(found)),
    )


def caveats_of_word(descriptor: str) -> tuple[base.Caveat, ...]:
    """What to know before trusting what a word's number says."""
    from sonifold.audio.descriptors import DESCRIPTORS

    caveat = DESCRIPTORS[descriptor].caveat
    return (base.Caveat("descriptor_uncertain", caveat),) if caveat else ()


def indicatrices(model: Model, query: base.IndicatrixQuery) -> base.Indicatrices:
    from sonifold.atlas.indicatrices import indicatrices_on_land

    found = indicatrices_on_land(model.atlas, model.metric(query.metric, query.weight), query.count)
    return base.Indicatrices(
        numbers(found.positions), numbers(found.outlines), np.asarray(found.cut, dtype=bool), found.radius
    )


def neighbours(model: Model, query: base.NeighbourQuery) -> list[base.Neighbour]:
    """The nearest of the library and of the user's own sounds."""
    nearest = model.nearby.nearest(
        resolve(model, query.anchor),
        query.count,
        query.distance,
        query.metric,
        query.weight,
        table_of(model, query.own),
        timbre_of(query.anchor),
        exclude=query.anchor.sound if query.anchor.kept is None else query.anchor.kept.id,
    )
    return [base.Neighbour(id, distance) for id, distance in nearest]


def presented(model: Model, place: Point) -> base.Place:
    """A place as plain data, with what the model makes of it."""
    x, y = (float(value) for value in place.position)
    return base.Place(
        point=numbers(place.z),
        position=(x, y),
        in_distribution=place.in_distribution,
        nearest=tuple(base.Neighbour(id, float(distance)) for id, distance in place.nearest),
        caveats=caveats_of(place.caveats),
        recording=recording_of(model.decode(place.z[None])),
    )


def caveats_of(caveats: Sequence[Caveat]) -> tuple[base.Caveat, ...]:
    return tuple(base.Caveat(one.code, one.text) for one in caveats)
