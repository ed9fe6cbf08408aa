"""What listening tests play: a pair of sounds under a condition as one sound, and two such sounds of one loudness."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sonifold_app.engine.answers import MatchedPair, Rendered, Stimulus
from sonifold_app.engine.choices import CROSSFADE
from sonifold_app.engine.operations.sounds import recording_of, resolve
from sonifold_app.engine.parallel import each
from sonifold_app.engine.protocol import Lane, Operation
from sonifold_app.engine.questions import StimulusPair, StimulusQuery

if TYPE_CHECKING:
    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.sound import Sound


def stimulus(model: Model, query: StimulusQuery) -> Rendered[Stimulus]:
    """A pair as it is heard under its condition."""
    ends = resolve(model, query.start), resolve(model, query.end)
    if query.kind == CROSSFADE:
        return Rendered(Stimulus(length=None, speed_variation=None), recording_of(faded(model, ends, query)))
    (path,) = model.paths(
        [ends], kind=query.kind, metric=query.metric, weight=query.weight, steps=query.steps
    )
    if query.mode == "glide":
        facts, clip = path, model.render_glide(path, seconds=query.seconds)
    else:
        facts, clip = model.morph(path)
        clip = clip.in_rhythm([query.step_seconds] * query.steps)
    return Rendered(Stimulus.model_validate(facts), recording_of(clip))


def faded(model: Model, ends: tuple[Sound, Sound], query: StimulusQuery) -> Clip:
    """The cross-fade of two recordings, laid out in time as a path is."""
    from sonifold.audio.clip import Clip
    from sonifold.morph.crossfade import cross_fade
    from sonifold.morph.glide import glide

    start, end = (sound.audio for sound in ends)
    assert start is not None, "pairs are of sounds, which have recordings"
    assert end is not None
    steps = cross_fade(start, end, query.steps)
    if query.mode == "glide":
        return Clip(glide(steps, query.seconds, model.representation), model.sample_rate)
    return Clip(steps, model.sample_rate).in_rhythm([query.step_seconds] * query.steps)


def match(model: None, pair: StimulusPair) -> MatchedPair:
    """Two sounds of one loudness, as the two channels of one file."""
    import soundfile

    from sonifold.audio.resample import resampled
    from sonifold.listening import loudness
    from sonifold.listening.playback import pair_file

    (first, rate), (second, other_rate) = (
        soundfile.read(io.BytesIO(wav), dtype="float64") for wav in (pair.first, pair.second)
    )
    if other_rate != rate:
        second = resampled(second, other_rate, rate)
    both = loudness.match(first, second, rate)
    return MatchedPair(
        pair_file(both.sounds, rate), len(both.sounds[0]), rate, both.gains_db, round(both.lufs, 2)
    )


STIMULUS = Operation("stimulus", StimulusQuery, Rendered[Stimulus], each(stimulus), rank=1)
MATCH = Operation("match", StimulusPair, MatchedPair, each(match), Lane.LIGHT)
