"""Judges of sounds, each a module with a class ``Judge``, run by ``python -m sonifold_research.ears.judges NAME``.

A judge turns samples (sample,) at its own rate into something it can compare, and gives the distance of two of those.
NAME.txt beside it holds the packages that it needs, pinned.
"""

#: Name of the module -> what the judge is called in tables, and what it is.
JUDGES = {
    "zimtohrli": "Zimtohrli",
    "cdpam": "CDPAM",
}
#: After a method's name: the rows of the recordings that its middle step may be near to.
NEAREST = " nearest"
