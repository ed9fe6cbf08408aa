"""Few-shot adaptation: a pack takes in 5-20 sounds of one's own.

    adapted = sonifold.adapt.instant(model, [model.encode(file) for file in files])
    print(adapted.forecast)            what to expect of it, from uploads left out one at a time
    adapted.base is model              the undo

instant   closed form: the decoder's linear head, in well under a second
finetune  gradient steps from there, with replay, into a pack of its own
"""

from __future__ import annotations

from sonifold.adapt.finetune import FinetuneConfig, FinetuneInfo, FinetuneOutcome, Watch, finetune
from sonifold.adapt.forecast import Forecast, coherence
from sonifold.adapt.instant import Adaptation, AdaptedModel, forecast, instant
from sonifold.adapt.saving import check_folder, save, write
from sonifold.adapt.sliders import Slider, play, sliders, turned
from sonifold.adapt.uploads import Uploads

__all__ = [
    "Adaptation",
    "AdaptedModel",
    "FinetuneConfig",
    "FinetuneInfo",
    "FinetuneOutcome",
    "Forecast",
    "Slider",
    "Uploads",
    "Watch",
    "check_folder",
    "coherence",
    "finetune",
    "forecast",
    "instant",
    "play",
    "save",
    "sliders",
    "turned",
    "write",
]
