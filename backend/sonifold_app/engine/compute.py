"""What the engine does with a model: functions that take a batch and give each item a result or an exception.

``spread`` computes independent parts of a batch at the same time. torch is imported where it is used: the server
answers before it is there.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sonifold import errors
from sonifold.audio.provenance import of_recording, provenance_of
from sonifold.model.provenance import source_labelled, version_of
from sonifold_app.engine.base import (
    Anchor,
    AudioFormat,
    Caveat,
    Decoded,
    Embedding,
    Hearing,
    Kept,
    Morph,
    MorphQuery,
    Neighbour,
    Numbers,
    OwnPlaces,
    PathQuery,
    Provenance,
    Recording,
    StoredAudio,
    TracedPath,
    Upload,
)
from sonifold_app.engine.batching import Spread, all_or_error, attempt_each, by_group, serially
from sonifold_app.engine.finite import checked

if TYPE_CHECKING:
    from torch import Tensor

    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.model.neighbours import SoundTable
    from sonifold.morph.path import Path as LatentPath
    from sonifold.sound import Sound

#: Neighbours named in an embedding.
NEAREST = 5
#: Own sounds that stay ready to be walked from.
RECENT = 32


def traces(
    model: Model, queries: Sequence[PathQuery], spread: Spread = serially
) -> list[list[TracedPath] | Exception]:
    """Paths along the legs of each query."""
    legs = attempt_each(lambda query: legs_of(model, query.anchors), queries)
    asked = [
        (leg, query.kind, query)
        for query, some in zip(queries, legs, strict=True)
        if not isinstance(some, Exception)
        for leg in some
    ]
    paths = iter(solve(model, asked, spread))
    return [
        some if isinstance(some, Exception) else all_or_error([present(next(paths)) for _ in some])
        for some in legs
    ]


def morphs(
    model: Model, queries: Sequence[MorphQuery], spread: Spread = serially
) -> list[list[Morph] | Exception]:
    """Paths of each kind of each query, and their sound."""
    legs = attempt_each(lambda query: legs_of(model, (query.start, query.end)), queries)
    asked = [
        (leg, kind, query)
        for query, some in zip(queries, legs, strict=True)
        if not isinstance(some, Exception)
        for leg in some
        for kind in query.kinds
    ]
    paths = solve(model, asked, spread)
    made = iter(
        render(model, [(path, query) for path, (_, _, query) in zip(paths, asked, strict=True)], spread)
    )
    return [
        some if isinstance(some, Exception) else all_or_error([next(made) for _ in query.kinds])
        for query, some in zip(queries, legs, strict=True)
    ]


def decodings(model: Model, asked: Sequence[Hearing], spread: Spread = serially) -> list[Decoded | Exception]:
    import torch

    sounds = attempt_each(lambda one: resolve(model, one.anchor), asked)
    plain = [
        sound
        for sound, one in zip(sounds, asked, strict=True)
        if not isinstance(sound, Exception) and not one.amounts
    ]
    together = iter(model.decode(torch.stack([sound.z for sound in plain])).each() if plain else ())

    def decoded(given: tuple[Sound | Exception, Hearing]) -> Decoded:
        sound, one = given
        if isinstance(sound, Exception):
            raise sound
        clip = turned(model, sound, dict(one.amounts)) if one.amounts else next(together)
        ((x, y),) = numbers(model.project(sound.z[None]))
        return Decoded(recording_of(clip), (float(x), float(y)))

    return attempt_each(decoded, zip(sounds, asked, strict=True))


def turned(model: Model, sound: Sound, amounts: Mapping[str, float]) -> Clip:
    """A latent point as an adapted model's sliders change it."""
    from sonifold import adapt
    from sonifold.model.provenance import of_changed

    if not isinstance(model, adapt.AdaptedModel):
        raise errors.PointInvalid(f"{model.name} has no sliders; adapt it to some sounds of yours first.")
    bare = model.point(sound.z)
    clip = adapt.play(model, adapt.turned(model, bare, model.sliders, amounts))
    return replace(clip, provenance=of_changed(model, sound, "sliders", amounts=dict(amounts)))


def descriptions(
    model: Model, anchors: Sequence[Anchor], spread: Spread = serially
) -> list[Mapping[str, float] | Exception]:
    """Descriptors of each anchor as it is heard, all in one pass of the decoder."""
    import torch

    sounds = attempt_each(lambda anchor: resolve(model, anchor), anchors)
    good = [sound for sound in sounds if not isinstance(sound, Exception)]
    with torch.no_grad():
        columns = (
            {name: values.tolist() for name, values in model.traversals.describe(good).items()}
            if good
            else {}
        )
    described = iter(
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    )
    return [sound if isinstance(sound, Exception) else next(described) for sound in sounds]


def embeddings(
    model: Model, uploads: Sequence[Upload], spread: Spread = serially
) -> list[Embedding | Exception]:
    def embed(upload: Upload) -> Embedding:
        sound = model.encode(upload.data, name=upload.name)
        ((x, y),) = numbers(model.project(sound.z[None]))
        nearest = tuple(
            Neighbour(id, float(distance)) for id, distance in model.neighbours(sound, NEAREST, "perceptual")
        )
        seconds = sound.seconds or 0.0
        caveats = tuple(Caveat(one.code, one.text) for one in sound.caveats)
        return Embedding(upload.name, seconds, numbers(sound.z), (float(x), float(y)), nearest, caveats)

    return attempt_each(embed, uploads, spread)


