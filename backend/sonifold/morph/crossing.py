"""Two sounds brought into correspondence: what one does at a pitch and a time, the other does at its own.

Sounds are compared modulo transposition and stretching in time, as shapes are modulo rotation and reparametrisation
(elastic shape analysis): at a fraction u of the way both ends are moved to the pitch and the times between theirs,

    f(u) = f_A^(1-u) f_B^u,      t(u) = t_A^(1-u) t_B^u   for each landmark of time,

each read from its recording there. The path leads between what the moved ends are encoded as.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sonifold.geodesic import line
from sonifold.morph.moved import GRID, MovedPair, hat_weights
from sonifold.morph.path import HEARD
from sonifold.representation.spectral import Spectral
from sonifold.shared import SharedProperty
from sonifold.sound import Sound
from sonifold.types import Audio, Curves, FeatureMaps, Points

KNOTS = (0.0, 0.5, 1.0)  # fractions at which moved ends are encoded; between them a parabola leads
CHANGED = 1e-3  # of a feature or a latent coordinate: more than rounding
Decode = Callable[[Points], FeatureMaps]


class Crossing(MovedPair):
    """A moved pair and its way through the latent space; made once, for every path between the two.

    Recordings come back on the CPU.

    Args:
        sounds: both with a recording.
        encode: features (batch, band, frame) -> latent points.
        decode: latent points -> features.
    """

    def __init__(
        self,
        sounds: tuple[Sound, Sound],
        representation: Spectral,
        encode: Callable[[FeatureMaps], Points],
        decode: Decode,
    ):
        super().__init__(sounds, representation)
        self._encode, self._decode = encode, decode

    @SharedProperty
    def _residuals(self) -> Tensor:
        """What decoding leaves out of the moved ends, at the times of ``GRID`` fractions, (2, GRID, band, frame)."""
        still = self.interval == 0  # the ends stay where they are in latent space
        decoded = self._decoded[:, None] if still else self._decodings[HEARD:].unflatten(0, (2, -1))
        residuals = self._analysed.features - decoded + self._added[:, None]
        return residuals if self.same else self._in_time(residuals)

    @SharedProperty
    def _knots(self) -> Tensor:
        """Latent points of both moved ends at ``KNOTS``, (2, 3, latent)."""
        ends = self._ends
        if self.interval == 0:
            return ends[:, None].expand(-1, len(KNOTS), -1)
        half, features = GRID // 2, self._analysed.features
        z = self._encode(torch.stack([features[0, half], features[0, -1], features[1, 0], features[1, half]]))
        return torch.stack([torch.stack([ends[0], z[0], z[1]]), torch.stack([z[2], z[3], ends[1]])])

    @SharedProperty
    def _ends(self) -> Points:
        """Latent points of the sounds where they are, (2, latent)."""
        return torch.stack([sound.z for sound in self.sounds]).to(self._device)

    def latent(self, fractions: Tensor) -> Tensor:
        """Latent points of both moved ends at fractions (node,), (2, node, latent)."""
        u = fractions.to(self._knots)[:, None]
        first, half, last = self._knots[:, None, 0], self._knots[:, None, 1], self._knots[:, None, 2]
        return first * (1 - u) * (1 - 2 * u) + half * 4 * u * (1 - u) + last * u * (2 * u - 1)

    def halfway(self) -> Points:
        """Both ends where they are moved half way, (2, latent): between these a path is solved."""
        return self._knots[:, 1]

    def curve(self, halfway: Curves) -> Tensor:
        """A path between :meth:`halfway` (node, latent) as one from sound to sound: it goes along as they move."""
        t = torch.linspace(0, 1, len(halfway)).to(self._device)
        moved = self.latent(t) - self._knots[:, None, 1]
        return halfway.to(self._device) + (1 - t)[:, None] * moved[0] + t[:, None] * moved[1]

    @SharedProperty
    def _added(self) -> Tensor:
        """What the ends' residuals hold that their recordings do not: a slider's work, (2, band, frame)."""
        rows = [
            torch.zeros_like(decoded)
            if sound.residual is None or sound.features is None
            else sound.residual.to(decoded) - (sound.features.to(decoded) - decoded)
            for sound, decoded in zip(self.sounds, self._decoded, strict=True)
        ]
        return torch.stack(rows)

    @SharedProperty
    def _decoded(self) -> FeatureMaps:
        """What decoding makes of the ends where they are, (2, band, frame)."""
        return self._decodings[[0, HEARD - 1]]

    @SharedProperty
    def _decodings(self) -> FeatureMaps:
        """What decoding makes of the line, (HEARD, band, frame), and behind it of both ends at ``GRID`` fractions if
        they move: at once, since most of the time goes into reading the matrix.
        """
        halfway = self.halfway()
        points = [self.curve(line(halfway[:1], halfway[1:], HEARD)[0])]
        if self.interval:
            points += self.latent(torch.linspace(0, 1, GRID)).unbind()
        return self._decode(torch.cat(points))

    def recording(self, point: Tensor, fraction: float) -> Audio | None:
        """The recording (sample,) of the end that a place (latent,) on the way is; None anywhere else.

        What a decoder of lossy files makes louder than full scale is left so: whoever writes integers cuts it there.
        """
        if fraction not in (0.0, 1.0):
            return None
        side = int(fraction)
        changed = self._added[side].abs().amax() > CHANGED
        moved = (point - self.sounds[side].z).abs().amax() > CHANGED
        audio = self.sounds[side].audio
        return None if changed or moved else audio

    def heard(self, points: Points, fractions: Tensor) -> FeatureMaps:
        """Features (node, band, frame) at points (node, latent) of the way, with what is left of both residuals."""
        return self._with_residuals(self._decode(points), fractions)

    def heard_on_line(self) -> FeatureMaps:
        """The same at ``HEARD`` points of the line between both ends, (HEARD, band, frame)."""
        return self._with_residuals(self._decodings[:HEARD], torch.linspace(0, 1, HEARD))

    def _with_residuals(self, decoded: FeatureMaps, fractions: Tensor) -> FeatureMaps:
        shares = residual_shares(fractions.to(self._device), self._common)
        left = torch.einsum("nsg,sgbf->nbf", shares, self._residuals)
        return self.representation.normalise(decoded + left)

    @SharedProperty
    def _common(self) -> Tensor:
        """Cosine between the two residuals at ``GRID`` fractions, at least 0, (GRID,)."""
        first, last = self._residuals.flatten(2)
        return torch.nn.functional.cosine_similarity(first, last).clamp(min=0)


def residual_shares(fractions: Tensor, common: Tensor) -> Tensor:
    """How much of each end's residual at each of ``GRID`` fractions is left at fractions (node,), (node, 2, GRID).

    What the two have in common, ``common`` (GRID,), stays; of the rest a quarter of each is left in the middle, which
    is nearer to real sounds than half of both.
    """
    hat = hat_weights(fractions)
    both = fractions * (1 - fractions) * (hat @ common)
    left = torch.stack([(1 - fractions) ** 2 + both, fractions**2 + both], 1)
    return left[:, :, None] * hat[:, None]
