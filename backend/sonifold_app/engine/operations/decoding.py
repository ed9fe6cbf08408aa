"""Single points and sounds: decoded, described, converted to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sonifold import errors
from sonifold.audio.memory import memory_file
from sonifold.audio.ogg import tagged
from sonifold.audio.provenance import of_recording, provenance_of
from sonifold.model.provenance import source_labelled, version_of
from sonifold_app.engine.answers import DecodedFacts, Recording, Rendered
from sonifold_app.engine.operations.sounds import position_of, recording_of, resolve
from sonifold_app.engine.parallel import MapParallel, attempt_each, each, map_serially
from sonifold_app.engine.protocol import Lane, Operation
from sonifold_app.engine.questions import (
    Anchor,
    ConversionQuery,
    DecodeQuery,
    LibraryFileQuery,
    SeparateQuery,
)

if TYPE_CHECKING:
    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.sound import Sound


def decodings(
    model: Model, queries: Sequence[DecodeQuery], map_parallel: MapParallel = map_serially
) -> list[Rendered[DecodedFacts] | Exception]:
    """What the model makes of each anchor's latent point alone, without what it had left out; of an adapted model,
    with an amount of each of its sliders.
    """
    import torch

    sounds = attempt_each(lambda query: resolve(model, query.anchor), queries)
    points = [
        sound.z
        for sound, query in zip(sounds, queries, strict=True)
        if not isinstance(sound, Exception) and not query.amounts
    ]
    clips = iter(model.decode(torch.stack(points)).each() if points else ())

    def decoded(pair: tuple[Sound | Exception, DecodeQuery]) -> Rendered[DecodedFacts]:
        sound, query = pair
        if isinstance(sound, Exception):
            raise sound
        clip = turned(model, sound, dict(query.amounts)) if query.amounts else next(clips)
        x, y = position_of(model, sound.z)
        return Rendered(DecodedFacts(x=x, y=y), recording_of(clip))

    return attempt_each(decoded, zip(sounds, queries, strict=True))


def turned(model: Model, sound: Sound, amounts: Mapping[str, float]) -> Clip:
    """A latent point as an adapted model's sliders change it. Raises PointInvalid for a model without sliders."""
    from sonifold import adapt
    from sonifold.model.provenance import of_changed

    if not isinstance(model, adapt.AdaptedModel):
        raise errors.PointInvalid(f"{model.name} has no sliders; adapt it to some sounds of yours first.")
    bare = model.point(sound.z)
    clip = adapt.play(model, adapt.turned(model, bare, model.sliders, amounts))
    return replace(clip, provenance=of_changed(model, sound, "sliders", amounts=dict(amounts)))


def descriptions(
    model: Model, anchors: Sequence[Anchor], map_parallel: MapParallel = map_serially
) -> list[Mapping[str, float] | Exception]:
    """The descriptors of each anchor as it is heard, all in one pass of the decoder."""
    import torch

    sounds = attempt_each(lambda anchor: resolve(model, anchor), anchors)
    resolved = [sound for sound in sounds if not isinstance(sound, Exception)]
    columns: dict[str, list[float]] = {}
    if resolved:
        with torch.no_grad():
            described = model.traversals.describe(resolved)
        columns = {name: values.tolist() for name, values in described.items()}
    values_of = iter(
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    )
    return [sound if isinstance(sound, Exception) else next(values_of) for sound in sounds]


def library_file(model: Model, query: LibraryFileQuery) -> bytes:
    """A library sound as a file: the pack's own, or written anew with its provenance."""
    data = model.library.audio_bytes(query.sound)
    if query.format == model.library.audio_format and not query.tagged:
        return data
    label = model.library.labels[model.library.index(query.sound)]
    provenance = of_recording(model.name, version_of(model), source_labelled(label))
    return convert(None, ConversionQuery(data, query.format, provenance))


def convert(model: None, query: ConversionQuery) -> bytes:
    """The same sound in another file format, with its provenance."""
    if query.format == "ogg" and query.provenance and query.audio.startswith(b"OggS"):
        return tagged(query.audio, query.provenance.tags())  # Vorbis once more would lose some of the sound
    clip = clip_of(query.audio)
    return replace(clip, provenance=query.provenance or clip.provenance).to_bytes(query.format)


def separated(model: None, query: SeparateQuery) -> list[Recording]:
    """The steps of a morph, each as a file of its own."""
    whole = clip_of(query.audio)
    steps = replace(whole, audio=whole.audio.reshape(query.steps, -1))
    return [recording_of(step) for step in steps.each()]


def clip_of(file: bytes) -> Clip:
    """The sound and the provenance in a file."""
    import soundfile
    import torch

    from sonifold.audio.clip import Clip

    with memory_file(file) as memory, soundfile.SoundFile(memory, closefd=False) as opened:
        samples = torch.from_numpy(opened.read(dtype="float32"))
        return Clip(samples, opened.samplerate, provenance_of(opened.comment))


DECODE = Operation("decode", DecodeQuery, Rendered[DecodedFacts], decodings, most=32, seconds=0.05)
DESCRIBE = Operation("describe", Anchor, Mapping[str, float], descriptions, most=64)
LIBRARY_FILE = Operation("library_file", LibraryFileQuery, bytes, each(library_file), Lane.LIGHT)
CONVERT = Operation("convert", ConversionQuery, bytes, each(convert), Lane.LIGHT)
SEPARATE = Operation("separate", SeparateQuery, list[Recording], each(separated), Lane.LIGHT)
