"""Fine-tuning: gradient steps with replay, kept as far as uploads left out gain by them; the rest is a field again.

The steps begin at the closed-form update of the linear head. Two runs of the same loop. The *trial* leaves out every
fourth upload, and finds how far to go from there towards where the steps lead, by the error on those left out: weights
in between two fits of one network are often better than either (Wortsman et al. 2022, robust fine-tuning of zero-shot
models). The *final* run learns from all uploads and goes as far, or farther until the uploads themselves are close.
With fewer than four uploads nothing can be spared: then it goes all the way. Both have a fixed number of steps: how
long it takes is known from the start.

Everything random follows from the seed, the run and the step: an interrupted run, started again, ends with the same
weights to the last bit.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from sonifold.adapt import replay, ridge
from sonifold.adapt.geometry import Synthetic, distillation, isometry, synthetic
from sonifold.adapt.instant import AdaptedModel, field_of, instant, statistics
from sonifold.adapt.pace import Pace, Phase
from sonifold.adapt.residual_field import with_field
from sonifold.adapt.uploads import Uploads
from sonifold.errors import Cancelled
from sonifold.model import Model
from sonifold.sound import Sound
from sonifold.vae.checkpoint import load_checkpoint, save_checkpoint
from sonifold.vae.inversion import invert
from sonifold.vae.network import VAE, divergence
from sonifold.vae.optimiser import AdamW
from sonifold.vae.schedule import warmup_cosine

CLIP = 5.0  # gradient norm
SHARES = (0.5, 0.75, 1.0)  # of the way from the instant adaptation
SPARED = 4  # one upload in so many is left out of the trial
PREVIEW_EVERY = 4  # looks


class FinetuneConfig(BaseModel):
    """Settings of a fine-tuning. The geometry options are off: see docs/fewshot.md for what each was worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learn: Literal["decoder", "all"] = Field(
        "decoder", description="With the encoder left alone, points keep their places, at no cost in error."
    )
    steps: int = Field(160, gt=0, description="In each of the two runs.")
    learning_rate: float = Field(6e-4, gt=0)
    warmup: int = Field(20, ge=0, description="Steps over which the learning rate rises.")
    uploads: int = Field(12, gt=0, description="Uploads in each batch.")
    copies: int = Field(36, ge=0, description="Altered copies of uploads in each batch.")
    replay: int = Field(
        32, ge=0, description="Sounds of the base in each batch; without them it is forgotten."
    )
    reconstruction: float = Field(6000.0, gt=0, description="Weight of the squared error, as in training.")
    noise: float = Field(0.05, ge=0, description="Added to the input, in deviations of each coefficient.")
    close: float = Field(0.9, gt=0, description="Phi error of the uploads that is gone for in any case.")
    check_every: int = Field(10, gt=0, description="Steps between looks at the error, and checkpoints.")
    budget: float = Field(0.1, ge=0, description="Of the head's update: the steps need their own.")
    synthetic: Synthetic = Field(
        "none", description="Sounds between and around the uploads, added to the copies."
    )
    synthetic_share: float = Field(
        0.25, ge=0, le=1, description="Of the copies in a batch that are synthetic."
    )
    isometry: float = Field(0.0, ge=0, description="Weight of the scaled-isometry penalty.")
    distillation: float = Field(
        0.0, ge=0, description="Weight of keeping the base's latent distances; for learn = all."
    )
    trial: bool = Field(True, description="Leave uploads out first, to see how far to go.")
    seed: int = 0


@dataclass(frozen=True)
class FinetuneInfo:
    """Progress of a run, reported at every look."""

    phase: Phase
    step: int
    steps: int
    percent: float  # of everything
    elapsed: float  # seconds, since this process began
    remaining: float | None  # seconds; None until it can be told
    train: float  # Phi error of the uploads learned from
    held_out: float | None  # of those left out; None in the final run
    best: int | None  # step of the trial with the least held-out error so far
    pace: float = 0.0  # seconds a step of the final run


@dataclass(frozen=True)
class FinetuneOutcome:
    """The result of a run."""

    best: int | None  # step of the trial with the least held-out error
    held_out: float | None  # that error, Phi
    train: float  # Phi error of the uploads at the end, before the field
    share: float  # of the way from the instant adaptation to where the steps led
    reason: str  # why it stopped there, a sentence


