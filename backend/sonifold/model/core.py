"""The trained parts of a pack: sounds to latent points, what is decoded there, and the metrics."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Self

import torch
from torch import Tensor

from sonifold.audio import descriptors
from sonifold.audio.clip import Clip
from sonifold.audio.read import Recording, Source, read
from sonifold.audio.timbre import timbre_features
from sonifold.choices import MetricName
from sonifold.errors import MetricUnavailable, PointInvalid, PositionInvalid
from sonifold.metric import KernelMetric, Metric, Pullback
from sonifold.model import provenance
from sonifold.model.encoding import SoundEncoder
from sonifold.model.metrics import Metrics
from sonifold.model.outline import Described
from sonifold.morph.render import Renderer
from sonifold.pack.read import PackParts, read_pack
from sonifold.representation.readout import Readout
from sonifold.representation.spectral import suppress_hiss
from sonifold.sound import Sound
from sonifold.types import AudioBatch, Points, Positions, Timbre
from sonifold.vae.network import freeze

RECENT_SOUNDS = 32  # kept in memory: a second path from the same sound costs less
MAX_COORDINATE = 1e3  # latent points further out than this are typing errors


class LatentModel(Described):
    """A pack in memory: encoding, decoding and the metrics. One serves many threads.

    Lengths and distances are in ``unit``: Phi scaled so that the median distance between two library sounds equals
    their median RMS log-mel distance in dB.
    """

    def __init__(self, parts: PackParts, device: torch.device | str = "cpu"):
        """``device``: where it computes. Points go in from anywhere; points and sounds come out on the CPU."""
        self.parts, self.device = parts, torch.device(device)
        computing = parts.on(self.device)
        super().__init__(computing)
        self.coefficients = computing.coefficients
        self.vae = freeze(computing.vae)
        self.renderer = Renderer(self.representation, self.vae, self.coefficients)
        self.readout = Readout(self.representation)
        self.metrics = Metrics.of(computing, self.device)
        self._encoder = SoundEncoder(computing, self.renderer)
        self._recent_sound = lru_cache(RECENT_SOUNDS)(self._encoder.library_sound)

    @classmethod
    def load(cls, folder: FilePath, device: torch.device | str = "cpu") -> Self:
        """A verified pack.

        Raises:
            PackInvalid, ArtifactCorrupt: the folder is not a whole pack.
        """
        return cls(read_pack(folder), device)

    def __repr__(self) -> str:
        return f"<Model {self.name}: {len(self.library)} sounds, {self.latent_dim} latent dimensions>"

    # -- sounds -----------------------------------------------------------------------------------

    def sound(self, sound_id: str) -> Sound:
        """A library sound, ready to be an end of a path; the last few are kept in memory.

        Raises:
            SoundNotFound: no sound has that id.
        """
        return self._recent_sound(sound_id)

    def encode(self, source: Source, sample_rate: int | None = None, name: str | None = None) -> Sound:
        """A recording as a sound of the model: read, aligned to its onset, encoded, its latent point inverted.

        Args:
            source: path, bytes of a file, an open file, or samples (sample,) or (sample, channel) with their rate;
                see :func:`sonifold.audio.read.read`.
            sample_rate: Hz, for samples.
            name: what to call it; the file's name otherwise.

        Returns:
            The sound; what was cut, mixed or resampled to make it is in its ``caveats``.

        Raises:
            AudioUnreadable, AudioTooLong, AudioTooShort, AudioSilent: see :mod:`sonifold.errors`.
        """
        sound = self.encode_recording(read(source, sample_rate, name))
        return replace(sound, file=FilePath(source)) if isinstance(source, (str, FilePath)) else sound

    def encode_recording(self, recording: Recording) -> Sound:
        """The same for a recording that was read before.

        Raises:
            AudioSilent: nothing is left of it at 44.1 kHz.
        """
        return self._encoder.encode(recording)

    def recorded(
        self, audio: Tensor, z: Tensor | None = None, name: str = "", seconds: float | None = None
    ) -> Sound:
        """A one-shot (sample,) that :meth:`encode` prepared before, as a sound.

        With its latent point ``z`` (latent,) the inversion is spared.
        """
        return self._encoder.encode_prepared(audio, z, name, seconds or 0.0)

    def inverted(self, coefficients: Tensor) -> Points:
        """Latent points (batch, latent) whose decodings come closest to coefficients (batch, K)."""
        return self.renderer.inversion(coefficients).cpu()

    # -- points -----------------------------------------------------------------------------------

    def point(self, z: Tensor | list[float]) -> Sound:
        """A bare latent point as an end of a path.

        Raises:
            PointInvalid: wrong dimension, NaN, infinity, or absurdly far out.
        """
        return Sound(_checked_point(z, self.latent_dim), level=self.config.level)

    def at(self, x: float, y: float) -> Sound:
        """The point under a map position, as an end of a path.

        Raises:
            PositionInvalid: not finite, or further from the map than the map is wide.
        """
        _check_position(x, y, self.atlas.extent)
        return self.point(self.atlas.lift(torch.tensor([[x, y]]))[0])

    def coordinates(self, points: Points) -> Tensor:
        """Decoded timbre of latent points, turned: distances are those of Phi, (batch, m)."""
        return self.pullback.decode(points).cpu()

    def project(self, points: Points) -> Positions:
        """Map positions (batch, 2) of latent points (batch, latent)."""
        if self.atlas.is_latent_space:
            return points.cpu()
        return self.atlas.project(self.coordinates(points))

    def decode(self, points: Points, condition: Tensor | None = None) -> Clip:
        """The sounds decoded at latent points (batch, latent), under a condition (number,) if the decoder takes one.

        Returns:
            Clip.audio (batch, sample).

        Raises:
            PointInvalid: a point of another dimension, not finite, or absurdly far out.
            ValueError: a condition that the decoder does not take.
        """
        batch = torch.stack([self.point(z).z for z in points])
        audio = self.renderer.points(batch, torch.full((len(batch),), self.config.level), condition)
        return Clip(audio, self.sample_rate, provenance.of_points(self, batch))

    # -- what is heard ----------------------------------------------------------------------------

    def describe(self, points: Points) -> dict[str, Tensor]:
        """Descriptors of what the model makes of latent points (batch, latent), name -> (batch,).

        Differentiable in the points; read from the decoded features, which ranks sounds nearly as a measurement on
        audio does (how nearly, the card says).
        """
        decoded = self.vae.decode(points.to(self.device))
        words = self.readout(suppress_hiss(self.coefficients.synthesise(decoded)))
        return {name: values.cpu() for name, values in words.items()}

    def describe_audio(self, audio: AudioBatch) -> dict[str, Tensor]:
        """The same measured on sounds (batch, sample) at the model's sample rate."""
        return descriptors.describe_audio(audio, self.sample_rate)

    def timbre_of(self, audio: AudioBatch, coarse: bool = False) -> Timbre:
        """Phi of sounds (batch, sample), (batch, 512); ``coarse`` as :func:`timbre_features` takes it."""
        onset = self.representation.onset / self.sample_rate
        return timbre_features(audio.to(self.device), self.sample_rate, onset, coarse).cpu()

    def timbre(self, sound: Sound) -> Tensor:
        """Phi of a sound, (512,): of its recording, or of what the model makes of a bare point."""
        if sound.id is not None and sound.audio is not None:
            return self.library.timbre[self.library.index(sound.id)]
        return self.timbre_of(self.decode(sound.z[None]).audio[0] if sound.audio is None else sound.audio)

    # -- metrics ----------------------------------------------------------------------------------

    @property
    def pullback(self) -> Pullback:
        """The pull-back of Phi."""
        return self.metrics.pullback

    def volume_metric(self, name: str = MetricName.KERNEL) -> KernelMetric:
        """A metric whose volume new points are drawn by: the kernel metric, or the learned one.

        Raises:
            MetricUnavailable: it is another one, or this model has none that was learned.
        """
        metric = self.metric(name)
        if not isinstance(metric, KernelMetric):
            raise MetricUnavailable(
                f"new sounds are drawn by the volume of a kernel metric, which {name} is not; choose one of "
                f"{', '.join(self.volume_metric_names)}."
            )
        return metric

    @property
    def kernel(self) -> KernelMetric:
        """The kernel metric over the library."""
        return self.metrics.kernel

    def metric(
        self, name: str = "blend", weight: float | None = None, condition: Tensor | None = None
    ) -> Metric:
        """One of the model's metrics, on its device, for :mod:`sonifold.geodesic`.

        Args:
            name: one of :class:`sonifold.choices.MetricName`.
            weight: of the blend's data term, >= 0; the pack's default when None.
            condition: (number,) what the decoder takes besides a latent point; None for a decoder that takes nothing.

        Raises:
            MetricUnavailable: one that this model does not have.
            ValueError: an unknown name, a negative weight, or a condition that the decoder does not take.
        """
        return self.metrics.under(condition).named(name, weight)


