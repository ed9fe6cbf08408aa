"""``python -m sonifold.cli``: the same as ``sonifold``."""

import sys

from sonifold.cli import main

sys.exit(main())