@dataclass(frozen=True)
class Watch:
    """Callbacks of a run: progress, cancellation, previews and the result."""

    report: Callable[[FinetuneInfo], None] = lambda info: None
    cancelled: Callable[[], bool] = lambda: False
    preview: Callable[[AdaptedModel, int], None] | None = (
        None  # the model as it is now, at every fourth look of the final run
    )
    settled: Callable[[FinetuneOutcome], None] = lambda outcome: None


@dataclass
class _State:
    """A run between two steps."""

    phase: Phase
    step: int
    vae: VAE
    optimiser: AdamW
    share: float = SHARES[-1]  # of the way to go, as the trial found it
    errors: list[float] = field(default_factory=list)  # held-out error at each look of the trial


def finetune(
    model: Model,
    sounds: Sequence[Sound],
    config: FinetuneConfig | None = None,
    checkpoint: Path | None = None,
    watch: Watch | None = None,
    device: torch.device | str = "cpu",
    keep: bool = False,
) -> AdaptedModel:
    """The model fine-tuned on a few recorded sounds; ``model`` itself stays as it is.

    Args:
        sounds: 1 to 100, best 5 to 20; those that repeat another are left out.
        checkpoint: file to go on from if a run with the same arguments was interrupted; removed at the end.
        keep: do not remove it: the caller does when the result is safe.

    Raises:
        UploadsInvalid: no sounds, too many, or one without a recording.
        Cancelled: ``watch.cancelled()`` said so; the checkpoint stays.
    """
    config = config or FinetuneConfig()
    return finetune_from(instant(model, sounds, config.seed), config, checkpoint, watch, device, keep)


def finetune_from(
    start: AdaptedModel,
    config: FinetuneConfig,
    checkpoint: Path | None = None,
    watch: Watch | None = None,
    device: torch.device | str = "cpu",
    keep: bool = False,
) -> AdaptedModel:
    """Fine-tune from an instant adaptation; see :func:`finetune`."""
    base, watch = start.base, watch or Watch()
    library = replay.coefficients(base)[replay.trained(base.library)]
    vae = _Finetuning(start, library, config, watch, torch.device(device)).run(checkpoint)
    vae = _with_rest(start, vae)
    if checkpoint is not None and not keep:
        checkpoint.unlink(missing_ok=True)
    return AdaptedModel(start.adaptation, vae)


def _with_rest(start: AdaptedModel, vae: VAE) -> VAE:
    """What the steps have left of the uploads' residuals, as a field that carries as far as it did for the base."""
    uploads = start.adaptation.uploads
    z = invert(vae, uploads.coefficients, uploads.z, steps=4)
    field = field_of(start.base, vae, replace(uploads, z=z), start.adaptation.choice)
    return with_field(vae, field)


