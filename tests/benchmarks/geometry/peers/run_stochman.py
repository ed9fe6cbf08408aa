"""stochman: a cubic spline whose energy Adam lowers, ``geodesic_minimizing_energy`` as its README uses it.

Its defaults but for two: more iterations than its 150, so that it can arrive, and the number of spline nodes, which is
given. Timed one pair after another; the other pairs go through it as one batch, which it supports.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from judge import FINE, Judge, Report, Trace, read_problem
from stochman.curves import CubicSpline
from stochman.geodesic import geodesic_minimizing_energy
from stochman.manifold import EmbeddedManifold

ITERATIONS, TIMED, BATCH = 300, 30, 50


class Decoded(EmbeddedManifold):
    def __init__(self, decoder):
        self.decoder = decoder

    def embed(self, points, jacobian=False):
        return self.decoder(points)


def solve(manifold, start, end, nodes, trace=None):
    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            loss = super().step(closure)
            if trace is not None:
                trace.mark(self.param_groups[0]["params"][0])
            return loss

    curve = CubicSpline(start, end, num_nodes=nodes)
    geodesic_minimizing_energy(curve, manifold, optimizer=Watched, max_iter=ITERATIONS)
    return curve


def main(problem, output, nodes):
    torch.set_num_threads(1)
    decoder, starts, ends = read_problem(Path(problem))
    manifold, times = Decoded(decoder), torch.linspace(0, 1, FINE)
    judge, report = Judge(decoder), Report(Path(output), version("stochman"))
    solve(manifold, starts[:1], ends[:1], int(nodes), Trace())
    for k in range(TIMED):
        trace = Trace()
        curve = solve(manifold, starts[k : k + 1], ends[k : k + 1], int(nodes), trace)

        def at(params, curve=curve):
            curve.params.data = params
            return curve(times).detach()

        report.timed(trace.judged(judge, at))
        report.final(judge(curve(times).detach()[None]))
    for k in range(TIMED, len(starts), BATCH):
        curve = solve(manifold, starts[k : k + BATCH], ends[k : k + BATCH], int(nodes))
        report.final(judge(curve(times).detach()))


if __name__ == "__main__":
    main(*sys.argv[1:])
