"""New points from others: averages, analogies, extrapolations, samples, traversals; and what lies around a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonifold_app.engine.answers import (
    AnalogyFacts,
    Caveat,
    Diagnostics,
    Distances,
    Ellipse,
    ExtrapolationFacts,
    Indicatrices,
    Magnification,
    MeanFacts,
    Neighbour,
    Neighbours,
    Rendered,
    Sample,
    Samples,
    TraversalFacts,
)
from sonifold_app.engine.choices import DistanceName, MetricName
from sonifold_app.engine.numbers import Numbers, numbers, rows
from sonifold_app.engine.operations.sounds import caveats_of, recording_of, resolve, table_of, timbre_of
from sonifold_app.engine.parallel import each
from sonifold_app.engine.protocol import Lane, Operation
from sonifold_app.engine.questions import (
    AnalogyQuery,
    DistanceQuery,
    ExtrapolationQuery,
    IndicatrixQuery,
    MagnificationQuery,
    MeanQuery,
    NeighbourQuery,
    SampleQuery,
    TraversalQuery,
)

if TYPE_CHECKING:
    from sonifold.model import Model
    from sonifold.model.distribution import Point

SLIGHT_CHANGE = Caveat(
    code="descriptor_hardly_moves", text="the whole slider hardly changes this sound: expect to hear little"
)


def mean(model: Model, query: MeanQuery) -> Rendered[MeanFacts]:
    """The weighted Frechet mean of anchors."""
    point = model.mean(
        [resolve(model, anchor) for anchor in query.anchors],
        None if query.weights is None else list(query.weights),
        query.metric,
        query.weight,
    )
    facts = MeanFacts(
        **point_fields(model, point),
        spokes=point.spokes,
        distances=point.distances,
        variance=point.variance,
    )
    return Rendered(facts, recording_of(model.decode(point.z[None])))


def analogy(model: Model, query: AnalogyQuery) -> Rendered[AnalogyFacts]:
    """The point that relates to C as B relates to A."""
    a, b, c = (resolve(model, anchor) for anchor in (query.a, query.b, query.c))
    point = model.analogy(a, b, c, query.metric, query.weight)
    facts = AnalogyFacts(**point_fields(model, point), course=point.course)
    return Rendered(facts, recording_of(model.decode(point.z[None])))


def extrapolation(model: Model, query: ExtrapolationQuery) -> Rendered[ExtrapolationFacts]:
    """A point beyond the end, seen from the start."""
    start, end = resolve(model, query.start), resolve(model, query.end)
    point = model.extrapolate(start, end, query.to, query.metric, query.weight)
    facts = ExtrapolationFacts(
        **point_fields(model, point), course=point.course, times=point.times, left=point.left
    )
    return Rendered(facts, recording_of(model.decode(point.z[None])))


def point_fields(model: Model, point: Point) -> dict[str, Any]:
    """The fields that all new points have."""
    x, y = point.position
    nearest = [Neighbour(id=id, distance=distance) for id, distance in point.nearest]
    return {
        "unit": model.unit,
        "point": point.z,
        "x": x,
        "y": y,
        "in_distribution": point.in_distribution,
        "decoded_distance": nearest[0].distance,
        "nearest": nearest,
        "warnings": caveats_of(point.caveats),
    }


def samples(model: Model, query: SampleQuery) -> Samples:
    """New points by one of the model's samplers."""
    start = None if query.start is None else resolve(model, query.start)
    draw = model.sample(query.sampler, query.count, query.seed, query.temperature, start, query.metric)
    columns = zip(rows(draw.points), rows(draw.positions), draw.in_distribution, draw.nearest, strict=True)
    return Samples(
        unit=model.unit,
        sampler=query.sampler,
        metric=query.metric,
        seed=draw.samples.seed,
        temperature=draw.samples.temperature,
        diagnostics=Diagnostics.model_validate(draw.samples),
        warnings=caveats_of(draw.caveats),
        samples=[
            Sample(
                point=point,
                x=x,
                y=y,
                in_distribution=bool(in_distribution),
                nearest=Neighbour(id=id, distance=distance),
            )
            for point, (x, y), in_distribution, (id, distance) in columns
        ],
    )


def traversal(model: Model, query: TraversalQuery) -> Rendered[TraversalFacts]:
    """Less and more of a descriptor, along its natural gradient, with its sound."""
    from sonifold.audio.descriptors import DESCRIPTORS

    traversal = model.traversal(
        resolve(model, query.start),
        query.descriptor,
        query.steps,
        query.reach,
        query.metric,
        query.weight,
        query.hold,
    )
    facts = TraversalFacts(
        descriptor=query.descriptor,
        unit=DESCRIPTORS[query.descriptor].unit,
        distance_unit=model.unit,
        origin=traversal.origin,
        values=numbers(traversal.values).tolist(),
        points=traversal.points,
        positions=traversal.positions,
        in_distribution=traversal.in_distribution,
        distances=numbers(traversal.distances).tolist(),
        course=traversal.course,
        stopped=traversal.stopped,
        descriptors=traversal.descriptors,
        warnings=[*uncertainty_of(query.descriptor), *([SLIGHT_CHANGE] if traversal.slight else [])],
        sample_rate=model.sample_rate,
        step_samples=model.sound_samples,
    )
    return Rendered(facts, recording_of(model.render_traversal(traversal)))