class _Finetuning:
    """Data and settings of one fine-tuning; the state is handed from step to step."""

    def __init__(
        self, start: AdaptedModel, library: Tensor, config: FinetuneConfig, watch: Watch, device: torch.device
    ):
        self.start, self.base, self.config, self.watch, self.device = start, start.base, config, watch, device
        self.uploads = start.adaptation.uploads
        self.library = library.to(device)
        self.spread = library.std(0).to(device)
        self.before = copy.deepcopy(self.base.vae).to(device) if config.distillation else self.base.vae
        self.heard, _ = self.base.coefficients.timbre_map
        count = len(self.uploads)
        self.spared = list(range(SPARED - 1, count, SPARED)) if config.trial else []
        self.pace = Pace(config.steps, trial=bool(self.spared))

    def run(self, checkpoint: Path | None) -> VAE:
        began = time.monotonic()
        state = self._begin("trial" if self.spared else "final")
        self.pace.preparing = time.monotonic() - began
        state = self._resume(checkpoint) or state
        while True:
            self._loop(state, checkpoint)
            if state.phase == "final":
                return self._settled(state)
            state = self._begin("final", self._best_share(state), state.errors)
            self._look(state, self.uploads)

    def _best_share(self, trial: _State) -> float:
        """How far to go by the uploads left out."""
        left_out = self.uploads.part(self.spared)
        begun = self._begin("trial").vae
        errors = [self._error(self._between(begun, trial.vae, share), left_out) for share in SHARES]
        return SHARES[errors.index(min(errors))]

    def _settled(self, final: _State) -> VAE:
        """So far from the instant adaptation, or farther where the uploads are not close yet."""
        begun = self._begin("final").vae
        for share in (share for share in SHARES if share >= final.share):
            vae = self._between(begun, final.vae, share)
            train = self._error(vae, self.uploads)
            if train <= self.config.close:
                break
        self.watch.settled(_outcome(self.config, final, share, train))
        return vae

    # -- one run ----------------------------------------------------------------------------------

    def _begin(self, phase: Phase, share: float = SHARES[-1], errors: Sequence[float] = ()) -> _State:
        """From the instant adaptation to the uploads of this run."""
        evidence = self._part(phase).evidence(
            self.base.vae
        )  # what is left out of the trial has no part in it
        base_statistics = statistics(self.base)
        choice = ridge.choose(evidence, base_statistics, self.heard)
        change = ridge.fit(evidence, base_statistics, choice, self.heard, self.config.budget)
        vae = ridge.with_head(self.base.vae, change).to(self.device).train()
        self._learning(vae).requires_grad_(True)
        return _State(phase, 0, vae, self._optimiser(vae), share, list(errors))

    def _learning(self, vae: VAE) -> nn.Module:
        return vae if self.config.learn == "all" else vae.decoder

    def _optimiser(self, vae: VAE) -> AdamW:
        return AdamW(self._learning(vae).parameters(), self.config.learning_rate, weight_decay=0.0)

    def _part(self, phase: Phase) -> Uploads:
        """The uploads a run learns from."""
        if phase == "final":
            return self.uploads
        return self.uploads.part([i for i in range(len(self.uploads)) if i not in self.spared])

    def _loop(self, state: _State, checkpoint: Path | None) -> None:
        config = self.config
        uploads = self._part(state.phase)
        originals, copies = uploads.coefficients.to(self.device), uploads.copies.to(self.device)
        between = self._synthetic(uploads)
        began = time.monotonic()
        while state.step < config.steps:
            if self.watch.cancelled():
                raise Cancelled(
                    f"fine-tuning was cancelled at step {state.step} of the {state.phase} run; it can go on from there."
                )
            loss = self._loss(state, originals, copies, between)
            rate = warmup_cosine(config.learning_rate, state.step, config.steps, config.warmup)
            for group in state.optimiser.param_groups:
                group["lr"] = rate
            state.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(state.vae.parameters(), CLIP)
            state.optimiser.step()
            state.step += 1
            began = self.pace.count(state.phase, began)
            if state.step % config.check_every == 0:
                self._look(state, uploads)
                if checkpoint is not None:
                    self._save(state, checkpoint)

    def _synthetic(self, uploads: Uploads) -> Tensor | None:
        if self.config.synthetic == "none":
            return None
        return synthetic(self.base, uploads, self.config.synthetic, self.config.seed).to(self.device)

    def _loss(self, state: _State, originals: Tensor, copies: Tensor, between: Tensor | None) -> Tensor:
        """w |c - dec(enc(c + noise))|^2 / K + KL over uploads, copies and replay, and the geometry asked for."""
        config = self.config
        run = 0 if state.phase == "trial" else 1
        draw = torch.Generator().manual_seed((config.seed * 2 + run) * 1_000_003 + state.step)

        target = _batch(config, draw, originals, copies, between, self.library)
        shaken = config.noise * self.spread * torch.randn(target.shape, generator=draw).to(target)
        noise = torch.randn(len(target), self.base.latent_dim, generator=draw).to(target)
        decoded, mean, log_variance = state.vae(target + shaken, noise)
        loss: Tensor = (
            config.reconstruction * (decoded - target).square().mean() + divergence(mean, log_variance).mean()
        )
        if config.isometry:
            loss = loss + config.isometry * isometry(state.vae, mean.detach(), self.heard.to(target), draw)
        if config.distillation:
            with torch.no_grad():
                before, _ = self.before.encode(target)
            loss = loss + config.distillation * distillation(mean, before)
        return loss

    # -- what is seen of it -----------------------------------------------------------------------

    def _look(self, state: _State, uploads: Uploads) -> None:
        looking = time.monotonic()
        vae = self._between(state.vae, state.vae, 1.0)
        train = self._error(vae, uploads)
        held_out = None
        if state.phase == "trial":
            held_out = self._error(vae, self.uploads.part(self.spared))
            state.errors.append(held_out)
        seconds_a_step = self.pace.seconds_a_step(state.phase, time.monotonic() - looking)
        self.watch.report(
            FinetuneInfo(
                state.phase,
                state.step,
                self.config.steps,
                self.pace.percent(state.phase, state.step),
                self.pace.elapsed,
                self.pace.remaining(state.phase, state.step, seconds_a_step),
                train,
                held_out,
                _best(self.config, state),
                seconds_a_step,
            )
        )
        looked = state.step // self.config.check_every
        if (
            self.watch.preview is not None
            and state.phase == "final"
            and looked
            and looked % PREVIEW_EVERY == 0
        ):
            self.watch.preview(AdaptedModel(self.start.adaptation, _with_rest(self.start, vae)), state.step)

    def _between(self, first: VAE, last: VAE, share: float) -> VAE:
        """The network whose weights lie ``share`` of the way from one to another, frozen, where the base is."""
        vae = copy.deepcopy(last).to(self.base.device).requires_grad_(False).eval()
        for weight, start in zip(vae.parameters(), first.parameters(), strict=True):
            weight.lerp_(start.detach().to(weight), 1 - share)
        return vae

    def _error(self, vae: VAE, uploads: Uploads) -> float:
        """Mean Phi error of uploads, each from the point where the decoder comes closest."""
        z = invert(vae, uploads.coefficients, steps=3)
        return float(((vae.decode(z) - uploads.coefficients) @ self.heard.T).norm(dim=1).mean())

    # -- interruption -----------------------------------------------------------------------------

    @cached_property
    def _fingerprint(self) -> str:
        """Of everything that the result depends on."""
        digest = hashlib.sha256(self.config.model_dump_json().encode())
        digest.update(self.uploads.coefficients.cpu().numpy().tobytes())
        for tensor in self.base.vae.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def _save(self, state: _State, path: Path) -> None:
        facts = {"phase": state.phase, "step": str(state.step), "share": str(state.share)}
        errors = {"errors": torch.tensor(state.errors, dtype=torch.float64)}
        save_checkpoint(path, self._fingerprint, state.vae, state.optimiser, facts, errors)

    def _resume(self, path: Path | None) -> _State | None:
        """The state that a checkpoint of the same fine-tuning holds."""
        stored = load_checkpoint(path, self._fingerprint)
        if stored is None:
            return None
        phase: Phase = "trial" if stored.facts["phase"] == "trial" else "final"
        vae = VAE(self.base.vae.config).to(self.device).requires_grad_(False).train()
        self._learning(vae).requires_grad_(True)
        optimiser = self._optimiser(vae)
        stored.restore(vae, optimiser)
        step, share = int(stored.facts["step"]), float(stored.facts["share"])
        return _State(phase, step, vae, optimiser, share, stored.tensors["errors"].tolist())


