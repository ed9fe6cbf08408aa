"""torch.optim on the inner nodes of a curve from the straight line: what one writes oneself.

Every evaluation is a mark in the trace, so that a curve counts from the moment it was first reached.
"""

import torch

ITERATIONS = {"lbfgs": 200, "adam": 300}


def minimise(energy, start, end, nodes, trace, method="lbfgs"):
    """The curve (node, latent) of least energy found; ``energy`` takes a curve and is differentiated by torch."""
    times = torch.linspace(0, 1, nodes)[:, None]
    line = start * (1 - times) + end * times
    inner = line[1:-1].clone().requires_grad_(True)

    def curve():
        return torch.cat([line[:1], inner, line[-1:]])

    def closure():
        optimiser.zero_grad()
        here = curve()
        trace.mark(here)
        found = energy(here)
        found.backward()
        return found

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
