"""The glossary as types: what the arrays that travel through this library hold.

The aliases are plain ``Tensor`` to a type checker; the shape is in the name and in the table.

=============  =======================  =======================================================
alias          shape                    holds
=============  =======================  =======================================================
Audio          (sample,)                one mono sound, full scale = 1
AudioBatch     (batch, sample)          several of equal length
FeatureMap     (band, frame)            the features X of one sound (``representation.spectral``)
FeatureMaps    (batch, band, frame)     of several
Points         (batch, latent)          places in latent space
Vectors        (batch, latent)          tangent vectors, one at each of as many points
Tensors        (batch, latent, latent)  one matrix a point: a metric tensor or its inverse
Curve          (node, latent)           one path, end points included
Curves         (batch, node, latent)    several with equally many nodes
Positions      (batch, 2)               places on the map
Timbre         (batch, feature)         Phi: perceptual coordinates, Euclidean
=============  =======================  =======================================================
"""

from __future__ import annotations

from typing import TypeAlias

from torch import Tensor

Audio: TypeAlias = Tensor
AudioBatch: TypeAlias = Tensor
FeatureMap: TypeAlias = Tensor
FeatureMaps: TypeAlias = Tensor
Points: TypeAlias = Tensor
Vectors: TypeAlias = Tensor
Tensors: TypeAlias = Tensor
Curve: TypeAlias = Tensor
Curves: TypeAlias = Tensor
Positions: TypeAlias = Tensor
Timbre: TypeAlias = Tensor
