"""From several channels to one: their mean, or the loudest of them where they cancel or most of them are empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.decode import BLOCK, Block, Decoder
from sonifold.audio.frames import peak
from sonifold.audio.limits import MAX_PEAK
from sonifold.errors import AudioUnreadable

Mono = NDArray[np.float32]  # (sample,), full scale = 1

#: Where the mean is so far under the loudest channel, that one is taken; one of two channels empty is -6 dB.
DILUTED = 10 ** (-9 / 10)  # in power


@dataclass
class Products:
    """Sums of channels and of their products, from which the power of each and of any mixture is found."""

    count: int
    total: NDArray[np.float64]  # (channel,)
    products: NDArray[np.float64]  # (channel, channel)

    def add(self, block: Block) -> None:
        wide = block.astype(np.float64)
        self.count += len(block)
        self.total += np.ones(len(wide)) @ wide  # ten times as fast as a sum down the columns
        self.products += wide.T @ wide

    def power(self, weights: NDArray[np.float64]) -> float:
        """Of a mixture, a constant offset left out."""
        count = max(self.count, 1)
        return float(weights @ self.products @ weights / count - (weights @ self.total / count) ** 2)


def mixed(decoder: Decoder, most: int, name: str) -> tuple[Mono, int | None]:
    """(up to ``most`` samples, the channel they are of; None: the mean of all).

    Raises AudioUnreadable for NaN or infinity.
    """

    def whole(channel_of: Callable[[Block], Mono]) -> Mono:
        return joined(map(channel_of, decoder.blocks(most)), most, decoder.frames)

    count = decoder.channels
    if count == 1:
        return finite(whole(lambda block: block[:, 0]), name), None
    sums = Products(0, np.zeros(count), np.zeros((count, count)))
    mono = finite(whole(lambda block: mean(block, sums)), name)
    powers = [sums.power(weights) for weights in np.eye(count)]
    loudest = int(np.argmax(powers))
    if sums.power(np.full(count, 1 / count)) >= DILUTED * powers[loudest]:
        return mono, None
    del mono  # one of the two at a time
    return whole(lambda block: block[:, loudest]), loudest


def mean(block: Block, sums: Products) -> Mono:
    """The mean of a block's channels; what it adds to the sums is added."""
    with np.errstate(invalid="ignore", over="ignore"):  # `finite` says it
        sums.add(block)
        return block @ np.full(block.shape[1], 1 / block.shape[1], np.float32)


def finite(mono: Mono, name: str) -> Mono:
    """Raises AudioUnreadable for NaN or infinity, which in any channel is in the mean, and for what is no level."""
    largest = peak(mono)
    if not np.isfinite(largest):
        raise AudioUnreadable(
            f"{name} contains samples that are not numbers (NaN or infinity); export it again."
        )
    if largest > MAX_PEAK:
        raise AudioUnreadable(
            f"{name} has samples of {largest:.0e} where full scale is 1; no sound is that loud. Export it again."
        )
    return mono


def joined(parts: Iterable[Mono], most: int, expected: int | None = None) -> Mono:
    """Parts end to end, no more than ``most`` samples; what follows is not read.

    expected: how many there will be, as far as is known. Room for so many is taken once instead of twice at the end.
    """
    room = np.empty(min(most, expected or BLOCK), np.float32)
    count = 0
    for part in parts:
        stop = min(most, count + len(part))
        if stop > len(room):
            room = np.concatenate(
                [room[:count], np.empty(min(most, max(stop, 2 * count)) - count, np.float32)]
            )
        room[count:stop] = part[: stop - count]
        count = stop
        if count == most:
            break
    return room[:count]
