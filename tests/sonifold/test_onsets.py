"""Splitting recordings into one-shots: exact on clean sequences, honest on real ones."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from sonifold.audio.limits import within_length
from sonifold.audio.onsets import flux, onsets, segments
from sonifold.audio.proposals import proposals
from sonifold.audio.read import read
from sonifold.errors import AudioTooLong

RATE = 44_100


def hit(seconds=0.3, hertz=200.0, rate=RATE, noise=0.0, seed=0):
    t = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * hertz * t) + noise * np.random.default_rng(seed).normal(size=len(t))
    return tone * np.exp(-12 * t) * np.minimum(t / 0.002, 1)


def laid(times, sounds, seconds, rate=RATE):
    out = np.zeros(round(seconds * rate))
    for time, sound in zip(times, sounds, strict=True):
        begin = round(time * rate)
        part = sound[: len(out) - begin]
        out[begin : begin + len(part)] += part
    return out


def matched(times, found, tolerance=0.03):
    """How many of the times were found, each by an onset of its own."""
    left, count = list(found), 0
    for time in times:
        near = [one for one in left if abs(one - time) <= tolerance]
        if near:
            left.remove(min(near, key=lambda one: abs(one - time)))
            count += 1
    return count


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_hits_apart_are_found_to_the_millisecond_at_any_rate_and_level(rate, gain):
    times = [0.0, 0.5, 0.83, 1.4, 2.2]
    sounds = [hit(hertz=100 * (i + 1), rate=rate, noise=0.2, seed=i) for i in range(5)]
    found = segments(gain * laid(times, sounds, 3, rate), rate)
    assert [one.start for one in found] == pytest.approx(times, abs=0.004)
    for one, following in zip(found, [*times[1:], 3.0], strict=True):
        assert 0.2 < one.seconds <= following - one.start + 0.005


@pytest.mark.long
@pytest.mark.parametrize("rate", [8_000, 8_363, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_two_hundred_hits_in_two_minutes_are_found_where_they_are(rate):
    rng = np.random.default_rng(rate)
    times = np.cumsum(rng.uniform(0.35, 0.8, 200))
    times *= 118 / times[-1]
    kinds = [
        hit(0.25, hertz, rate, noise, seed)
        for seed, (hertz, noise) in enumerate([(60, 0), (190, 1), (900, 0.3)])
    ]
    levels = 10 ** (rng.uniform(-18, 0, 200) / 20)
    sounds = [level * kinds[kind] for level, kind in zip(levels, rng.integers(0, 3, 200), strict=True)]
    take = laid(times, sounds, 120, rate).astype(np.float32)
    found = [one.start for one in segments(take, rate)]
    hits = matched(times, found, 0.02)
    assert 2 * hits / (len(times) + len(found)) >= 0.95


def test_soft_hits_between_loud_ones_are_found():
    times, levels = [0.1, 0.6, 1.1, 1.6], [1.0, 0.03, 1.0, 0.03]
    sounds = [level * hit(hertz=300, noise=0.3, seed=i) for i, level in enumerate(levels)]
    assert [one.start for one in segments(laid(times, sounds, 2.2), RATE)] == pytest.approx(times, abs=0.004)


def test_one_sound_is_one_segment_and_its_silence_is_left_out():
    (one,) = segments(laid([1.0], [hit()], 4.0), RATE)
    assert one.start == pytest.approx(1.0, abs=0.004)
    assert 0.2 < one.seconds < 0.7
    assert one.peak == pytest.approx(np.abs(hit()).max(), rel=1e-3)


def test_a_flam_is_one_sound():
    both = laid([0.1, 0.125], [hit(noise=0.3), hit(noise=0.3, seed=1)], 1.0)
    assert len(segments(both, RATE)) == 1


def test_a_steady_tone_with_vibrato_begins_once():
    t = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 440 * t + 6 * np.sin(2 * np.pi * 6 * t)) * np.minimum(t / 0.01, 1)
    assert len(segments(np.concatenate([np.zeros(RATE // 2), tone]), RATE)) == 1


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(0), np.full(RATE, 1e-6), np.zeros(3)])
def test_silence_has_no_sounds(samples):
    assert segments(samples, RATE) == []


def test_what_is_cut_does_not_depend_on_how_the_flux_is_chunked(monkeypatch):
    recording = laid([0.1, 0.7, 1.3], [hit(noise=0.3, seed=i) for i in range(3)], 2.0)
    whole = flux(recording, RATE)
    monkeypatch.setattr("sonifold.audio.onsets.CHUNK", 7)
    np.testing.assert_allclose(flux(recording, RATE), whole, atol=1e-12)


def test_a_threshold_asks_for_more_or_fewer():
    recording = laid([0.1, 0.5], [hit(), hit(hertz=230)], 1.5)
    assert len(onsets(recording, RATE, 9.0)) == 0
    assert len(onsets(recording, RATE, 0.01)) >= 2


def test_real_one_shots_in_a_row_are_mostly_found(model):
    """Random library sounds, 16 a recording: apart from each other, and ringing into one another at random levels.

    Among them are rolls, strums and textures with onsets of their own inside, which count as errors here.
    """
    rng = np.random.default_rng(5)
    scores = {}
    for label, gap, levels in (("apart", (1.6, 2.0), (-20, 0)), ("ringing", (0.4, 0.8), (-12, 0))):
        hits = total = claimed = 0
        for _ in range(4):
            times = np.cumsum(rng.uniform(*gap, size=16))
            sounds = [
                model.library.audio(id).numpy()[220:] * 10 ** (rng.uniform(*levels) / 20)
                for id in rng.choice(model.library.ids, 16)
            ]
            found = segments(laid(times, sounds, times[-1] + 2), RATE)
            hits += matched(times, [one.start for one in found])
            total, claimed = total + 16, claimed + len(found)
        scores[label] = 2 * hits / (total + claimed)
    assert scores["apart"] > 0.9, scores
    assert scores["ringing"] > 0.75, scores


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_what_is_proposed_can_be_kept_as_it_is(rate):
    rng = np.random.default_rng(0)
    last = rng.uniform(-0.9, 0.9, round(0.005 * rate))
    faint = 1e-3 * hit(0.05, 300, rate)
    held = 0.5 * np.sin(np.arange(11 * rate) / 9)
    take = np.concatenate([hit(rate=rate), np.zeros(rate), faint, np.zeros(rate), held, np.zeros(rate), last])
    found = proposals(read(take, rate, longest=20))
    assert len(found) >= 3
    assert found[-1].end == pytest.approx(len(take) / rate)
    for one in found:
        start, end = round(one.start, 4), round(one.end, 4)  # as they go over the wire
        assert within_length(end - start)
        assert read(take[round(start * rate) : round(end * rate)], rate).seconds > 0


def test_of_a_great_many_sounds_the_clearest_are_proposed(monkeypatch):
    monkeypatch.setattr("sonifold.audio.proposals.MAX_CUTS", 3)
    take = laid([0.1, 0.5, 0.9, 1.3, 1.7], [level * hit(noise=0.3) for level in (1, 0.1, 1, 1, 0.1)], 2.2)
    assert [one.start for one in proposals(read(take, RATE))] == pytest.approx([0.1, 0.9, 1.3], abs=0.004)


def test_splitting_25_s_at_384_khz_costs_bounded_memory(tmp_path):
    rate = 384_000
    with soundfile.SoundFile(tmp_path / "long.flac", "w", rate, 2, "PCM_24") as file:
        for number in range(25):
            file.write(np.repeat(laid([0.2], [hit(0.3, 100 + 20 * number, rate)], 1, rate)[:, None], 2, 1))
    tracemalloc.start()
    try:
        found = proposals(read(tmp_path / "long.flac", longest=240))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 25
    assert peak < 150e6


def test_a_long_recording_is_read_where_it_may_be_long(tmp_path):
    long = laid([1.0, 20.0], [hit(), hit()], 30.0)
    soundfile.write(tmp_path / "long.wav", long, RATE)
    with pytest.raises(AudioTooLong, match="10 s"):
        read(tmp_path / "long.wav")
    recording = read(tmp_path / "long.wav", longest=240)
    assert len(recording.samples) == len(long)
    with pytest.raises(AudioTooLong, match="in two"):
        read(tmp_path / "long.wav", longest=20)
