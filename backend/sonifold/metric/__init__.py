"""Riemannian metrics on latent space.

Metric            one required method, tensor(z); everything else follows
├─ Flat             the Euclidean baseline
├─ KernelMetric     closed form; cheap near the data: posterior, isotropic, or any matrices
├─ Pullback         what a decoder induces; exact and fast for linear heads
├─ DecoderEnsemble  the expected pullback of several decoders, and where they disagree
├─ SamplingMetric   for sampling only: large on the data, so its shortest paths flee them
├─ Blend            pullback plus a data term: the default for paths
└─ Slice            what any of them is on a plane: with indicatrices and curvature
"""

from .autodiff import BackwardMode, ForwardMode
from .base import Metric, Quadratic
from .blend import Blend
from .curvature import Slice, indicatrices, slice_curvature
from .ensemble import DecoderEnsemble
from .flat import Flat
from .foreign import AnyDecoder
from .kernel import KernelMetric
from .pullback import Pullback
from .sampling import SamplingMetric
from .sequential import RESIDUAL_BLOCKS, ResidualMLPTangents, SequentialTangents
from .tangent import Headed, TangentDecoder

__all__ = [
    "RESIDUAL_BLOCKS",
    "AnyDecoder",
    "BackwardMode",
    "Blend",
    "DecoderEnsemble",
    "Flat",
    "ForwardMode",
    "Headed",
    "KernelMetric",
    "Metric",
    "Pullback",
    "Quadratic",
    "ResidualMLPTangents",
    "SamplingMetric",
    "SequentialTangents",
    "Slice",
    "TangentDecoder",
    "indicatrices",
    "slice_curvature",
]
