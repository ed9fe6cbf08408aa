"""Frames of a recording are those of the whole, padded, however few are taken at a time."""

import numpy as np
import pytest

from sonifold.audio.frames import frames, peak


@pytest.mark.parametrize("length", [1, 7, 40, 41, 64, 100])
@pytest.mark.parametrize("silence", [(0, 0), (8, 8), (8, 31), (20, 40)])
@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_frames_are_those_of_the_padded_whole(length, silence, at_once):
    samples = np.random.default_rng(length).normal(size=length).astype(np.float32)
    padded = np.pad(samples, silence)
    width, hop = 16, 6
    whole = (
        np.lib.stride_tricks.sliding_window_view(padded, width)[::hop]
        if len(padded) >= width
        else np.empty((0, width))
    )
    parts = list(frames(samples, width, hop, silence, at_once))
    assert all(len(part) <= at_once for part in parts)
    np.testing.assert_array_equal(np.concatenate([np.empty((0, width)), *parts]), whole)


def test_the_peak_is_the_largest_magnitude_and_nan_is_not_lost():
    assert peak(np.array([0.25, -0.5])) == 0.5
    assert peak(np.empty(0)) == 0
    for samples in ([np.nan, 1.0], [1.0, np.nan], [-1.0, np.nan]):
        assert np.isnan(peak(np.array(samples)))
    assert peak(np.array([1.0, -np.inf])) == np.inf
