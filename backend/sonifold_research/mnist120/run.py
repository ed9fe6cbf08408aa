"""The experiment, seed by seed: each one's models and figures lie in the folder, and are not made twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from sonifold.vae.fit import FitConfig

from . import digits, judge, methods
from .digits import Examples, Split
from .training import Progress, models

#: Synthetic digits that a classifier learns from.
COUNTS = (500, 2000)
#: A seed's figures by name; those of a method are under its name.
Result = dict[str, dict[str, float | None]]
REAL = "120 real digits"
#: Full batch, at most 10,000 epochs, early stopping at 50.
FIT = FitConfig()


@dataclass(frozen=True)
class Plan:
    """How much is done for each seed; the defaults are the experiment's."""

    training: FitConfig = FIT
    counts: tuple[int, ...] = COUNTS
    classifier_steps: int = judge.STEPS


PLAN = Plan()


def run(folder: Path, seeds: int, sources: Path | None, progress: Progress) -> list[Result]:
    """The figures of seeds 0 ... seeds - 1, from the folder where they are there.

    Raises ``DatasetError`` when the digits cannot be found.
    """
    pool = digits.load(sources)
    return [result_of(pool, seed, folder, progress) for seed in range(seeds)]


def result_of(
    pool: dict[int, torch.Tensor], seed: int, folder: Path, progress: Progress, plan: Plan = PLAN
) -> Result:
    """The figures of one seed, kept in the folder."""
    file = folder / f"result-{seed}.json"
    if file.exists():
        returned: Result = json.loads(file.read_text(encoding="utf-8"))
        return returned
    split = digits.split(pool, seed)
    latents = latents_of(split, seed, folder, progress, plan)
    result = figures(split, latents, seed, progress, plan)
    draft = file.with_suffix(".part")
    draft.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draft.replace(file)
    return result


def latents_of(
    split: Split, seed: int, folder: Path, progress: Progress, plan: Plan = PLAN
) -> dict[str, methods.Latent]:
    """The trained models of a seed, by name."""
    vae, rhvae = models(split.train, seed, folder, progress, plan.training)
    return {"VAE": methods.Latent(vae, split.train), "RHVAE": methods.Latent(rhvae, split.train)}


def figures(
    split: Split, latents: dict[str, methods.Latent], seed: int, progress: Progress, plan: Plan = PLAN
) -> Result:
    """Density and coverage of each method's samples among real digits, and what classifiers learn from them."""

    def learned(examples: Examples) -> float:
        return judge.accuracy(judge.train_classifier(examples, seed, plan.classifier_steps), split.test)

    expert = judge.train_classifier(split.judge, seed)
    real = judge.features(expert, split.test.images)
    result: Result = {
        REAL: {
            "tested": len(split.test),
            "expert": judge.accuracy(expert, split.test),
            "accuracy": learned(split.train),
            **_fidelity(real, judge.features(expert, split.judge.images)),
        }
    }
    for number, method in enumerate(methods.METHODS):
        progress(f"seed {seed}, {method.name}", number, len(methods.METHODS))
        synthetic = method.draw(latents[method.network or "VAE"], max(plan.counts), seed)
        scores: dict[str, float | None] = {
            **_fidelity(real, judge.features(expert, synthetic.images)),
            "acceptance": synthetic.acceptance,
            "escapes": synthetic.escapes,
        }
        for count in plan.counts:
            some = synthetic.first(count)
            scores[f"alone {count}"] = learned(some)
            scores[f"added {count}"] = learned(_together(split.train, some))
        result[method.name] = scores
    progress(f"seed {seed}", 1, 1)
    return result


def _fidelity(real: torch.Tensor, fake: torch.Tensor) -> dict[str, float | None]:
    fidelity = judge.fidelity(real, fake)
    return {"density": fidelity.density, "coverage": fidelity.coverage}


def _together(real: Examples, synthetic: Examples) -> Examples:
    """Both, the real ones repeated until they are about as many as the others: a batch sees as much of either."""
    times = max(1, round(len(synthetic) / len(real)))
    return Examples(
        torch.cat([real.images.repeat(times, 1), synthetic.images]),
        torch.cat([real.labels.repeat(times), synthetic.labels]),
    )
