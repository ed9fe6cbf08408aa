"""A path between two sounds: solved in latent space, timed by ear, laid on the map."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from sonifold import geodesic, notebook
from sonifold.choices import MetricName, PathKind
from sonifold.sound import Sound
from sonifold.types import Curve, FeatureMaps, Positions

NODES = 33  # of a solved curve
HEARD = 17  # places on it at which its sound is decoded; between them a cubic leads


@dataclass(frozen=True)
class Path:
    """One way from a sound to another, with everything that was measured on it.

    Lengths and speeds are in the model's unit, perceptual distance between the sounds on the way, ends and
    residuals included. ``length`` is how far this path goes to the ear, ``line_length`` how far the straight line
    between the same latent points does; ``Model.distance`` is the shortest way there is between them for the model's
    own sounds, without what it leaves out of the recordings, and so less than both. A path under the blend may be
    longer than the line: it goes where sounds are known. ``speed_variation`` is the standard deviation of the steps
    over their mean.

    ``guesswork`` is 0 where the way leads through known sounds and 1 where none is near. It is the mean, over the way
    as it is heard, of how far the metric of the known sounds is from their company (``KernelMetric.saturation``): what
    the blend keeps low, in latent space, where ``water`` looks at the flat map.
    """

    kind: PathKind
    metric: MetricName
    weight: float
    start: Sound = field(repr=False)
    end: Sound = field(repr=False)
    nodes: Curve = field(repr=False)  # (step, latent)
    times: Tensor = field(repr=False)  # (step,) fraction of the curve's parameter at each node
    curve: Curve = field(repr=False)  # (point, latent), evenly in the parameter
    map: Positions = field(repr=False)  # (point, 2) of the curve
    step_positions: Positions = field(repr=False)  # (step, 2) of the nodes
    on_land: Tensor = field(repr=False)  # (step,) bool
    water: float  # share of the way, as drawn on the map, that leads over sea
    guesswork: float  # share of the way outside what the model knows; see the class
    length: float
    line_length: float  # of the straight line
    energy: float  # under its own metric; where a pitch travels, between the ends at the pitch half way
    line_energy: float
    speed: Tensor = field(repr=False)  # (step - 1,)
    outcome: str
    converged: bool
    descriptors: dict[str, list[float]] = field(repr=False)  # name -> a number a step, of what is heard
    features: FeatureMaps = field(repr=False)  # (HEARD, band, frame), heard at evenly spaced times

    def _repr_html_(self) -> str:
        """What was measured on a path, beside its curve on the map: a ring at its start, a dot at its end."""
        rows = {
            "kind": f"{self.kind}, metric {self.metric}",
            "length": f"{self.length:.2f}, straight {self.line_length:.2f}",
            "guesswork": f"{self.guesswork:.0%}",
            "variation of the steps": f"{self.speed_variation:.1%}",
            "outcome": self.outcome,
        }
        drawn = notebook.drawing(notebook.arrow(self.map.detach().cpu().numpy()), "The path on the map")
        return f"<div>{notebook.table(rows)}{drawn}</div>"

    def features_at(self, times: Tensor) -> FeatureMaps:
        """Features heard at times in [0, 1] (step,), (step, band, frame)."""
        rows = geodesic.at(self.features.flatten(1)[None], times)
        return rows.view(-1, *self.features.shape[1:])

    @property
    def steps(self) -> int:
        """Number of sounds rendered along it, ends included."""
        return len(self.nodes)

    @property
    def speed_variation(self) -> float:
        """Coefficient of variation of the speed; 0 is perfectly even."""
        return float(self.speed.std(correction=0) / self.speed.mean().clamp(min=1e-9))
