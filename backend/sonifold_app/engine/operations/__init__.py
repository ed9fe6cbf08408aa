"""All that an engine computes, by name. To add an operation: a function, an ``Operation`` beside it, its line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sonifold_app.engine.operations.adapting import REEMBED
from sonifold_app.engine.operations.decoding import CONVERT, DECODE, DESCRIBE, LIBRARY_FILE, SEPARATE
from sonifold_app.engine.operations.exports import EXPORT
from sonifold_app.engine.operations.instruments import INSTRUMENT
from sonifold_app.engine.operations.paths import MORPH, MORPH_PARTS, TRACE
from sonifold_app.engine.operations.points import (
    ANALOGY,
    DISTANCES,
    EXTRAPOLATE,
    INDICATRICES,
    LIFT,
    MAGNIFICATION,
    MEAN,
    NEIGHBOURS,
    PROJECT,
    SAMPLE,
    TRAVERSE,
)
from sonifold_app.engine.operations.recordings import (
    CUT,
    DUPLICATES,
    EMBED,
    FINGERPRINT,
    PREPARE_SOUND,
    SPLIT,
)
from sonifold_app.engine.operations.stimuli import MATCH, STIMULUS
from sonifold_app.engine.protocol import Operation, ProgressiveOperation

OPERATIONS: Mapping[str, Operation[Any, Any]] = {
    operation.name: operation
    for operation in (
        TRACE,
        MORPH,
        DECODE,
        DESCRIBE,
        LIBRARY_FILE,
        CONVERT,
        SEPARATE,
        EMBED,
        PREPARE_SOUND,
        SPLIT,
        CUT,
        FINGERPRINT,
        DUPLICATES,
        MEAN,
        ANALOGY,
        EXTRAPOLATE,
        SAMPLE,
        TRAVERSE,
        INDICATRICES,
        MAGNIFICATION,
        NEIGHBOURS,
        DISTANCES,
        PROJECT,
        LIFT,
        REEMBED,
        EXPORT,
        INSTRUMENT,
        STIMULUS,
        MATCH,
    )
}

PROGRESSIVE: Mapping[str, ProgressiveOperation[Any, Any]] = {
    operation.name: operation for operation in (MORPH_PARTS,)
}

__all__ = [
    "ANALOGY",
    "CONVERT",
    "CUT",
    "DECODE",
    "DESCRIBE",
    "DISTANCES",
    "DUPLICATES",
    "EMBED",
    "EXPORT",
    "EXTRAPOLATE",
    "FINGERPRINT",
    "INDICATRICES",
    "INSTRUMENT",
    "LIBRARY_FILE",
    "LIFT",
    "MAGNIFICATION",
    "MATCH",
    "MEAN",
    "MORPH",
    "MORPH_PARTS",
    "NEIGHBOURS",
    "OPERATIONS",
    "PREPARE_SOUND",
    "PROGRESSIVE",
    "PROJECT",
    "REEMBED",
    "SAMPLE",
    "SEPARATE",
    "SPLIT",
    "STIMULUS",
    "TRACE",
    "TRAVERSE",
]
