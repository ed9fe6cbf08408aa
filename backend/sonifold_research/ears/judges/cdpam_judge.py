"""CDPAM (Manocha et al. 2021): a distance trained on differences that people just notice.

It hears the first .74 s at 22.05 kHz, all scaled to one peak.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

SAMPLES = 1 << 14
TILE = 128  # samples of which a spectrum is taken
PEAK = 0.95 * 32_768  # it takes samples in the range of 16 bits


class OverlapSave(nn.Module):
    """A convolution of one signal (1, channel, sample) by products of spectra, equal but for rounding.

    The encoder has kernels of 15 samples and up to 1,024 channels: a tile's products of spectra take a sixth of the
    multiplications, and an embedding 1.2 s of CPU instead of 4.
    """

    def __init__(self, convolution: nn.Conv1d) -> None:
        """Of one with stride 1, one group and as much zero padding as keeps the length."""
        super().__init__()
        assert convolution.bias is not None
        self._taps = convolution.kernel_size[0]
        kernels = torch.fft.rfft(convolution.weight.detach().flip(-1), TILE)
        self._kernels = kernels.permute(2, 1, 0).contiguous()  # (frequency, in, out)
        self._bias = convolution.bias.detach()[:, None]

    def forward(self, signal: Tensor) -> Tensor:
        length, new = signal.shape[-1], TILE - self._taps + 1  # samples of a tile that no end of it reaches
        before, tiles = self._taps // 2, -(-length // new)
        padded = nn.functional.pad(signal[0], (before, tiles * new + self._taps - 1 - before - length))
        spectra = torch.fft.rfft(padded.unfold(-1, TILE, new)).permute(2, 1, 0)  # (frequency, tile, in)
        products = torch.bmm(spectra, self._kernels).permute(2, 1, 0)
        convolved = torch.fft.irfft(products, TILE)[..., self._taps - 1 :].flatten(1)[:, :length]
        biased: Tensor = (convolved + self._bias)[None]
        return biased


class Judge:
    """CDPAM's encoder and its distance."""

    rate = 22_050

    def __init__(self) -> None:
        for unused in ("librosa", "resampy"):  # imported, and needed for reading files only
            sys.modules.setdefault(unused, ModuleType(unused))
        import cdpam
        from cdpam.models import FINnet

        torch.set_num_threads(1)
        settings = {"encoder_layers": 16, "encoder_filters": 64, "ndim": [16, 6], "input_size": 512}
        self._net = FINnet(dev=torch.device("cpu"), **settings).eval()
        weights = Path(cdpam.__file__).parent / "CDPAM_trained" / "scratchJNDdefault_best_model.pth"
        # an older format than torch reads by default; it comes with the code that is run here anyway
        self._net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=False)["state"])
        convolutions = self._net.base_encoder.encoder
        for layer in range(1, len(convolutions)):  # the first has one channel, and gains nothing
            convolutions[layer] = OverlapSave(convolutions[layer])

    @torch.inference_mode()
    def prepared(self, samples: NDArray[np.float32]) -> Tensor:
        """Its embedding of samples (sample,) at 22.05 kHz, (512,). Takes a second: the encoder is large."""
        heard = np.pad(samples[:SAMPLES], (0, max(0, SAMPLES - len(samples))))
        scaled = torch.from_numpy(heard * np.float32(PEAK / max(np.abs(heard).max(), 1e-9)))
        _, acoustics, _ = self._net.base_encoder(scaled[None, None])
        embedding: Tensor = torch.nn.functional.normalize(acoustics, dim=1)[0]
        return embedding

    @torch.inference_mode()
    def distance(self, first: Tensor, second: Tensor) -> float:
        """Of two embeddings."""
        return float(self._net.model_dist(first[None], second[None]))
