"""Distances modulo a group of changes that keep a sound itself: today transposition.

A sound and its transpositions are one *orbit*. The quotient distance of two sounds is the least distance between one
of them and the orbit of the other; the transposition that attains it *registers* them (Srivastava and Klassen 2016,
"Functional and Shape Data Analysis"). Orbits are clamped to a reach and read on a grid, between whose points they are
taken to be straight: all answers are exact for those broken lines.

The group does not act by isometries here, since hearing does not: what is guaranteed is symmetry, that no distance
exceeds the one between the sounds as they are, and zero on an orbit. Invariance and the triangle inequality hold as
nearly as the base distance is invariant.

orbits          the transpositions of sounds as broken lines, in Phi or in any space that copies can be brought to
distances       of all pairs, with the transposition that registers each; of points from orbits
frechet_mean    the average of sounds, each in the key in which it is nearest to it
lengths         the same over geodesics: the shortest path from a registered copy
"""

from .distance import Registrations, distances, from_points, least
from .mean import Mean, frechet_mean
from .orbit import REACH, STEP, Orbits, copies, shifts, timbre_orbits
from .path import lengths

__all__ = [
    "REACH",
    "STEP",
    "Mean",
    "Orbits",
    "Registrations",
    "copies",
    "distances",
    "frechet_mean",
    "from_points",
    "least",
    "lengths",
    "shifts",
    "timbre_orbits",
]
