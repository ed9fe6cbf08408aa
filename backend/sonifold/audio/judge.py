"""Judgements of a raw recording: constant offset, silence, audible content."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from sonifold.audio.frames import frames, peak
from sonifold.errors import AudioSilent

Samples = NDArray[np.floating]

#: Full scale = 1; -54 dB. With 16 bits what lies under it throughout is noise, not a sound.
SILENCE = 2e-3
#: With more bits a quiet sound can be one: where its loudest 10 ms reach -100 dB and stand out by 12 dB, or a tone
#: stands out by 20 dB from what is heard near it. Noise has no such tones.
FAINTEST = 1e-5
STANDS_OUT = 4.0
TONE_STANDS_OUT = 100.0  # of power
NEAR_TONE = 101  # of the bins of one frame
OFFSET_WINDOW = 0.1  # seconds; two periods of 20 Hz
OFFSET_SPREAD = 4.0  # of the windows' deviations: by so much an offset must exceed how they differ
#: Of the peak: what is less is seen by nobody, and in shorter windows a deep tone leaves more, as 1 / length^2.
OFFSET_SHARE = 2e-3
EAR = (20.0, 20_000.0)  # Hz
UNHEARD = 10 ** (-54 / 10)  # power that can be heard, of the power there is
FRAME = 32_768  # samples; 0.74 s at 44.1 kHz tell 20 Hz from 5
TAPER = np.hanning(FRAME).astype(np.float32)
CHUNK = 16  # frames
AT_ONCE = 1 << 18  # samples of windows that overlap


def offset(samples: Samples, sample_rate: int) -> float:
    """The constant that a recording (sample,) rests at, 0 where there is none to speak of.

    A wave's own mean over some periods is about zero, wherever it is taken. An offset is what the means over short
    windows have in common, if they differ by much less.
    """
    width = min(round(OFFSET_WINDOW * sample_rate), max(1, len(samples) // 4))
    taper = np.hanning(width + 2)[1:-1]
    taper /= taper.sum()
    windows = frames(samples, width, max(1, width // 2), (0, 0), max(1, AT_ONCE // width))
    means = np.concatenate([some @ taper for some in windows])
    middle = float(np.median(means))
    spread = float(np.median(np.abs(means - middle)))
    largest = peak(samples)
    least = OFFSET_SHARE * max(1.0, OFFSET_WINDOW * sample_rate / width) ** 2 * largest
    return middle if abs(middle) > max(OFFSET_SPREAD * spread, least) or largest == abs(middle) else 0.0


def require_sound(samples: Samples, sample_rate: int, name: str, coarse: bool = True) -> None:
    """Raises AudioSilent where there is nothing in a recording (sample,), or nothing that can be heard.

    coarse: whether it has no more than 16 bits.
    """
    if is_silent(samples, sample_rate, coarse):
        why = (
            "nothing in it reaches -54 dB of full scale"
            if coarse
            else "nothing in it reaches -54 dB of full scale, or stands out from its noise"
        )
        raise AudioSilent(f"{name} is silent: {why}. Check what was exported.")
    if is_unheard(samples, sample_rate):
        raise AudioSilent(
            f"nothing in {name} can be heard: it is all above {EAR[1] / 1000:.0f} kHz or below {EAR[0]:.0f} Hz. "
            "Transpose it first, if it is meant to be heard."
        )


def is_silent(samples: Samples, sample_rate: int, coarse: bool = True) -> bool:
    """True if a recording (sample,) holds nothing but noise."""
    largest = peak(samples)
    if largest >= SILENCE or coarse:
        return largest < SILENCE
    levels = np.sqrt(mean_squares(samples, round(0.01 * sample_rate)))
    loudest = float(levels.max(initial=0.0))
    if loudest < FAINTEST:
        return True
    return loudest < STANDS_OUT * float(np.median(levels)) and not is_tonal(samples, sample_rate)


def is_tonal(samples: Samples, sample_rate: int) -> bool:
    """True if a tone stands out in a recording (sample,) where it is loudest."""
    width = min(len(samples), FRAME)
    middle = int(np.abs(samples).argmax())
    start = min(max(0, middle - width // 2), len(samples) - width)
    power = np.abs(np.fft.rfft(samples[start : start + width] * np.hanning(width))) ** 2
    hertz = np.fft.rfftfreq(width, 1 / sample_rate)
    near = median_filter(power, NEAR_TONE, mode="reflect")
    audible = (hertz >= EAR[0]) & (hertz <= EAR[1])
    return bool((power > TONE_STANDS_OUT * near)[audible].any())


def mean_squares(samples: Samples, width: int) -> NDArray[np.float64]:
    """Of parts of ``width``; the last may be shorter."""
    width = max(1, width)
    step = max(1, AT_ONCE // width) * width
    blocks = (np.square(samples[start : start + step]) for start in range(0, len(samples), step))
    sums = [np.add.reduceat(block, np.arange(0, len(block), width), dtype=np.float64) for block in blocks]
    return np.concatenate(sums) / width


def is_unheard(samples: Samples, sample_rate: int) -> bool:
    """True if what can be heard of a recording is 54 dB or more under its loudest part."""
    loudest = max(int(samples.argmax()), int(samples.argmin()), key=lambda at: abs(float(samples[at])))
    first = np.pad(samples[max(0, loudest - FRAME // 2) :][:FRAME], (0, FRAME))[:FRAME]
    most = float(samples[loudest]) ** 2 * float(np.square(TAPER).sum()) * FRAME
    audible, _ = powers(first[None], sample_rate)
    if audible > UNHEARD * most:  # it is heard even if all the rest were as loud as its loudest sample
        return False
    silence = FRAME // 2, FRAME // 2 + -len(samples) % FRAME
    parts = [powers(some, sample_rate) for some in frames(samples, FRAME, FRAME // 2, silence, CHUNK)]
    return max(audible for audible, _ in parts) < UNHEARD * max(whole for _, whole in parts)


def powers(some: Samples, sample_rate: int) -> tuple[float, float]:
    """(what can be heard, all) of the power of some frames (frame, FRAME), each of the frame where it is largest."""
    hertz = np.fft.rfftfreq(FRAME, 1 / sample_rate)
    power = np.abs(np.fft.rfft(some * TAPER, axis=1)) ** 2
    audible = power[:, (hertz >= EAR[0]) & (hertz <= EAR[1])]
    return float(audible.sum(axis=1).max()), float(power.sum(axis=1).max())
