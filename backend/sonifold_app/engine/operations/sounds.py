"""Sounds and recordings that operations share: what an anchor means, a user's sound, rendered sound.

torch is imported where it is used: the server answers before it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sonifold.audio.memory import memory_file
from sonifold_app.engine.answers import Caveat, Recording
from sonifold_app.engine.finite import checked
from sonifold_app.engine.numbers import numbers
from sonifold_app.engine.questions import Anchor, UserSoundArrays, UserSoundData

if TYPE_CHECKING:
    from torch import Tensor

    from sonifold import caveat as science
    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.model.neighbours import SoundTable
    from sonifold.sound import Sound

#: Neighbours named with a sound.
NEAREST = 5
#: User's sounds that stay ready to be the end of a path.
RECENT = 32


def resolve(model: Model, anchor: Anchor) -> Sound:
    """The sound that an anchor means."""
    if anchor.sound is not None:
        return model.sound(anchor.sound)
    if anchor.user_sound is not None:
        return load_user_sound(model, anchor.user_sound)
    if anchor.point is not None:
        return model.point(list(anchor.point))
    assert anchor.position is not None, "an anchor is one of four things"
    return model.at(*anchor.position)


@lru_cache(RECENT)
def load_user_sound(model: Model, data: UserSoundData) -> Sound:
    """A user's sound with its residual, as an end of a path; the last few stay ready."""
    import torch

    z = torch.from_numpy(data.z) if len(data.z) else None
    sound = model.recorded(samples_of(data.audio), z, data.name, data.seconds)
    return sound if data.pitch is None else replace(sound, pitch_hz=data.pitch)


def samples_of(audio: bytes) -> Tensor:
    """The samples of a prepared sound's file, (sample,)."""
    import soundfile
    import torch

    with memory_file(audio) as memory:
        samples, _ = soundfile.read(memory, dtype="float32", closefd=False)
    return torch.from_numpy(samples)


def timbre_of(anchor: Anchor) -> Tensor | None:
    """Phi of a user's sound, (512,), as it was stored; None of other anchors."""
    import torch

    return None if anchor.user_sound is None else torch.from_numpy(anchor.user_sound.timbre)


def table_of(model: Model, user_sounds: UserSoundArrays | None) -> SoundTable:
    """The library's sounds, and the user's after them."""
    import torch

    library = model.nearby.library
    if user_sounds is None:
        return library
    z, timbre = torch.from_numpy(user_sounds.z), torch.from_numpy(user_sounds.timbre)
    return library.with_sounds(user_sounds.ids, z, timbre)


def position_of(model: Model, z: Tensor) -> tuple[float, float]:
    """The position of a latent point (latent,) on the map."""
    ((x, y),) = numbers(model.project(z[None]))
    return float(x), float(y)


def recording_of(clip: Clip) -> Recording:
    """A clip as a WAV file. Raises NotFinite."""
    checked(numbers(clip.audio))  # as samples of a file, NaN would be some number
    return Recording(clip.to_bytes("wav"), clip.audio.numel(), clip.sample_rate)


def caveats_of(caveats: Sequence[science.Caveat]) -> list[Caveat]:
    return [Caveat(code=caveat.code, text=caveat.text) for caveat in caveats]