def legs_of(model: Model, anchors: Sequence[Anchor]) -> list[tuple[Sound, Sound]]:
    """The pairs of sounds between which a way through anchors leads."""
    return list(itertools.pairwise(resolve(model, anchor) for anchor in anchors))


def resolve(model: Model, anchor: Anchor) -> Sound:
    """The sound that an anchor means."""
    if anchor.sound is not None:
        return model.sound(anchor.sound)
    if anchor.kept is not None:
        return recall(model, anchor.kept)
    if anchor.point is not None:
        return model.point(list(anchor.point))
    assert anchor.position is not None, "an anchor is one of four things"
    return model.at(*anchor.position)


@lru_cache(RECENT)
def recall(model: Model, kept: Kept) -> Sound:
    """An own sound with its residual, as an end of a path; the last few stay ready."""
    import soundfile
    import torch

    samples, _ = soundfile.read(io.BytesIO(kept.audio), dtype="float32")
    return model.recorded(torch.from_numpy(samples), torch.from_numpy(kept.z), kept.name, kept.seconds)


def solve(
    model: Model, asked: Sequence[tuple[tuple[Sound, Sound], str, PathQuery | MorphQuery]], spread: Spread
) -> list[LatentPath | Exception]:
    """Solve for paths, all those together that ask for the same kind under the same metric."""
    return by_group(
        asked,
        lambda one: (one[1], one[2].metric, one[2].weight, one[2].steps),
        lambda group, of: model.paths(
            [pair for pair, _, _ in of], kind=group[0], metric=group[1], weight=group[2], steps=group[3]
        ),
        spread,
    )


def render(
    model: Model, asked: Sequence[tuple[LatentPath | Exception, MorphQuery]], spread: Spread
) -> list[Morph | Exception]:
    """Make paths audible; each comes back as it is heard."""

    def sound(one: tuple[LatentPath | Exception, MorphQuery]) -> Morph:
        path, query = one
        if isinstance(path, Exception):
            raise path
        if query.mode == "glide":
            return Morph(traced(path), recording_of(model.render_glide(path, seconds=query.seconds)))
        heard, clip = model.morph(path)
        return Morph(traced(heard), recording_of(clip))

    return attempt_each(sound, asked, spread)


def placed(model: Model, points: Numbers) -> Numbers:
    import torch

    z = torch.stack([model.point(point).z for point in points.tolist()])
    return numbers(model.project(z))


def lifted(model: Model, positions: Numbers) -> Numbers:
    import torch

    return numbers(torch.stack([model.at(x, y).z for x, y in positions.tolist()]))


def distances_of(model: Model, anchor: Anchor, own: OwnPlaces | None = None) -> Numbers:
    timbre = timbre_of(anchor)
    if timbre is None:
        timbre = model.timbre(resolve(model, anchor))
    return numbers(model.nearby.perceptual(timbre, table_of(model, own)))


def timbre_of(anchor: Anchor) -> Tensor | None:
    """Phi of a user's sound, (512,), as it was stored; None of other anchors."""
    import torch

    return None if anchor.kept is None else torch.from_numpy(anchor.kept.timbre)


def table_of(model: Model, own: OwnPlaces | None) -> SoundTable:
    """The library's sounds, and the user's after them."""
    import torch

    if own is None:
        return model.nearby.library
    return model.nearby.library.with_sounds(own.ids, torch.from_numpy(own.z), torch.from_numpy(own.timbre))


def original_of(model: Model, sound: str) -> StoredAudio:
    format = cast(AudioFormat, model.library.audio_format)
    label = model.library.labels[model.library.index(sound)]
    about = of_recording(model.name, version_of(model), source_labelled(label))
    return StoredAudio(model.library.audio_bytes(sound), format, about)


def converted(audio: bytes, format: AudioFormat, provenance: Provenance | None = None) -> bytes:
    import soundfile
    import torch

    from sonifold.audio.clip import Clip

    with soundfile.SoundFile(io.BytesIO(audio)) as file:
        provenance = provenance or provenance_of(file.comment)
        samples, sample_rate = file.read(dtype="float32"), file.samplerate
    return Clip(torch.from_numpy(samples), sample_rate, provenance).to_bytes(format)


# -- presenting --------------------------------------------------------------------------------


def present(path: LatentPath | Exception) -> TracedPath | Exception:
    """A path as plain data, or why there is none."""
    return path if isinstance(path, Exception) else traced(path)


def traced(path: LatentPath) -> TracedPath:
    """A path as plain data."""
    return TracedPath(
        kind=path.kind,
        metric=path.metric,
        weight=float(path.weight),
        length=float(path.length),
        line_length=float(path.line_length),
        energy=float(path.energy),
        line_energy=float(path.line_energy),
        speed=numbers(path.speed),
        speed_variation=float(path.speed_variation),
        outcome=str(path.outcome),
        converged=bool(path.converged),
        map=numbers(path.map),
        step_positions=numbers(path.step_positions),
        on_land=np.asarray(path.on_land, dtype=bool),
        water=float(path.water),
        guesswork=float(path.guesswork),
        nodes=numbers(path.nodes),
        descriptors=path.descriptors,
    )


def recording_of(clip: Clip) -> Recording:
    checked(numbers(clip.audio))  # as samples of a file, NaN would be some number
    return Recording(clip.to_bytes("wav"), clip.audio.numel(), clip.sample_rate)


def numbers(values: Any) -> Numbers:
    """A tensor on any device, or anything numpy takes, as float32."""
    detach = getattr(values, "detach", None)
    return np.asarray(detach().cpu() if detach else values, dtype=np.float32)
