"""Sounds, or the steps of a morph, as an instrument."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sonifold.instruments.bundle import Bundle, build
from sonifold.instruments.format import format_named
from sonifold.instruments.instrument import KeySound
from sonifold.instruments.names import check_pattern, renamed
from sonifold.instruments.package import SoundOptions
from sonifold_app.engine.operations.exports import sound_clips
from sonifold_app.engine.operations.paths import legs_of
from sonifold_app.engine.parallel import each
from sonifold_app.engine.protocol import Operation
from sonifold_app.engine.questions import Anchor, ExportQuery, InstrumentOptions, MorphExport

if TYPE_CHECKING:
    from sonifold.model import Model


def instrument(model: Model, query: ExportQuery) -> Bundle:
    """An instrument of what the query names. Raises InstrumentInvalid, ValueError."""
    from sonifold.instruments.sources import shaped

    options = query.instrument
    if options is None:
        raise ValueError("the query names no kind of instrument.")
    format_named(options.name).layout(options.layout, is_morph=query.morph is not None)
    check_pattern(options.pattern)
    sounds = steps(model, query.morph) if query.morph else singles(model, query)
    sounds = shaped(sounds, trim=query.options.trim, normalise=query.options.level == "normalise")
    return build(
        title_of(options, query, sounds),
        renamed(sounds, options.pattern),
        options.name,
        options.layout,
        SoundOptions(options.sound_format, query.options.depth),
        is_morph=query.morph is not None,
    )


def steps(model: Model, morph: MorphExport) -> list[KeySound]:
    """The steps of a morph."""
    from sonifold.instruments.sources import of_steps

    query = morph.query
    (leg,) = legs_of(model, (query.start, query.end))
    path = model.paths([leg], query.kinds[0], query.metric, query.weight, query.steps)[0]
    _, clip = model.morph(path)
    if all(morph.names) and clip.provenance:
        clip = replace(clip, provenance=replace(clip.provenance, title=" to ".join(morph.names)))
    return of_steps(clip)


def singles(model: Model, query: ExportQuery) -> list[KeySound]:
    """Single sounds under their names, with the families and pitches that the library knows."""
    from sonifold.instruments.sources import of_clip

    clips = sound_clips(model, query.sounds, query.names)
    return [
        of_clip(clip, clip.provenance.title if clip.provenance else stem, *family_and_pitch(model, anchor))
        for (stem, clip), anchor in zip(clips, query.sounds, strict=True)
    ]


def family_and_pitch(model: Model, anchor: Anchor) -> tuple[str, float | None]:
    """Of a library sound; of others neither is known."""
    if anchor.sound is None or anchor.user_sound is not None:
        return "", None
    label = model.library.labels[model.library.index(anchor.sound)]
    return label.family, label.pitch_hz


def title_of(options: InstrumentOptions, query: ExportQuery, sounds: list[KeySound]) -> str:
    """The title that was chosen; without one both ends of a morph, one sound's name, or how many they are."""
    if options.title:
        return options.title
    about = sounds[0].provenance
    if query.morph and about:
        return about.title.rpartition(", ")[0] or about.title
    return sounds[0].name if len(sounds) == 1 else f"{len(sounds)} sounds"


INSTRUMENT = Operation("instrument", ExportQuery, Bundle, each(instrument), most=2, rank=1)