def _checked_point(z: Tensor | list[float], latent_dim: int) -> Tensor:
    """A latent point (latent,) as float32. Raises PointInvalid."""
    try:
        values = torch.as_tensor(z, dtype=torch.float32).cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise PointInvalid(f"a latent point is {latent_dim} numbers; {error}.") from error
    if values.shape != (latent_dim,):
        raise PointInvalid(
            f"a latent point of this model has {latent_dim} numbers, got shape {tuple(values.shape)}."
        )
    if not torch.isfinite(values).all() or values.abs().max() > MAX_COORDINATE:
        raise PointInvalid(
            f"a latent point is {latent_dim} finite numbers, about -3 to 3; got NaN, infinity or a number beyond "
            f"{MAX_COORDINATE:.0f}."
        )
    return values


def _check_position(x: float, y: float, extent: tuple[float, float, float, float]) -> None:
    """Raises PositionInvalid where (x, y) is further from the map than the map is wide."""
    x0, x1, y0, y1 = extent
    near = abs(x - (x0 + x1) / 2) <= 1.5 * (x1 - x0) and abs(y - (y0 + y1) / 2) <= 1.5 * (y1 - y0)
    if not (math.isfinite(x) and math.isfinite(y) and near):
        raise PositionInvalid(
            f"({x}, {y}) is off the map, which spans x {x0:.1f} to {x1:.1f} and y {y0:.1f} to {y1:.1f}."
        )
