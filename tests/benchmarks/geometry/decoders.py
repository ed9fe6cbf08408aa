"""The decoders the solvers are compared on: small VAEs of drawn strokes, trained once and kept.

A stroke is a quadratic Bezier curve of random ends, bend and width on 28 x 28 pixels: seven numbers a picture, strongly
curved in pixel space, and no data set to fetch. The decoder is Linear(d, 256) - SiLU - Linear(256, 256) - SiLU -
Linear(256, outputs); with 8,192 outputs a fixed smooth upsampling is multiplied into the last layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

WIDTH, PIXELS, WIDE = 256, 784, 8192
STEPS, BATCH, PICTURES = 3000, 128, 6000


@dataclass(frozen=True)
class Case:
    """A decoder with the latent means and variances of the pictures it was trained on."""

    decoder: nn.Sequential
    means: Tensor
    variances: Tensor

    def pairs(self, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Random pairs of means."""
        picked = torch.randperm(len(self.means), generator=torch.Generator().manual_seed(seed))[: 2 * count]
        return self.means[picked[:count]], self.means[picked[count:]]


def load(latent: int, folder: Path, wide: bool = False) -> Case:
    """The decoder of so many dimensions, trained first if it is not there."""
    file = folder / f"strokes-{latent}.safetensors"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save_file(train(latent), file)
    tensors = load_file(file)
    means, variances = tensors.pop("means"), tensors.pop("variances")
    net = decoder(latent)
    net.load_state_dict(tensors)
    net.requires_grad_(False).eval()
    return Case(_widen(net) if wide else net, means, variances)


def decoder(latent: int, outputs: int = PIXELS) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(latent, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, outputs)
    )


def strokes(count: int, seed: int = 0) -> Tensor:
    """Pictures (count, 784) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    ends = 0.15 + 0.7 * torch.rand(count, 3, 2, generator=generator)
    width = 0.03 + 0.05 * torch.rand(count, 1, 1, generator=generator)
    t = torch.linspace(0, 1, 24)[None, :, None]
    curve = (1 - t) ** 2 * ends[:, :1] + 2 * t * (1 - t) * ends[:, 1:2] + t**2 * ends[:, 2:]
    axis = (torch.arange(28) + 0.5) / 28
    pixels = torch.cartesian_prod(axis, axis)
    parts = [torch.cdist(part, pixels[None].expand(len(part), -1, -1)).amin(1) for part in curve.split(500)]
    return torch.sigmoid((width[:, 0] - torch.cat(parts)) / 0.012)


def train(latent: int) -> dict[str, Tensor]:
    """Weights of the decoder, with the means and variances of all pictures."""
    torch.manual_seed(latent)
    pictures = strokes(PICTURES)
    encoder = nn.Sequential(nn.Linear(PIXELS, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 2 * latent))
    net = decoder(latent)
    optimiser = torch.optim.Adam([*encoder.parameters(), *net.parameters()], 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, STEPS)
    for _ in range(STEPS):
        batch = pictures[torch.randint(PICTURES, (BATCH,))]
        mean, log_variance = encoder(batch).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        error = 5 * (net(z) - batch).square().sum(1).mean()
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
        optimiser.zero_grad()
        (error + divergence).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        mean, log_variance = encoder(pictures).chunk(2, 1)
    weights = {name: value.detach() for name, value in net.state_dict().items()}
    return {**weights, "means": mean.contiguous(), "variances": log_variance.exp().contiguous()}


def _widen(net: nn.Sequential) -> nn.Sequential:
    last = net[4]
    spread = nn.functional.interpolate(torch.eye(PIXELS)[:, None], size=WIDE, mode="linear")[:, 0].T
    spread = spread * math.sqrt(PIXELS / WIDE)
    wide = nn.Linear(WIDTH, WIDE)
    wide.weight.data, wide.bias.data = spread @ last.weight, spread @ last.bias
    return nn.Sequential(*net[:4], wide).requires_grad_(False).eval()
