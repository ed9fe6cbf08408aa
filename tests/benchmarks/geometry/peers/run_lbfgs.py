"""torch.optim.LBFGS (strong Wolfe) or Adam on the nodes of a curve and the raw decoder: what one writes oneself."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from judge import Judge, Report, Trace, read_problem

NODES = 17
ITERATIONS = {"lbfgs": 200, "adam": 300}
TIMED = 30


def solve(decoder, start, end, method, trace):
    times = torch.linspace(0, 1, NODES)[:, None]
    line = start * (1 - times) + end * times
    inner = line[1:-1].clone().requires_grad_(True)

    def curve():
        return torch.cat([line[:1], inner, line[-1:]])

    def closure():
        optimiser.zero_grad()
        here = curve()
        trace.mark(here)
        energy = (NODES - 1) * decoder(here).diff(dim=0).square().sum()
        energy.backward()
        return energy

    if method == "lbfgs":
        # one call, because a call of few iterations allows its line search too few evaluations
        optimiser = torch.optim.LBFGS(
            [inner], lr=1, max_iter=ITERATIONS[method], history_size=10, line_search_fn="strong_wolfe"
        )
        optimiser.step(closure)
    else:
        optimiser = torch.optim.Adam([inner], lr=0.03)
        for _ in range(ITERATIONS[method]):
            optimiser.step(closure)
    trace.mark(curve())
    return curve().detach()


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
