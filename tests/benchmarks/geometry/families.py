"""Two dozen families of decoders: is every path measured as its own decoder has it, and never worse than its line?

Each family is solved in 1, 2, 8 and 64 dimensions. A path counts as false where ``solve`` calls it converged and it
has more energy than the straight line, or is longer, on a grid eight times finer; a length counts as another decoder's
where it is not that of the outputs that the plain call gives. What is counted is written down at once: a run that
was ended goes on where it was, while neither the geometry nor this file has changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from sonifold.errors import DecoderInvalid
from sonifold.files import write_file
from sonifold.geodesic import Geodesics, line, resample, solve
from sonifold.metric import Pullback
from sonifold.vae.network import ResidualBlock

Decoder = Callable[[Tensor], Tensor]
#: What one family has been counted for in one dimension, by both.
Counts = dict[str, dict[str, dict[str, int]]]

ROOT = Path(__file__).resolve().parents[3]
UNFINISHED = ROOT / "build" / "bench" / "families.json"

DIMENSIONS = (1, 2, 8, 64)
PAIRS = 200  # of each family, over all dimensions
NODES, FINE = 17, 129
WIDTH, OUTPUTS = 64, 100
#: What rounding in single precision explains of an energy, a length, or a length measured twice.
ROUNDING, SAME = 1e-4, 1e-3


class Attention(nn.Module):
    def __init__(self, latent: int):
        super().__init__()
        self.enter, self.layer = (
            nn.Linear(latent, 8 * 16),
            nn.TransformerEncoderLayer(16, 2, 32, batch_first=True),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.layer(self.enter(z).view(-1, 8, 16))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], latent: int):
        super().__init__()
        self.layer = kind(latent, 16, batch_first=True)

    def forward(self, z: Tensor) -> Tensor:
        return self.layer(z[:, None].expand(-1, 8, -1))[0]


class Adapted(nn.Linear):
    """A linear layer with a low-rank change, as LoRA makes it."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs)
        self.down, self.up = nn.Parameter(torch.randn(4, inputs)), nn.Parameter(torch.randn(outputs, 4) / 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + x @ self.down.T @ self.up.T


class Gated(nn.Module):
    """SwiGLU in a residual block: children named as in the pack's block, and one more."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.up, self.gate, self.down = (nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(self, h: Tensor) -> Tensor:
        x = self.norm(h)
        return h + self.down(nn.functional.silu(self.gate(x)) * self.up(x))


class Then(nn.Module):
    """A decoder and what is done with its outputs."""

    def __init__(self, decoder: nn.Module, after: Decoder):
        super().__init__()
        self.decoder, self.after = decoder, after

    def forward(self, z: Tensor) -> Tensor:
        return self.after(self.decoder(z))


def perceptron(latent: int, *between: nn.Module, outputs: int = OUTPUTS) -> nn.Sequential:
    return nn.Sequential(nn.Linear(latent, WIDTH), nn.SiLU(), *between, nn.Linear(WIDTH, outputs))


def residual(latent: int) -> nn.Sequential:
    block = ResidualBlock(WIDTH, 2 * WIDTH)
    nn.init.normal_(block.down.weight, std=0.1)
    return perceptron(latent, block)


def batch_normed(latent: int) -> nn.Sequential:
    decoder = perceptron(latent, nn.BatchNorm1d(WIDTH))
    decoder(torch.randn(64, latent))
    return decoder


def hooked(latent: int) -> nn.Sequential:
    decoder = perceptron(latent)
    decoder[2].register_forward_hook(lambda module, given, out: 3 * torch.tanh(out))
    return decoder


def weight_normed(latent: int) -> nn.Sequential:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch would rather have the parametrisation, which is a family of its own
        norm = nn.utils.weight_norm
        decoder = nn.Sequential(norm(nn.Linear(latent, WIDTH)), nn.SiLU(), norm(nn.Linear(WIDTH, OUTPUTS)))
    state = {
        key: 2 * value + 0.1 if key.endswith("_g") else value for key, value in decoder.state_dict().items()
    }
    decoder.load_state_dict(state)
    return decoder


def parametrised(latent: int) -> nn.Sequential:
    decoder = perceptron(latent)
    nn.utils.parametrizations.weight_norm(decoder[0])
    nn.utils.parametrizations.spectral_norm(decoder[2])
    return decoder


def convolutional(latent: int, *norm: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(latent, 8 * 8),
        nn.Unflatten(1, (8, 8)),
        nn.ConvTranspose1d(8, 8, 4, 2, 1),
        *norm,
        nn.ELU(),
        nn.ConvTranspose1d(8, 1, 8, 4, 2),
    )


def pictures(latent: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(latent, 8 * 16),
        nn.Unflatten(1, (8, 4, 4)),
        nn.GroupNorm(2, 8),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(8, 1, 3, padding=1),
        nn.Sigmoid(),
    )


def creased(latent: int) -> nn.Sequential:
    """Instance norm over few samples turns on its heel where these nearly agree."""
    return nn.Sequential(
        nn.Linear(latent, 8), nn.Unflatten(1, (4, 2)), nn.InstanceNorm1d(4), nn.SELU(), nn.Conv1d(4, 8, 2)
    )


def saturated(latent: int) -> nn.Sequential:
    decoder = nn.Sequential(nn.Linear(latent, WIDTH), nn.Tanh(), nn.Linear(WIDTH, OUTPUTS), nn.Tanh())
    for layer in decoder[::2]:
        layer.weight.data *= 20
    return decoder


def sixteen_bit(x: Tensor) -> Tensor:
    return (x.clamp(-1, 1) * 32767).round() / 32767


class Nearest(nn.Module):
    """The nearest of 64 codes, decoded; with ``through`` its slope is that of the point itself."""

    def __init__(self, latent: int, through: bool):
        super().__init__()
        self.decoder, self.through = perceptron(latent), through
        self.register_buffer("codes", torch.randn(64, latent))

    def forward(self, z: Tensor) -> Tensor:
        code = self.codes[(z[:, None] - self.codes).square().sum(2).argmin(1)]
        return self.decoder(z + (code - z).detach() if self.through else code)


class Waves(nn.Module):
    """Oscillators whose pitch, level and decay the point sets: a waveform of 2,000 samples."""

    def __init__(self, latent: int):
        super().__init__()
        self.control = perceptron(latent, outputs=6)
        self.register_buffer("time", torch.linspace(0, 0.25, 2000))

    def forward(self, z: Tensor) -> Tensor:
        pitch, level, decay = self.control(z).tanh().view(-1, 3, 2, 1).unbind(1)
        waves = torch.sin(2 * math.pi * 60 * torch.exp2(pitch) * self.time) * (1 + level)
        return (waves * torch.exp(-5 * (1.2 + decay) * self.time)).sum(1)


class Centres(nn.Module):
    def __init__(self, latent: int):
        super().__init__()
        self.register_buffer("centres", torch.randn(32, latent))
        self.leave = nn.Linear(32, OUTPUTS)

    def forward(self, z: Tensor) -> Tensor:
        return self.leave(torch.exp(-torch.cdist(z, self.centres) / z.shape[1] ** 0.5))


FAMILIES: dict[str, Callable[[int], nn.Module]] = {
    "perceptron": perceptron,
    "residual blocks": residual,
    "attention": Attention,
    "LSTM": lambda latent: Recurrent(nn.LSTM, latent),
    "GRU": lambda latent: Recurrent(nn.GRU, latent),
    "convolutions": convolutional,
    "pictures, group norm": pictures,
    "layer norm": lambda latent: perceptron(latent, nn.LayerNorm(WIDTH), nn.GELU()),
    "batch norm in evaluation": batch_normed,
    "instance norm": lambda latent: convolutional(latent, nn.InstanceNorm1d(8)),
    "dropout in evaluation": lambda latent: perceptron(latent, nn.Dropout(0.3), nn.GLU(), nn.Linear(32, WIDTH)),
    "LoRA": lambda latent: nn.Sequential(Adapted(latent, WIDTH), nn.SiLU(), Adapted(WIDTH, OUTPUTS)),
    "hooks": hooked,
    "weight norm": weight_normed,
    "parametrisations": parametrised,
    "gated blocks": lambda latent: perceptron(latent, Gated()),
    "saturated": saturated,
    "rounded to 16 bits": lambda latent: Then(perceptron(latent), sixteen_bit),
    "nearest code": lambda latent: Nearest(latent, through=False),
    "nearest code, straight through": lambda latent: Nearest(latent, through=True),
    "periodic": lambda latent: Then(nn.Linear(latent, OUTPUTS), lambda x: torch.sin(6 * x)),
    "creased": creased,
    "waveforms": Waves,
    "distances to centres": Centres,
}  # fmt: skip


def measure(unfinished: Path = UNFINISHED, pairs: int = PAIRS) -> dict:
    """By family: what of 200 pairs went wrong, and how many converged."""
    code, totals = digest(), {}
    counts = counted(unfinished, code)
    for name in FAMILIES:
        of_family = counts.setdefault(name, {})
        for latent in DIMENSIONS:
            if str(latent) not in of_family:
                of_family[str(latent)] = check(name, latent, pairs // len(DIMENSIONS))
                write_down(unfinished, code, counts)
        totals[name] = {key: sum(part[key] for part in of_family.values()) for key in of_family["1"]}
        print(f"  {name}: {totals[name]}", flush=True)
    unfinished.unlink()
    return totals


def digest() -> str:
    """Of what a count depends on: the geometry, the decoders, torch."""
    files = [Path(__file__), *(ROOT / "backend" / "sonifold" / "vae").glob("*.py")]
    for room in ("metric", "geodesic"):
        files += (ROOT / "backend" / "sonifold" / room).glob("*.py")
    text = b"".join(file.read_bytes() for file in sorted(files))
    return hashlib.sha256(text + torch.__version__.encode()).hexdigest()


def counted(unfinished: Path, code: str) -> Counts:
    """What a run that was ended had counted, of the same code."""
    try:
        kept = json.loads(unfinished.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return kept["counts"] if kept["code"] == code else {}


def write_down(unfinished: Path, code: str, counts: Counts) -> None:
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    write_file(unfinished, json.dumps({"code": code, "counts": counts}).encode())


def check(name: str, latent: int, pairs: int, seed: int = 0) -> dict[str, int]:
    """Count for one family in one dimension: pairs, exceptions, refusals, false paths, lengths of another decoder."""
    torch.manual_seed(seed)
    decoder = FAMILIES[name](latent).eval()
    starts, ends = 1.5 * torch.randn(2, pairs, latent)
    counts = dict.fromkeys(("exceptions", "refused", "false", "foreign", "converged"), 0)
    try:
        paths = solve(Pullback(decoder), starts, ends, NODES)
    except DecoderInvalid:
        return {"pairs": pairs, **counts, "refused": pairs}
    except Exception as error:  # what is counted
        print(f"{name}, {latent} dimensions: {type(error).__name__}: {error}", flush=True)
        return {"pairs": pairs, **counts, "exceptions": pairs}
    converged = torch.tensor(paths.converged)
    counts["converged"] = int(converged.sum())
    counts["false"] = int((converged & _worse(decoder, paths, starts, ends)).sum())
    counts["foreign"] = int(_foreign(decoder, paths, starts, ends).sum())
    return {"pairs": pairs, **counts}


@torch.no_grad()
def steps(decoder: nn.Module, curves: Tensor) -> Tensor:
    """How far the plain call's outputs move at each step, (batch, node - 1)."""
    outputs = [
        decoder(part.flatten(0, 1)).flatten(1).view(len(part), part.shape[1], -1) for part in curves.split(8)
    ]
    return torch.cat([part.double().diff(dim=1).norm(dim=2) for part in outputs])


def _worse(decoder: nn.Module, paths: Geodesics, starts: Tensor, ends: Tensor) -> Tensor:
    # the line on as many nodes and sampled alike: at other roundings of its points, some decoders differ by 1e-4
    lines = resample(line(starts, ends, NODES), FINE)
    ours, lines = steps(decoder, paths.sample(FINE)), steps(decoder, lines)
    floor = 1e-6 * lines.sum(1)
    dearer = ours.square().sum(1) > (1 + ROUNDING) * lines.square().sum(1) + floor**2
    return dearer | (ours.sum(1) > (1 + ROUNDING) * lines.sum(1) + floor)


def _foreign(decoder: nn.Module, paths: Geodesics, starts: Tensor, ends: Tensor) -> Tensor:
    """Whether a line's length is that of the plain call's outputs on neither of the grids that lengths are taken on."""
    lengths = [steps(decoder, line(starts, ends, nodes)).sum(1) for nodes in (NODES, FINE)]
    return torch.stack([(paths.line_length - length).abs() > SAME * length + 1e-6 for length in lengths]).all(
        0
    )
