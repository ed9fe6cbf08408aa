"""pythae: its RHVAESampler on a given metric, with its default settings but for the number of transitions.

The time of a transition does not depend on how many came before, so a part of the default hundred is timed and scaled.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import torch
from pythae.models import RHVAE, RHVAEConfig
from pythae.samplers import RHVAESampler, RHVAESamplerConfig
from safetensors.torch import load_file

DEFAULT_TRANSITIONS = 100


def main(problem, output, transitions, count):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tensors, transitions, count = load_file(problem), int(transitions), int(count)
    latent = tensors["centroids"].shape[1]
    model = RHVAE(RHVAEConfig(input_dim=(1, 28, 28), latent_dim=latent)).eval()
    # as at the end of its training: until then its metric is another
    model.M.append(tensors["matrices"])
    model.centroids.append(tensors["centroids"])
    model._update_metric()
    with torch.no_grad():
        model.temperature.fill_(float(tensors["temperature"]))
        model.lbd.fill_(float(tensors["ridge"]))
    sampler = RHVAESampler(model, RHVAESamplerConfig(mcmc_steps_nbr=transitions))
    error = gradient_error(sampler, tensors["centroids"])
    seen = []
    density = sampler.log_pi

    def watched(z, model):
        seen.append(z)
        return density(z, model)

    sampler.log_pi = watched
    began = time.perf_counter()
    points = torch.cat([sampler.hmc_sampling(size) for size in sizes(count)])
    seconds = time.perf_counter() - began
    result = {
        "version": version("pythae"),
        "seconds": seconds * DEFAULT_TRANSITIONS / transitions * 1000 / count,
        "transitions": transitions,
        "acceptance": acceptance(seen, transitions),
        "gradient_error": error,
        "away": torch.cdist(points, tensors["centroids"]).amin(1).tolist(),
    }
    Path(output).write_text(json.dumps(result))


def sizes(count, batch=500):
    """As RHVAESampler.sample splits them; it then decodes, which is not what is compared."""
    return [batch] * (count // batch) + [count % batch] * bool(count % batch)


def acceptance(seen, transitions):
    """Share of trajectories that moved: the density is asked for before and after each."""
    befores = seen[::2]
    moved = [
        (befores[k + 1] != befores[k]).any(1).float().mean()
        for k in range(len(befores) - 1)
        if (k + 1) % transitions
    ]
    return float(torch.stack(moved).mean()) if moved else None


def gradient_error(sampler, centroids):
    """Its gradient of log sqrt det G^-1 against autograd's near the data. (Its own log adds 1e-10 to sqrt det.)"""
    z = (centroids[:32] + 0.1 * torch.randn(32, centroids.shape[1])).requires_grad_(True)
    log_density = torch.linalg.slogdet(sampler.model.G_inv(z)).logabsdet / 2
    (exact,) = torch.autograd.grad(log_density.sum(), z)
    found = sampler.grad_func(z.detach(), sampler.model).reshape(exact.shape)
    return float((found - exact).norm() / exact.norm())


if __name__ == "__main__":
    main(*sys.argv[1:])
