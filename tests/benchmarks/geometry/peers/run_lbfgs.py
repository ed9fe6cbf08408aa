"""torch.optim.LBFGS (strong Wolfe) or Adam on the nodes of a curve and the raw decoder: what one writes oneself."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from descent import minimise
from judge import Judge, Report, Trace, read_problem

NODES = 17
TIMED = 30


def solve(decoder, start, end, method, trace):
    def energy(curve):
        return (NODES - 1) * decoder(curve).diff(dim=0).square().sum()

    return minimise(energy, start, end, NODES, trace, method)


def main(problem, output, method):
    torch.set_num_threads(1)
    decoder, starts, ends = read_problem(Path(problem))
    judge, report = Judge(decoder), Report(Path(output), torch.__version__)
    solve(decoder, starts[0], ends[0], method, Trace())
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        trace = Trace()
        found = solve(decoder, start, end, method, trace)
        if k < TIMED:
            report.timed(trace.judged(judge, lambda curve: curve))
        elif method == "adam":
            break
        report.final(judge(found[None]))


if __name__ == "__main__":
    main(*sys.argv[1:])
