"""Morphs as judges hear them that nobody here trained: ``sonifold evaluate ears``.

A measure that was fitted together with the model speaks for the model. CDPAM was trained on differences that people
just notice, Zimtohrli models the ear; each runs in an environment of its own, which is made first.

environments    an interpreter with a few packages on top of the project's own
figures         what is read off a judge's distances
judges          the programs that run there, and the packages that they need
listening       the process of a judge, asked about one morph after another
linear          principal components in the place of the decoder: straight lines right by construction
methods         the ways from one sound to another that are compared
page            docs/ears.md
run             all pairs, resumable
"""

from sonifold_research.ears.run import evaluate

__all__ = ["evaluate"]
