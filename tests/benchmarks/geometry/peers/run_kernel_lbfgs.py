"""torch.optim.LBFGS (strong Wolfe) on the nodes of a curve under a kernel metric, differentiated by torch.

The energy is written as one writes it for speed: distances by one matrix product, no K x d x d table for each point,
Cholesky instead of an inverse.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from descent import minimise
from judge import Report, Trace, fine

#: As many looks at the metric along a curve as ours takes, three in each of 16 steps; on 17 nodes, with one look
#: a step, three quarters of the curves found were far from the best on a fine grid.
NODES = 49


class Energy:
    """N sum u' G(middle) u with G^-1 = sum_i M_i exp(-|z - c_i|^2 / T^2) + ridge I; M_i (K, d) or (K, d, d)."""

    def __init__(self, tensors):
        self.centroids, self.matrices = tensors["centroids"], tensors["matrices"]
        self.temperature, self.ridge = tensors["temperature"], tensors["ridge"]

    def __call__(self, curve):
        steps, middles = curve.diff(dim=0), (curve[1:] + curve[:-1]) / 2
        weights = (-torch.cdist(middles, self.centroids).square() / self.temperature**2).exp()
        if self.matrices.ndim == 2:
            squared = (steps.square() / (weights @ self.matrices + self.ridge)).sum(1)
        else:
            d = curve.shape[1]
            inverse = (weights @ self.matrices.flatten(1)).view(-1, d, d) + self.ridge * torch.eye(d).to(
                curve
            )
            lowered = torch.cholesky_solve(steps[:, :, None], torch.linalg.cholesky(inverse))[:, :, 0]
            squared = (steps * lowered).sum(1)
        return len(steps) * squared.sum()

    def double(self):
        return Energy({name: value.double() for name, value in vars(self).items()})

    @torch.no_grad()
    def judge(self, curves):
        return [float(self.double()(fine(curve.double()))) for curve in curves]


def main(problem, output):
    torch.set_num_threads(1)
    tensors = load_file(problem)
    energy, report = Energy(tensors), Report(Path(output), torch.__version__)
    starts, ends = tensors["starts"], tensors["ends"]
    minimise(energy, starts[0], ends[0], NODES, Trace())
    for start, end in zip(starts, ends, strict=True):
        trace = Trace()
        found = minimise(energy, start, end, NODES, trace)
        report.timed(trace.judged(energy.judge, lambda curve: curve))
        report.final(energy.judge(found[None]))


if __name__ == "__main__":
    main(*sys.argv[1:])