def uncertainty_of(descriptor: str) -> list[Caveat]:
    """Caveats of a descriptor's values."""
    from sonifold.audio.descriptors import DESCRIPTORS

    caveat = DESCRIPTORS[descriptor].caveat
    return [Caveat(code="descriptor_uncertain", text=caveat)] if caveat else []


def indicatrices(model: Model, query: IndicatrixQuery) -> Indicatrices:
    """Ellipses of equal distance under a metric, evenly over the land of the map."""
    from sonifold.atlas.indicatrices import indicatrices_on_land

    field = indicatrices_on_land(model.atlas, model.metric(query.metric, query.weight), query.count)
    columns = zip(rows(field.positions), field.outlines, field.cut, strict=True)
    return Indicatrices(
        metric=query.metric,
        radius=field.radius,
        ellipses=[Ellipse(x=x, y=y, outline=outline, cut=bool(cut)) for (x, y), outline, cut in columns],
    )


def magnification(model: Model, query: MagnificationQuery) -> Magnification:
    """How much a metric magnifies, on a grid over the map."""
    from sonifold.atlas.magnification import magnification_field

    field = magnification_field(model.atlas, model.metric(query.metric, query.weight))
    return Magnification(
        metric=query.metric,
        x=field.x,
        y=field.y,
        values=field.values,
        coast=field.coast,
        levels=field.levels,
    )


def neighbours(model: Model, query: NeighbourQuery) -> Neighbours:
    """The nearest of the library's and the user's sounds, nearest first, the sound itself left out."""
    anchor, distance = query.anchor, DistanceName.asked_for(query.distance, query.metric, query.weight)
    nearest = model.nearby.nearest(
        resolve(model, anchor),
        query.count,
        distance,
        query.metric,
        query.weight,
        table_of(model, query.user_sounds),
        timbre_of(anchor),
        exclude=anchor.sound if anchor.user_sound is None else anchor.user_sound.id,
    )
    in_unit = distance is DistanceName.PERCEPTUAL or (
        distance is DistanceName.GEODESIC and query.metric in (None, MetricName.PULLBACK)
    )
    return Neighbours(
        unit=model.unit if in_unit else None,
        distance=distance,
        neighbours=[Neighbour(id=id, distance=away) for id, away in nearest],
    )


def distances(model: Model, query: DistanceQuery) -> Distances:
    """Perceptual distances to every library sound and then every user's sound, in their orders."""
    timbre = timbre_of(query.anchor)
    if timbre is None:
        timbre = model.timbre(resolve(model, query.anchor))
    distances = model.nearby.perceptual(timbre, table_of(model, query.user_sounds))
    return Distances(unit=model.unit, distance=DistanceName.PERCEPTUAL, distances=distances)


def project(model: Model, points: Numbers) -> Numbers:
    """Latent points (b, latent) -> positions on the map (b, 2)."""
    import torch

    z = torch.stack([model.point(point).z for point in points.tolist()])
    return numbers(model.project(z))


def lift(model: Model, positions: Numbers) -> Numbers:
    """Positions on the map (b, 2) -> latent points (b, latent)."""
    import torch

    return numbers(torch.stack([model.at(x, y).z for x, y in positions.tolist()]))


MEAN = Operation("mean", MeanQuery, Rendered[MeanFacts], each(mean))
ANALOGY = Operation("analogy", AnalogyQuery, Rendered[AnalogyFacts], each(analogy))
EXTRAPOLATE = Operation("extrapolate", ExtrapolationQuery, Rendered[ExtrapolationFacts], each(extrapolation))
SAMPLE = Operation("sample", SampleQuery, Samples, each(samples), most=2)
TRAVERSE = Operation("traverse", TraversalQuery, Rendered[TraversalFacts], each(traversal))
INDICATRICES = Operation("indicatrices", IndicatrixQuery, Indicatrices, each(indicatrices), most=2)
MAGNIFICATION = Operation("magnification", MagnificationQuery, Magnification, each(magnification), most=1)
NEIGHBOURS = Operation("neighbours", NeighbourQuery, Neighbours, each(neighbours), most=8)
DISTANCES = Operation("distances", DistanceQuery, Distances, each(distances), Lane.LIGHT)
PROJECT = Operation("project", Numbers, Numbers, each(project), Lane.LIGHT)
LIFT = Operation("lift", Numbers, Numbers, each(lift), Lane.LIGHT)
