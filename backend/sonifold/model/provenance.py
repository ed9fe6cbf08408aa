"""Provenance of the sounds that a model makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sonifold.audio.provenance import Provenance, Source, short, unique

if TYPE_CHECKING:
    from torch import Tensor

    from sonifold.model.core import LatentModel
    from sonifold.model.outline import Described
    from sonifold.model.traversal import Traversal
    from sonifold.morph.path import Path as LatentPath
    from sonifold.pack.library import Label
    from sonifold.sound import Sound


def of_path(model: LatentModel, path: LatentPath, mode: str, **facts: Any) -> Provenance:
    """The provenance of a path made audible: ``mode`` is ``steps``, one part each, or ``glide``."""
    ends = (source_from(model, path.start, "A"), source_from(model, path.end, "B"))
    steps = [{"step": step, "place": short(time)} for step, time in enumerate(path.times.tolist(), start=1)]
    return Provenance(
        title=f"{ends[0].name} to {ends[1].name}",
        model=model.name,
        version=version_of(model),
        sources=ends,
        facts={
            "mode": mode,
            "path": path.kind,
            "metric": path.metric,
            "weight": short(path.weight),
            "length": short(path.length),
            "unit": model.unit,
            "steps": path.steps,
            **facts,
        },
        parts=tuple(steps) if mode == "steps" else (),
    )


def of_points(model: LatentModel, points: Tensor) -> Provenance:
    """The provenance of what the model makes of latent points (batch, latent), one part each."""
    parts = tuple({"point": [short(value) for value in point]} for point in points.tolist())
    sources = (library_of(model),)
    about = Provenance(
        "A sound of the model", model.name, version_of(model), sources, {"mode": "point"}, parts
    )
    return about.of_part(0) if len(parts) == 1 else about


def of_traversal(model: LatentModel, traversal: Traversal) -> Provenance:
    """The provenance of less and more of what a word says, one part a step."""
    source = source_from(model, traversal.sound)
    parts = [
        {"step": step, traversal.descriptor: short(value)}
        for step, value in enumerate(traversal.values, start=1)
    ]
    facts = {"mode": "travel", "descriptor": traversal.descriptor}
    title = f"{source.name}, {traversal.descriptor}"
    return Provenance(title, model.name, version_of(model), (source,), facts, tuple(parts))


def of_changed(model: LatentModel, sound: Sound, mode: str, **facts: Any) -> Provenance:
    """The provenance of a sound that was changed as ``mode`` and ``facts`` say."""
    source = source_from(model, sound)
    return Provenance(source.name, model.name, version_of(model), (source,), {"mode": mode, **facts})


def source_from(model: LatentModel, sound: Sound, role: str = "") -> Source:
    """A sound as a source: of the library with its licence and credit, one's own, or a bare point."""
    if sound.id is not None:
        return source_labelled(model.library.labels[model.library.index(sound.id)], role)
    if sound.recorded:
        return Source(sound.name or "a recording", role, file=sound.file)
    return replace(library_of(model), name=sound.name or "a point of the map", role=role)


def library_of(model: LatentModel) -> Source:
    """The sounds that a model learned from, as the source of what it makes by itself."""
    labels = model.library.labels
    return Source(
        model.title, "model", None, "made by the model", "; ".join(unique(label.licence for label in labels))
    )


def source_labelled(label: Label, role: str = "") -> Source:
    """A library sound as a source."""
    return Source(label.name, role, label.id, label.source, label.licence, label.credit)


def version_of(model: Described) -> str:
    """A pack's version and the beginning of its weights' sha256."""
    return f"{model.config.version}-{model.config.files['weights.safetensors'][:12]}"
