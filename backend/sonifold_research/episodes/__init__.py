"""Few-shot episodes on groups of sounds that chose nothing: ``sonifold reproduce fewshot-episodes``.

sounds      foreign kits, instruments and textures, straight from their packages
spaces      where their sounds and transposed copies lie: latent points, decoded Phi, Phi of the audio
draw        episodes: classes, a few sounds of each, others to recognise, from other groups
distances   every distance between them, plain and modulo transposition
rules       nearest sound, nearest few, mean distance, prototype
network     a small convolutional network trained from scratch
run         all of it, resumable
page        docs/fewshot-episodes.md
"""

from .run import reproduce

__all__ = ["reproduce"]
