"""What is in a recording, judged as an engineer would: offsets, channels, level, integers, clipping, ultrasound."""

import io

import numpy as np
import pytest
import soundfile

from sonifold.audio.check import CLIPPED_SHARE, caveats, examine
from sonifold.audio.prepare import prepare
from sonifold.audio.proposals import proposals
from sonifold.audio.read import read
from sonifold.errors import AudioSilent, AudioUnreadable

RATE = 44_100


def kick(rate=RATE, seconds=0.4, level=0.9):
    t = np.arange(int(rate * seconds)) / rate
    return level * np.sin(2 * np.pi * 60 * t + 18.85 * (1 - np.exp(-40 * t))) * np.exp(-9 * t)


def bell(rate=RATE, seconds=1.0):
    t = np.arange(int(rate * seconds)) / rate
    return 0.3 * sum(np.sin(2 * np.pi * 600 * k * t) * np.exp(-t * (2 + k)) for k in (1, 2.76, 5.4))


def file_of(samples, rate=RATE, subtype="FLOAT"):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


def codes(samples, rate=RATE):
    recording = read(samples, rate)
    facts = examine(recording.samples, recording.sample_rate, recording.offset)
    return {one.code for one in caveats(recording, facts)}


# -- offsets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.05, -0.05, 0.3, 0.008])
@pytest.mark.parametrize(
    "sound", [kick(), bell(), np.concatenate([np.zeros(8820), kick()])], ids=["kick", "bell", "late"]
)
def test_an_offset_is_taken_out_and_said(sound, offset):
    clean, moved = read(0.6 * sound, RATE), read(0.6 * sound + offset, RATE)
    assert moved.offset == pytest.approx(offset, abs=2e-3)
    np.testing.assert_allclose(moved.samples, clean.samples, atol=2e-3)
    assert codes(0.6 * sound + offset) - codes(0.6 * sound) == {"dc_removed"}
    assert (
        prepare(moved.samples, RATE).tolist()[:220] == [0] * 220
        or np.abs(prepare(moved.samples, RATE)[:200]).max() < 200
    )


@pytest.mark.parametrize("hertz", [30, 41, 55, 110, 440])
@pytest.mark.parametrize("seconds", [0.05, 0.2, 1.0])
def test_a_tone_of_any_length_has_no_offset(hertz, seconds):
    t = np.arange(int(RATE * seconds)) / RATE
    assert read(0.5 * np.sin(2 * np.pi * hertz * t), RATE).offset == 0
    assert read(0.5 * np.sin(2 * np.pi * hertz * t) * np.exp(-4 * t), RATE).offset == 0


@pytest.mark.parametrize("offset", [0.01, 0.5])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_an_offset_alone_is_no_sound(offset, subtype):
    with pytest.raises(AudioSilent):
        read(file_of(np.full(RATE, offset), subtype=subtype))


# -- channels ------------------------------------------------------------------------------------


def test_channels_that_cancel_leave_the_loudest():
    recording = read(np.stack([kick(), -kick()], 1), RATE)
    assert recording.channel in (0, 1)
    np.testing.assert_allclose(np.abs(recording.samples), np.abs(kick()), atol=1e-6)
    assert codes(np.stack([kick(), -kick()], 1)) == {"one_channel"}


@pytest.mark.parametrize("channels", [3, 8, 32, 64])
def test_one_channel_of_many_is_taken(channels):
    many = np.zeros((len(kick()), channels))
    many[:, channels - 2] = 0.07 * kick()
    many[:, 0] = 0.4  # an input that only carries an offset is not the loudest
    recording = read(file_of(many, subtype="PCM_24"))
    assert recording.channel == channels - 2
    np.testing.assert_allclose(recording.samples, 0.07 * kick(), atol=1e-5)


def test_channels_that_agree_or_differ_are_mixed():
    left, right = kick(), 0.5 * np.random.default_rng(0).normal(0, 0.2, len(kick()))
    for channels in ([left, left], [left, right], [left, 0 * left]):
        recording = read(np.stack(channels, 1), RATE)
        assert recording.channel is None
        np.testing.assert_allclose(recording.samples, np.mean(channels, 0), atol=1e-6)
    assert codes(np.stack([left, right], 1)) == {"mono"}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_in_any_channel_is_refused(bad):
    sound = np.repeat(kick()[:, None], 3, 1)
    sound[500, 1] = bad
    with pytest.raises(AudioUnreadable, match="NaN or infinity"):
        read(file_of(sound))


# -- quiet and loud ------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [-40, -60, -84])
@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_a_quiet_take_of_more_than_16_bits_is_a_sound(level, subtype):
    sound = np.concatenate([np.zeros(4000), 10 ** (level / 20) * bell()])
    recording = read(file_of(sound, subtype=subtype))
    assert np.abs(recording.samples).max() == pytest.approx(np.abs(sound).max(), rel=0.02)
    assert prepare(recording.samples, RATE, silence=0) is not None