def _batch(
    config: FinetuneConfig,
    draw: torch.Generator,
    originals: Tensor,
    copies: Tensor,
    between: Tensor | None,
    library: Tensor,
) -> Tensor:
    """Coefficients (batch, K) drawn from the uploads, their copies, sounds between them, and the library."""

    def pick(rows: Tensor, count: int) -> Tensor:
        return rows[torch.randint(len(rows), (count,), generator=draw).to(rows.device)]

    synthetic_count = round(config.copies * config.synthetic_share) if between is not None else 0
    parts = [pick(originals, config.uploads)]
    if len(copies) and config.copies > synthetic_count:
        parts.append(pick(copies, config.copies - synthetic_count))
    if between is not None and synthetic_count:
        parts.append(pick(between, synthetic_count))
    parts.append(pick(library, config.replay))
    return torch.cat(parts)


def _outcome(config: FinetuneConfig, final: _State, share: float, train: float) -> FinetuneOutcome:
    reason = f"all {config.steps} steps were taken"
    if final.errors:
        reason += f"; it stopped at {100 * final.share:.0f} % of the way, best for sounds it had not heard"
    if share > final.share:
        reason += f", and {100 * share:.0f} % was kept to come close to all"
    held_out = min(final.errors, default=None)
    return FinetuneOutcome(_best(config, final), held_out, train, share, reason)


def _best(config: FinetuneConfig, state: _State) -> int | None:
    """The step of the trial with the least held-out error so far; None before its first look."""
    if not state.errors:
        return None
    return config.check_every * (1 + state.errors.index(min(state.errors)))
