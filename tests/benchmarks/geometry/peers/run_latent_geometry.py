"""latent-geometry: the geodesic equation as a boundary value problem (SciPy's solve_bvp), as its README uses it."""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from judge import FINE, Judge, Report, Trace, read_problem
from latent_geometry.manifold import LatentManifold
from latent_geometry.mapping import TorchModelMapping
from latent_geometry.metric import EuclideanMetric


def main(problem, output):
    torch.set_num_threads(1)
    decoder, starts, ends = read_problem(Path(problem))
    mapping = TorchModelMapping(decoder, (starts.shape[1],), (decoder[-1].out_features,), batch_size=256)
    manifold = LatentManifold(mapping, EuclideanMetric())
    judge, report = Judge(decoder), Report(Path(output), version("latent-geometry"))
    report.say()
    for start, end in zip(starts.numpy(), ends.numpy(), strict=True):
        trace = Trace()
        try:
            path = manifold.shortest_path(start, end)
        except Exception as error:
            report.final([float("inf")])
            report.say(note=f"{type(error).__name__}: {error}"[:200])
            continue
        trace.mark(torch.from_numpy(np.stack([path(t) for t in np.linspace(0, 1, FINE)])))
        judged = trace.judged(judge, lambda curve: curve)
        report.timed(judged)
        report.final(judged["energies"][-1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