def test_hits_of_a_quiet_take_are_proposed_though_none_dies_away():
    """Each fills its own part to the end: it stands out from the noise by its tone, not by its silences."""
    take = np.random.default_rng(0).normal(0, 1e-5, 4 * RATE)
    time_of = np.arange(RATE // 2) / RATE
    starts = (0.2, 1.1, 2.0, 2.9)
    for start, hertz in zip(starts, (80, 200, 300, 900), strict=True):
        hit = 5e-4 * np.exp(-2 * time_of) * np.sin(2 * np.pi * hertz * time_of)
        take[round(start * RATE) :][: len(hit)] += hit
    recording = read(file_of(take, subtype="PCM_24"))
    assert [cut.start for cut in proposals(recording)] == pytest.approx(starts, abs=0.02)


@pytest.mark.parametrize("level", [-60, -80, -100])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_noise_alone_is_silence(level, subtype):
    noise = np.random.default_rng(0).normal(0, 10 ** (level / 20) / 4, RATE)
    with pytest.raises(AudioSilent):
        read(file_of(noise, subtype=subtype))


def test_a_float_take_over_full_scale_is_whole_and_said():
    recording = read(file_of(8 * kick()))
    np.testing.assert_allclose(recording.samples, 8 * kick(), rtol=1e-5, atol=1e-6)
    assert codes(8 * kick()) == {"over_full_scale"}


# -- integers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "to"),
    [
        (np.uint8, lambda x: 127 * x + 128),
        (np.int8, lambda x: 127 * x),
        (np.int16, lambda x: 32767 * x),
        (np.uint16, lambda x: 32767 * x + 32768),
        (np.int32, lambda x: (2**31 - 1) * x),
        (np.int32, lambda x: np.round((2**23 - 1) * x)),
        (np.int32, lambda x: np.round((2**23 - 1) * x) * 256),
        (np.int64, lambda x: np.round(32767 * x)),
        (np.float16, lambda x: x),
    ],
    ids=["uint8", "int8", "int16", "uint16", "int32", "24 in 32", "24 on top of 32", "16 in int64", "half"],
)  # fmt: skip
def test_integers_are_read_by_their_range(type_, to):
    samples = np.round(to(kick())).astype(type_) if type_ is not np.float16 else kick().astype(type_)
    np.testing.assert_allclose(read(samples, RATE).samples, kick(), atol=0.012)


def test_the_last_bits_of_an_integer_take_are_silence():
    noise = np.random.default_rng(0).integers(-1, 2, RATE)
    for samples in (
        noise.astype(np.int16),
        (noise + 128).astype(np.uint8).clip(128, 128),
        noise.astype(np.int32) << 8,
    ):
        with pytest.raises(AudioSilent):
            read(samples, RATE)


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros((2, RATE)), RATE, "samples.T"),
        (np.zeros((3, 4, 5)), RATE, "shape"),
        (np.zeros(RATE, complex), RATE, "complex128"),
        (np.zeros(RATE, bool), RATE, "bool"),
        (np.zeros(RATE), None, "sample_rate"),
        (np.zeros(RATE), 0, "0 Hz"),
        (np.zeros(RATE), 44_100.5, "whole number"),
        (np.zeros(RATE), np.nan, "whole number"),
        (["kick.wav"], RATE, "list"),
    ],
)
def test_what_is_no_array_of_samples_is_told_apart(samples, rate, says):
    with pytest.raises(AudioUnreadable, match=says):
        read(samples, rate)


def test_a_file_object_a_folder_and_text_are_told_apart(tmp_path):
    path = tmp_path / "kick one.wav"
    path.write_bytes(b"before" + file_of(kick()))
    with path.open("rb") as file:
        file.seek(6)
        assert read(file).name == "kick one"
    assert read(bytearray(file_of(kick()))).seconds == pytest.approx(0.4)
    with path.open(errors="ignore") as file, pytest.raises(AudioUnreadable, match="binary mode"):
        read(file)
    with pytest.raises(AudioUnreadable, match="folder"):
        read(tmp_path)


# -- clipping ------------------------------------------------------------------------------------


