"""New sounds: samplers of latent points.

Sampler
├─ Prior                  N(0, I)
├─ Mixture                Gaussians fitted to the latent means; the baseline
├─ AggregatedPosterior    near a sound of the library
├─ ImportanceResampling   the volume element of a metric, in one pass
└─ VolumeHMC              the same by Hamiltonian Monte Carlo, for many dimensions
wander                    a random walk from a given sound
"""

from .aggregated import AggregatedPosterior
from .base import Sampler, Samples
from .hmc import VolumeHMC
from .importance import ImportanceResampling
from .mixture import Mixture
from .prior import Prior
from .volume import VolumeDensity
from .walk import PACE, Walk, wander

__all__ = [
    "PACE",
    "AggregatedPosterior",
    "ImportanceResampling",
    "Mixture",
    "Prior",
    "Sampler",
    "Samples",
    "VolumeDensity",
    "VolumeHMC",
    "Walk",
    "wander",
]
