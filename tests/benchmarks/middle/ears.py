"""Middle steps as a judge hears them that nobody here trained: CDPAM, run in an environment of its own.

    python ears.py FOLDER PAIRS

CDPAM (Manocha et al. 2021) is a distance between sounds trained on differences that people just notice. How far is a
middle step from the nearest of REAL recordings of the library that are neither end? It hears the first .74 s of each
sound at 22.05 kHz, all scaled to one peak. Takes what child.py left in FOLDER/base and FOLDER/new; an interrupted run
goes on where it stopped. Seconds a sound, for its encoder is large.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import soxr
import torch
from table import interval, read

import sonifold

RATE = 22_050
SAMPLES = 1 << 14
PEAK = 0.95 * 32_768  # CDPAM takes samples in the range of 16 bits
REAL = 150
MIDDLE = 1  # of the three steps that child.py keeps
WAYS = ("geodesic", "retimed")


class Judge:
    """CDPAM's encoder and its distance."""

    def __init__(self, folder: Path) -> None:
        for unused in ("librosa", "resampy"):  # imported, and needed for reading files only
            sys.modules.setdefault(unused, ModuleType(unused))
        import cdpam
        from cdpam.models import FINnet

        settings = {"encoder_layers": 16, "encoder_filters": 64, "ndim": [16, 6], "input_size": 512}
        self._net = FINnet(dev=torch.device("cpu"), **settings).eval()
        weights = Path(cdpam.__file__).parent / "CDPAM_trained" / "scratchJNDdefault_best_model.pth"
        # an older format than torch reads by default; it comes with the code that is run here anyway
        self._net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=False)["state"])
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @torch.inference_mode()
    def embedding(self, name: str, samples: np.ndarray, rate: int) -> torch.Tensor:
        """Of a sound (sample,), (512,); from the disk where it was computed before."""
        kept = self._folder / f"{name}.npy"
        if not kept.exists():
            heard = soxr.resample(np.asarray(samples, np.float32), rate, RATE)[:SAMPLES]
            heard = np.pad(heard, (0, SAMPLES - len(heard)))
            scaled = torch.from_numpy(heard * (PEAK / max(np.abs(heard).max(), 1e-9)))
            _, acoustics, _ = self._net.base_encoder(scaled[None, None])
            np.save(kept, torch.nn.functional.normalize(acoustics, dim=1)[0].numpy())
        return torch.from_numpy(np.load(kept))

    @torch.inference_mode()
    def distances(self, one: torch.Tensor, many: torch.Tensor) -> np.ndarray:
        found: np.ndarray = self._net.model_dist(one.expand_as(many), many).numpy()
        return found


def nearest(
    judge: Judge, model: sonifold.Model, output: Path, name: str, pairs: int
) -> dict[str, np.ndarray]:
    """Distance of each pair's middle step to the nearest recording, by side and way, (pair,)."""
    labels = model.library.labels
    places = [i for i, label in enumerate(labels) if name != "tonal" or label.pitch_hz]
    real = np.random.default_rng(0).choice(places, REAL, replace=False)
    recordings = torch.stack(
        [
            judge.embedding(labels[i].id, model.library.audio(labels[i].id).numpy(), model.sample_rate)
            for i in real
        ]
    )
    measured = {side: read(output / side, name) for side in ("base", "new")}
    found: dict[str, list[float]] = {f"{side} {way}": [] for side in measured for way in WAYS}
    for index in sorted(set(measured["base"]) & set(measured["new"]))[:pairs]:
        others = [labels[i].name not in measured["new"][index]["names"] for i in real]
        for side in measured:
            with np.load(output / side / f"{name}-{index:03d}.npz") as steps:
                for way in WAYS:
                    heard = judge.embedding(
                        f"{side}-{name}-{index:03d}-{way}", steps[way][MIDDLE], model.sample_rate
                    )
                    found[f"{side} {way}"].append(float(judge.distances(heard, recordings)[others].min()))
        print(".", end="", file=sys.stderr, flush=True)
    return {key: np.array(values) for key, values in found.items()}


def rows(found: dict[str, np.ndarray], name: str) -> Iterator[str]:
    count = len(found["new geodesic"])
    cells = [" / ".join(f"{found[f'{side} {way}'].mean():.3f}" for way in WAYS) for side in ("base", "new")]
    yield f"| {name} ({count}) | CDPAM, middle step to the nearest recording | {cells[0]} | {cells[1]} |"
    for label, one, other in (
        ("CDPAM, geodesic, new - base", "new geodesic", "base geodesic"),
        ("CDPAM, new, geodesic - re-timed line", "new geodesic", "new retimed"),
    ):
        yield f"| {name} ({count}) | {label} | | {interval(list(found[one] - found[other]))} |"


def main() -> None:
    output, pairs = Path(sys.argv[1]), int(sys.argv[2])
    model = sonifold.load("oneshots")
    judge = Judge(output / "cdpam")
    results = {}
    for name in ("random", "tonal"):
        found = nearest(judge, model, output, name, pairs)
        results[name] = {key: values.tolist() for key, values in found.items()}
        print(*rows(found, name), sep="\n", flush=True)
    (output / "cdpam.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
