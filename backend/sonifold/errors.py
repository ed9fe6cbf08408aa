"""Errors of the science, each with a sentence on what to do about it.

SonifoldError
├─ AudioError             a sound that cannot be used
│  ├─ AudioUnreadable       the bytes are not a sound this library can read
│  ├─ AudioTooLong          longer than a one-shot may be
│  ├─ AudioTooShort         too few samples to hold a sound
│  └─ AudioSilent           nothing above the noise floor
├─ PackError              a folder under models/ that cannot be used
│  ├─ PackNotFound          no such folder
│  ├─ PackInvalid           the folder's config does not describe a pack
│  └─ ArtifactCorrupt       a file differs from the sha256 its config promises
├─ SoundNotFound          no sound with that id in the library
├─ PointInvalid           a latent point of the wrong dimension, or with NaN or infinity in it
├─ MetricUnavailable      a metric that this model does not have
├─ DeviceUnavailable      a device to compute on that is not here
├─ DecoderInvalid         a decoder of one's own that geometry cannot be made of
├─ PositionInvalid        a map position that is not two finite numbers
├─ NotFinite              a result that numbers cannot hold: the model is flat or overflows there
├─ UploadsInvalid         sounds that a pack cannot be adapted to
├─ InstrumentInvalid      sounds that a sampler's format cannot hold
├─ OutputError            a file that cannot, or must not, be written where it was asked for
├─ Cancelled              a long run was told to stop
├─ ListeningTestError     a listening test that cannot be made, or whose server does not answer
└─ DatasetError           a data set could not be built from its sources

Every message says what came, what would have worked, and what to do.
"""

from __future__ import annotations


class SonifoldError(Exception):
    """Root of the tree; its message is a sentence for the user."""


class AudioError(SonifoldError):
    """A sound that cannot be used."""


class AudioUnreadable(AudioError):
    """The bytes are not a sound this library can read."""


class AudioTooLong(AudioError):
    """Longer than a one-shot may be."""


class AudioTooShort(AudioError):
    """Too few samples to hold a sound."""


class AudioSilent(AudioError):
    """Nothing above the noise floor."""


class PackError(SonifoldError):
    """A folder under models/ that cannot be used."""


class PackNotFound(PackError):
    """No such folder."""


class PackInvalid(PackError):
    """The folder's config does not describe a pack."""


class ArtifactCorrupt(PackError):
    """A file differs from the sha256 its config promises."""


class SoundNotFound(SonifoldError):
    """No sound with that id in the library."""


class PointInvalid(SonifoldError):
    """A latent point of the wrong dimension, or with NaN or infinity in it."""


class MetricUnavailable(SonifoldError):
    """A metric that this model does not have."""


class DeviceUnavailable(SonifoldError):
    """A device to compute on that is not here."""


class DecoderInvalid(SonifoldError):
    """A decoder of one's own that geometry cannot be made of."""


class PositionInvalid(SonifoldError):
    """A map position that is not two finite numbers."""


class NotFinite(SonifoldError):
    """A result that numbers cannot hold: the model is flat or overflows there."""


class UploadsInvalid(SonifoldError):
    """Sounds that a pack cannot be adapted to."""


class InstrumentInvalid(SonifoldError):
    """Sounds that a sampler's format cannot hold, or not as they are laid out."""


class OutputError(SonifoldError):
    """A file that cannot, or must not, be written where it was asked for."""


class Cancelled(SonifoldError):
    """A long run was told to stop."""


class DatasetError(SonifoldError):
    """A data set could not be built from its sources."""


class ListeningTestError(SonifoldError):
    """A listening test that cannot be made, or whose server does not answer."""