def shapes():
    t = np.arange(RATE) / RATE
    phase = 110 * t % 1
    square = np.where(phase < 0.5, 0.8, -0.8)
    rng = np.random.default_rng(0)
    click = np.zeros(RATE)
    click[5000:5020] = 0.9
    stairs = np.round(7.5 * (4 * np.abs(phase - 0.5) - 1)) / 8
    return {
        "a click": click,
        "pulses": np.where(phase < 0.1, 0.9, 0.0),
        "pulses of both signs": np.where(phase < 0.125, 0.9, -0.9),
        "a gate": np.where((t > 0.1) & (t < 0.6), 0.9, 0.0),
        "a half wave": np.maximum(np.sin(2 * np.pi * 110 * t), 0),
        "a full wave": np.abs(np.sin(2 * np.pi * 110 * t)),
        "a square wave": square,
        "a square wave that decays in steps": square * np.round(15 * np.exp(-3 * t)) / 15,
        "a triangle of 16 steps": stairs,
        "a saw": 2 * phase - 1,
        "a deep sine": np.sin(2 * np.pi * 30 * t),
        "a deep sine of 8 bits": np.round(127 * np.sin(2 * np.pi * 30 * t)) / 128,
        "samples held": np.repeat(rng.uniform(-1, 1, RATE // 9), 9),
        "noise of one bit": np.repeat(rng.choice([-0.7, 0.7], RATE // 4), 4),
        "a kick": kick(),
        "an 808": np.sin(2 * np.pi * 45 * t) * np.exp(-2 * t),
        "full scale, 16 bits": np.round(32767 * np.sin(2 * np.pi * 40 * t)) / 32768,
    }


@pytest.mark.parametrize("shape", shapes().values(), ids=shapes())
@pytest.mark.parametrize("stretched", [1, 2])
def test_what_is_flat_by_its_nature_is_not_called_clipped(shape, stretched):
    assert "clipped" not in codes(np.repeat(shape, stretched), stretched * RATE)


@pytest.mark.parametrize("gain", [1.3, 2, 8])
@pytest.mark.parametrize("after", [1.0, 0.5])
@pytest.mark.parametrize("offset", [0.0, 0.05])
def test_what_was_cut_off_is_called_clipped(gain, after, offset):
    t = np.arange(RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * t) for hertz in (55, 110.3, 165.7)) / 2
    for sound in (np.sin(2 * np.pi * 110 * t), chord, kick(level=1.0), bell() * 2):
        cut = after * np.clip(gain * sound, -1, 1) + offset
        share = np.mean(np.abs(gain * sound) > 1)
        assert examine(cut - offset, RATE, offset).clipped > min(0.5 * share, 0.02) > CLIPPED_SHARE
    one_sided = np.clip(1.5 * np.sin(2 * np.pi * 110 * t), -np.inf, 0.8)
    assert examine(one_sided, RATE).clipped > 0.02


# -- what cannot be heard, what is cut -----------------------------------------------------------


@pytest.mark.parametrize(
    ("hertz", "rate"),
    [
        (60_000, 192_000),
        (40_000, 384_000),
        (30_000, 96_000),
        (23_000, 48_000),
        (21_500, 44_100),
        (80_000, 384_000),
    ],
)
def test_what_nobody_hears_is_refused(hertz, rate):
    t = np.arange(rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * hertz * t) * np.minimum(1, np.minimum(t, 1 - t) * 20)
    with pytest.raises(AudioSilent, match="can be heard"):
        read(tone, rate)


def test_what_is_too_deep_to_hear_is_refused():
    with pytest.raises(AudioSilent, match="can be heard"):
        read(np.sin(2 * np.pi * 5 * np.arange(2 * RATE) / RATE) * np.hanning(2 * RATE), RATE)


def test_what_is_heard_beside_ultrasound_is_taken():
    t = np.arange(96_000) / 96_000
    both = 0.5 * np.sin(2 * np.pi * 30_000 * t) + 0.005 * np.sin(2 * np.pi * 1000 * t) * np.exp(-3 * t)
    assert read(both, 96_000).seconds == 1


def test_what_is_above_the_new_range_alone_is_nothing_to_prepare():
    t = np.arange(96_000) / 96_000
    assert prepare(0.5 * np.sin(2 * np.pi * 30_000 * t) * np.hanning(96_000), 96_000) is None


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_a_sound_has_a_least_length_in_seconds_at_any_rate(rate):
    t = np.arange(int(0.0105 * rate)) / rate
    click = np.sin(2 * np.pi * 1000 * t)
    assert prepare(click, rate) is not None
    assert prepare(click[: len(click) // 2], rate) is None


def test_what_is_cut_mixed_and_resampled_is_said_with_both_numbers():
    t = np.arange(8 * 48_000) / 48_000
    gong = 0.2 * np.exp(-t / 2) * sum(np.sin(2 * np.pi * f * t) for f in (110, 163, 241, 389))
    for sound, more in ((gong, set()), (gong[::-1], {"louder_later"})):
        recording = read(np.stack([sound, 0.9 * sound], 1), 48_000)
        facts = examine(recording.samples, 48_000)
        said = {one.code: one.text for one in caveats(recording, facts)}
        assert set(said) - {"late"} == {"mono", "resampled", "cut", *more}
        assert "2 channels" in said["mono"]
        assert "48,000" in said["resampled"]
        assert "44,100" in said["resampled"]
        assert "8.00 s" in said["cut"]
        assert "1.48 s" in said["cut"]
        if more:
            assert "at 8.0 s" in said["louder_later"] or "at 7.9 s" in said["louder_later"]


def test_a_short_sound_in_a_long_file_is_not_called_cut():
    assert codes(np.concatenate([kick(), np.zeros(8 * RATE)])) == set()
