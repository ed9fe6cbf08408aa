"""geomstats: path straightening under its pullback metric of an immersion, with its torch backend."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

os.environ["GEOMSTATS_BACKEND"] = "pytorch"

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from geomstats.geometry.base import ImmersedSet
from geomstats.geometry.euclidean import Euclidean
from geomstats.geometry.pullback_metric import PullbackMetric
from geomstats.numerics.geodesic import PathStraightening
from judge import Judge, Report, Trace, read_problem

NODES = 17


class Latent(ImmersedSet):
    """Latent space immersed by a decoder."""

    def __init__(self, dim, decoder):
        self.decoder = decoder
        super().__init__(dim=dim, equip=False)

    def _define_embedding_space(self):
        return Euclidean(self.decoder[-1].out_features)

    def immersion(self, point):
        return self.decoder(point)


def main(problem, output):
    torch.set_num_threads(1)
    decoder, starts, ends = read_problem(Path(problem))
    decoder, starts, ends = decoder.double(), starts.double(), ends.double()
    space = Latent(starts.shape[1], decoder)
    space.equip_with_metric(PullbackMetric)
    solver = PathStraightening(space, n_nodes=NODES)
    judge, report = Judge(decoder), Report(Path(output), version("geomstats"))
    report.say()
    for start, end in zip(starts, ends, strict=True):
        trace = Trace()
        trace.mark(solver.discrete_geodesic_bvp(end, start))
        judged = trace.judged(judge, lambda curve: curve)
        report.timed(judged)
        report.final(judged["energies"][-1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
