"""The kinds of instrument that can be written, one file each; see :mod:`sonifold.instruments.format`."""
