"""Sounds to be saved as files: rendered anew with every bit that the format has room for, not only the 16 of the copy
that is listened to.

torch is imported where it is used: the server answers before it is there.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sonifold.audio.archive import SoundFile
from sonifold.audio.provenance import Provenance, Source, of_recording
from sonifold.model.provenance import source_labelled, version_of
from sonifold_app.engine.operations.paths import legs_of
from sonifold_app.engine.operations.sounds import resolve
from sonifold_app.engine.parallel import each
from sonifold_app.engine.protocol import Operation
from sonifold_app.engine.questions import Anchor, ExportQuery, FileOptions, MorphExport

if TYPE_CHECKING:
    from sonifold.audio.clip import Clip
    from sonifold.model import Model

#: Names in file names of the kinds of path but the geodesic.
KIND_NAMES = {"linear": "straight", "retimed": "re-timed", "graph": "via-sounds"}


def export(model: Model, query: ExportQuery) -> list[SoundFile]:
    """The files of an export, in order."""
    from sonifold.audio.formats import FORMATS

    named = morph_clips(model, query.morph) if query.morph else sound_clips(model, query.sounds, query.names)
    suffix = FORMATS[query.options.format].suffixes[0]
    return [
        SoundFile(f"{stem}.{suffix}", encoded(clip, query.options), clip.provenance) for stem, clip in named
    ]


def encoded(clip: Clip, options: FileOptions) -> bytes:
    """A clip of one sound as a file, at the level and length of the options."""
    if options.trim:
        clip = clip.trimmed()
    if options.level == "normalise":
        clip = clip.normalised()
    return clip.to_bytes(options.format, options.depth)


def morph_clips(model: Model, morph: MorphExport) -> list[tuple[str, Clip]]:
    """The sounds of a path between two anchors, each with the stem of its file's name."""
    from sonifold.audio.archive import file_stem, numbered
    from sonifold.morph.rhythm import played_durations

    query = morph.query
    (leg,) = legs_of(model, (query.start, query.end))
    kind = query.kinds[0]
    (path,) = model.paths([leg], kind=kind, metric=query.metric, weight=query.weight, steps=query.steps)
    ends = [file_stem(name or sound.name or "place") for name, sound in zip(morph.names, leg, strict=True)]
    stem = "-".join([f"{ends[0]}-to-{ends[1]}", *([KIND_NAMES[kind]] if kind in KIND_NAMES else [])])
    if query.mode == "glide":
        return [(f"{stem}-glide", model.render_glide(path, seconds=query.seconds))]
    _, clip = model.morph(path)
    if morph.joined:
        return [(f"{stem}-steps", clip.in_rhythm(morph.durations or played_durations(clip)))]
    steps = clip.each()
    indices = range(len(steps)) if morph.only is None else (morph.only - 1,)
    return [(numbered(stem, index, len(steps)), steps[index]) for index in indices]


def sound_clips(model: Model, anchors: Sequence[Anchor], names: Sequence[str]) -> list[tuple[str, Clip]]:
    """Sounds as they are, or what the model makes of points and positions, each with the stem of its file's name."""
    from sonifold.audio.archive import distinct, file_stem

    clips = [clip_of(model, anchor) for anchor in anchors]
    named = [titled(clip, name) for clip, name in zip(clips, names or [""] * len(clips), strict=True)]
    stems = [file_stem(clip.provenance.title if clip.provenance else "") for clip in named]
    return list(zip(distinct(stems), named, strict=True))


def titled(clip: Clip, name: str) -> Clip:
    if not name or clip.provenance is None:
        return clip
    return replace(clip, provenance=replace(clip.provenance, title=name))


def clip_of(model: Model, anchor: Anchor) -> Clip:
    """The recording of a library sound or of the user's; what the model makes of a point or position."""
    import soundfile
    import torch

    from sonifold.audio.clip import Clip

    if anchor.user_sound is not None:
        samples, sample_rate = soundfile.read(io.BytesIO(anchor.user_sound.audio), dtype="float32")
        source = Source(anchor.user_sound.name, origin=anchor.user_sound.origin)
        return Clip(torch.from_numpy(samples), sample_rate, recorded(model, source))
    if anchor.sound is not None:
        label = model.library.labels[model.library.index(anchor.sound)]
        audio = model.library.audio(anchor.sound)
        return Clip(audio, model.sample_rate, recorded(model, source_labelled(label)))
    return model.decode(resolve(model, anchor).z[None]).each()[0]


def recorded(model: Model, source: Source) -> Provenance:
    return of_recording(model.name, version_of(model), source)


EXPORT = Operation("export", ExportQuery, list[SoundFile], each(export), most=2, rank=1)
