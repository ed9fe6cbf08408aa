"""A trained pack, ready to use: sounds to points, paths between them, and back to sound."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any, Literal, NamedTuple
from weakref import WeakValueDictionary

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from sonifold import geodesic, notebook, pack
from sonifold.atlas import Atlas, Field, smooth_course
from sonifold.audio import descriptors
from sonifold.audio.check import caveats, examine
from sonifold.audio.clip import Clip
from sonifold.audio.prepare import audible_seconds, prepare, to_float
from sonifold.audio.read import Recording, Source, read
from sonifold.audio.timbre import timbre_features
from sonifold.errors import AudioSilent, PackInvalid, PointInvalid, PositionInvalid
from sonifold.geodesic import NeighbourGraph
from sonifold.metric import Blend, Flat, KernelMetric, Metric, Pullback
from sonifold.model import provenance
from sonifold.model.points import AnalogyPlace, Draw, ExtrapolationPlace, MeanPlace, Operations
from sonifold.model.traversal import Directions, Travel
from sonifold.morph.glide import glide
from sonifold.morph.path import KINDS, METRICS, NODES, Kind, MetricName, Path
from sonifold.morph.render import Renderer
from sonifold.pack import PackConfig
from sonifold.pack.library import Library, read_labels
from sonifold.representation.readout import Readout
from sonifold.representation.spectral import ONSET, Spectral, suppress_hiss
from sonifold.sound import Sound, require_sounds
from sonifold.types import Curves, Points
from sonifold.vae.coefficients import Coefficients
from sonifold.vae.inversion import refine
from sonifold.vae.network import VAE, freeze

Distance = Literal["geodesic", "perceptual", "euclidean"]
MAX_WEIGHT = 10.0  # of the data term; beyond lies the graph path
RECENT = 32  # sounds and lines kept: a second path between the same sounds costs half
UNEVEN = 0.06  # variation of the steps heard, above which a path is timed again
SCOUTED = 17  # steps from which on every second is heard first
ALMOST = 0.05  # steps: one that would move by less is not rendered again
MAX_STEPS = 129
GLIDE_SECONDS = 0.5, 20.0  # shorter has no room for two attacks, longer is mostly held sound
MAP_POINTS = 65  # of a path as drawn
MAX_COORDINATE = 1e3  # latent points further out than this are typing errors


class Model:
    """A pack in memory. Everything is read-only after loading, so one model serves many threads.

    Lengths and distances are in ``unit``: Phi scaled so that the median distance between two library sounds equals
    their median RMS log-mel distance in dB.
    """

    def __init__(
        self,
        config: PackConfig,
        vae: VAE,
        coefficients: Coefficients,
        library: Library,
        atlas: Atlas,
        card: dict[str, Any],
        card_markdown: str,
        device: torch.device | str = "cpu",
    ):
        self.config, self.library, self.atlas = config, library, atlas
        self.card, self.card_markdown = card, card_markdown
        self.vae, self.coefficients = freeze(vae), coefficients
        self.representation = Spectral()
        self.device = torch.device(device)
        self.renderer = Renderer(self.representation, vae, coefficients)
        self.readout = Readout(self.representation)
        head, _ = coefficients.timbre_map(self.representation)
        self.pullback = Pullback(vae.tangents(head))
        self.operations = Operations(self)
        self.directions = Directions(self)
        self._recent_sound = lru_cache(RECENT)(self._library_sound)
        self._recent_line = lru_cache(RECENT)(self._heard_on_line)
        self.kernel = KernelMetric.posterior(
            library.z, library.log_variance.exp(), config.metric.temperature, config.metric.ridge
        )
        self._work = _Workplace.of(self, head)

    @classmethod
    def load(cls, folder: FilePath, device: torch.device | str = "cpu") -> Model:
        """A verified pack, to compute on a device. What it takes and gives is on the CPU.

        Raises:
            PackInvalid, ArtifactCorrupt: the folder is not a whole pack.
        """
        config = pack.read_config(folder)
        pack.verify(folder, config)
        try:
            return cls._read(folder, config, device)
        except (KeyError, ValueError, RuntimeError, OSError) as error:
            raise PackInvalid(
                f"{folder.name}: its files do not fit this version ({error}). Update Sonifold, or train the pack again."
            ) from error

    @classmethod
    def _read(cls, folder: FilePath, config: PackConfig, device: torch.device | str) -> Model:
        vae = VAE.from_tensors(config.vae, load_file(folder / "weights.safetensors"))
        spectral = Spectral()
        coefficients = _coefficients(folder, config.files["coefficients.safetensors"], spectral)
        columns = load_file(folder / "library.safetensors")
        labels = read_labels((folder / "library.csv").read_text(encoding="utf-8"))
        library = Library(
            labels,
            config.family_names,
            columns["z"],
            columns["log_variance"],
            columns["timbre"].float(),
            columns["positions"],
            folder,
        )
        grid = load_file(folder / "atlas.safetensors")
        atlas = Atlas(
            columns["coordinates"].float(),
            library.z,
            library.positions,
            Field(grid["x"], grid["y"], grid["values"], config.coast),
            config.placement_error,
        )
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        markdown = (folder / "CARD.md").read_text(encoding="utf-8")
        return cls(config, vae, coefficients, library, atlas, card, markdown, device)

    def __repr__(self) -> str:
        return f"<Model {self.name}: {len(self.library)} sounds, {self.latent_dim} latent dimensions>"

    def _repr_html_(self) -> str:
        """A pack's title and size beside its map, one colour a family."""
        library = self.library
        rows = {
            "model": f"{self.title} ({self.name})",
            "sounds": f"{len(library)} in {len(library.family_names)} families",
            "latent space": f"{self.latent_dim} dimensions",
            "unit of distances": self.unit,
        }
        colour_of = {
            name: notebook.COLOURS[number % len(notebook.COLOURS)]
            for number, name in enumerate(library.family_names)
        }
        positions = library.positions.detach().cpu().numpy()
        dots = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5" fill="{colour_of[family]}"/>'
            for (x, y), family in zip(notebook.fitted(positions, positions), library.families, strict=True)
        )
        return f"<div>{notebook.table(rows)}{notebook.drawing(dots, 'The map of its sounds')}</div>"

    # -- what it is -------------------------------------------------------------------------------

    name = property(lambda self: self.config.name, doc="The pack's folder name.")
    title = property(lambda self: self.config.title, doc="What people call it.")
    description = property(lambda self: self.config.description, doc="A sentence on what it holds.")
    latent_dim = property(lambda self: self.config.vae.latent_dim, doc="Dimensions of z.")
    unit = property(lambda self: self.config.unit, doc="Unit of lengths and distances.")
    sample_rate = Spectral.sample_rate
    sound_samples = Spectral.samples

    # -- sounds -----------------------------------------------------------------------------------

    def sound(self, sound_id: str) -> Sound:
        """A library sound, ready to be an end of a path; the last few are kept.

        Raises:
            SoundNotFound: no sound has that id.
        """
        return self._recent_sound(sound_id)

    def _library_sound(self, sound_id: str) -> Sound:
        place = self.library.index(sound_id)
        label = self.library.labels[place]
        audio = self.library.audio(sound_id, self.sound_samples)
        sound = self._recorded(audio[None], self.library.z[place][None], label.name, label.id, label.seconds)
        return replace(sound, pitch_hz=label.pitch_hz)

    def encode(self, source: Source, sample_rate: int | None = None, name: str | None = None) -> Sound:
        """A sound of your own: read, aligned to its onset, encoded and refined.

        Args:
            source: path, bytes of a file, an open file, or samples (sample,) or (sample, channel) with their rate;
                see :func:`sonifold.audio.read.read`.
            sample_rate: Hz, for samples.
            name: what to call it; the file's name otherwise.

        Returns:
            The sound; what was cut, mixed or resampled to make it is in its ``caveats``.

        Raises:
            AudioUnreadable, AudioTooLong, AudioTooShort, AudioSilent: see :mod:`sonifold.errors`.
        """
        sound = self.encode_recording(read(source, sample_rate, name))
        return replace(sound, file=FilePath(source)) if isinstance(source, (str, FilePath)) else sound

    def encode_recording(self, recording: Recording) -> Sound:
        """The same for a recording that was read before.

        Raises:
            AudioSilent: nothing is left of it at 44.1 kHz.
        """
        prepared = prepare(recording.samples, recording.sample_rate, silence=0.0)
        if prepared is None:
            raise AudioSilent(f"nothing of {recording.name} is left at 44.1 kHz: it is all above 20 kHz.")
        audio = torch.from_numpy(to_float(prepared))
        sound = self._recorded(audio[None], None, recording.name, None, audible_seconds(prepared))
        facts = examine(recording.samples, recording.sample_rate, recording.offset)
        return replace(sound, caveats=caveats(recording, facts))

    def recorded(
        self, audio: Tensor, z: Tensor | None = None, name: str = "", seconds: float | None = None
    ) -> Sound:
        """A prepared one-shot (sample,) kept outside the library, as :meth:`encode` made it; ``z`` (latent,) spares
        finding its point again.
        """
        return self._recorded(audio[None], None if z is None else z[None], name, None, seconds or 0.0)

    def _recorded(
        self, audio: Tensor, z: Points | None, name: str, sound_id: str | None, seconds: float
    ) -> Sound:
        features, level = self.representation.analyse(audio)
        if z is None:
            z = self.refined(self.coefficients.analyse(features))
        residual = self.renderer.residual(features, z)
        return Sound(z[0], name, sound_id, seconds, audio[0], features[0], residual[0], level=float(level[0]))

    def refined(self, coefficients: Tensor) -> Points:
        """Latent points (batch, latent) whose decodings come closest to coefficients (batch, K)."""
        return refine(self.vae, coefficients)

    def point(self, z: Tensor | list[float]) -> Sound:
        """A bare latent point as an end of a path.

        Raises:
            PointInvalid: wrong dimension, NaN, infinity, or absurdly far out.
        """
        try:
            values = torch.as_tensor(z, dtype=torch.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise PointInvalid(f"a latent point is {self.latent_dim} numbers; {error}.") from error
        if values.shape != (self.latent_dim,):
            raise PointInvalid(
                f"a latent point of {self.name} has {self.latent_dim} numbers; shape {tuple(values.shape)} came."
            )
        if not torch.isfinite(values).all() or values.abs().max() > MAX_COORDINATE:
            raise PointInvalid(
                f"a latent point is {self.latent_dim} finite numbers, about -3 to 3; NaN, infinity or something "
                f"beyond {MAX_COORDINATE:.0f} came."
            )
        return Sound(values, level=self.config.level)

    def at(self, x: float, y: float) -> Sound:
        """The point under a map position, as an end of a path.

        Raises:
            PositionInvalid: not finite, or further from the map than the map is wide.
        """
        x0, x1, y0, y1 = self.atlas.extent
        if not (
            math.isfinite(x)
            and math.isfinite(y)
            and abs(x - (x0 + x1) / 2) <= 1.5 * (x1 - x0)
            and abs(y - (y0 + y1) / 2) <= 1.5 * (y1 - y0)
        ):
            raise PositionInvalid(
                f"({x}, {y}) is off the map, which spans x {x0:.1f} to {x1:.1f} and y {y0:.1f} to {y1:.1f}."
            )
        return self.point(self.atlas.lift(torch.tensor([[x, y]]))[0])

    # -- paths ------------------------------------------------------------------------------------

    def geodesic(
        self,
        start: Sound,
        end: Sound,
        metric: MetricName = "blend",
        weight: float | None = None,
        steps: int = 17,
    ) -> Path:
        """The shortest path under a metric, at constant perceptual speed."""
        return self.paths([(start, end)], "geodesic", metric, weight, steps)[0]

    def linear(self, start: Sound, end: Sound, retimed: bool = False, steps: int = 17) -> Path:
        """The straight line in latent space, or the same line at constant perceptual speed."""
        return self.paths([(start, end)], "retimed" if retimed else "linear", steps=steps)[0]

    def paths(
        self,
        pairs: list[tuple[Sound, Sound]],
        kind: Kind = "geodesic",
        metric: MetricName = "blend",
        weight: float | None = None,
        steps: int = 17,
    ) -> list[Path]:
        """Paths for a batch of pairs.

        Args:
            kind: ``geodesic`` and ``graph`` (through real neighbours) are re-timed, as is ``retimed``, the line at
                constant perceptual speed; ``linear`` is the bare line.
            metric: of the geodesic, and of the energies reported.
            weight: of the blend's data term, 0 (shortest) to about 10; infinity is the graph path. The pack's
                default when None.
            steps: sounds along the path, ends included, 2 to 129.

        Raises:
            ValueError: an unknown kind or metric, a negative weight, or too few or many steps.
        """
        require_sounds(*(end for pair in pairs for end in pair))
        weight = self.config.metric.weight if weight is None else weight
        _check_choices(kind, metric, weight, steps)
        if kind == "geodesic" and metric == "blend" and math.isinf(weight):
            kind = "graph"
        measured = self.working_metric(metric, min(weight, MAX_WEIGHT))
        halfway = torch.stack([self.renderer.crossing(*pair).halfway() for pair in pairs])
        starts, ends = halfway[:, 0], halfway[:, 1]
        if kind == "geodesic":
            solved = geodesic.solve(measured, starts, ends, NODES)
            curves, outcomes = solved.nodes, [str(stop) for stop in solved.stop]
            converged = solved.converged
        else:
            curves = self._through_library(pairs) if kind == "graph" else geodesic.line(starts, ends, NODES)
            outcomes = ["through real neighbours" if kind == "graph" else "the straight line"] * len(pairs)
            converged = [True] * len(pairs)
        energies = measured.energy(curves)
        line_energies = measured.energy(geodesic.line(starts, ends, NODES))
        return [
            self._path(kind, metric, weight, pair, curve, steps, outcome, done, float(energy), float(line))
            for pair, curve, outcome, done, energy, line in zip(
                pairs, curves, outcomes, converged, energies, line_energies, strict=True
            )
        ]

    def metric(self, name: MetricName = "blend", weight: float | None = None) -> Metric:
        """One of the model's metrics, for :mod:`sonifold.geodesic`; ``weight`` is the blend's."""
        weight = self.config.metric.weight if weight is None else weight
        return _named(name, self.pullback, self.kernel, weight, self.config.metric.scale)

    def working_metric(self, name: MetricName = "blend", weight: float | None = None) -> Metric:
        """The same on the model's device: for solvers, which take points there and bring paths back."""
        weight = self.config.metric.weight if weight is None else weight
        return self._work.metric(name, weight, self.config.metric.scale)

    @property
    def working_kernel(self) -> KernelMetric:
        """The kernel metric on the model's device, for samplers."""
        return self._work.kernel

    def _through_library(self, pairs: list[tuple[Sound, Sound]]) -> Curves:
        curves = []
        for start, end in pairs:
            first, last = self.coordinates(torch.stack([start.z, end.z]))
            curves.append(self._graph.path(start.z, end.z, first, last, NODES).nodes)
        return torch.stack(curves)

    @cached_property
    def _graph(self) -> NeighbourGraph:
        return NeighbourGraph(self.coordinates(self.library.z), self.library.z)

    def coordinates(self, points: Points) -> Tensor:
        """Decoded timbre of latent points, turned: distances are those of Phi, (batch, m)."""
        return self.pullback.decode(points)

    def _path(
        self,
        kind: Kind,
        metric: MetricName,
        weight: float,
        pair: tuple[Sound, Sound],
        curve: Tensor,
        steps: int,
        outcome: str,
        converged: bool,
        energy: float,
        line_energy: float,
    ) -> Path:
        if kind != "graph":
            curve = self.renderer.crossing(*pair).curve(curve)
        heard = self._recent_line(*pair) if kind in ("linear", "retimed") else self._heard_along(curve, pair)
        along, line = heard.timbre, self._recent_line(*pair).timbre
        times = torch.linspace(0, 1, steps) if kind == "linear" else geodesic.constant_speed(along, steps)
        nodes = geodesic.at(curve[None], times)[0]
        timbre = geodesic.at(along[None], times)[0]
        fine = geodesic.resample(curve[None], MAP_POINTS)[0]
        drawn = smooth_course(self.place(fine))
        step_positions = geodesic.at(drawn[None], times)[0]
        scale = self.config.unit_per_phi
        return Path(
            kind,
            metric,
            weight,
            *pair,
            nodes,
            times,
            fine,
            drawn,
            step_positions,
            self.atlas.known(step_positions),
            self.atlas.water(drawn),
            self._guesswork(curve, along),
            _length(along) * scale,
            _length(line) * scale,
            energy,
            line_energy,
            timbre.diff(dim=0).norm(dim=1) * scale,
            outcome,
            converged,
            _profile(heard.descriptors, times),
        )

    def _guesswork(self, curve: Tensor, along: Tensor) -> float:
        """Mean saturation of the kernel metric on a curve (node, latent), weighted by the steps of what is heard."""
        steps, saturation = _steps(along), self.kernel.saturation(curve)
        between = (saturation[1:] + saturation[:-1]) / 2
        return float((steps * between).sum() / steps.sum()) if steps.sum() > 0 else float(between.mean())

    def place(self, points: Points) -> Tensor:
        """Map positions (batch, 2) of latent points (batch, latent)."""
        return self.atlas.place(self.coordinates(points))

    def _heard_on_line(self, start: Sound, end: Sound) -> Heard:
        crossing = self.renderer.crossing(start, end)
        first, last = crossing.halfway()
        line = geodesic.line(first[None], last[None], NODES)[0]
        return self._heard_along(crossing.curve(line), (start, end))

    @torch.no_grad()
    def _heard_along(self, curve: Tensor, pair: tuple[Sound, Sound]) -> Heard:
        """What is heard at evenly spaced places on a path, residuals included."""
        maps = self.renderer.along(curve, *pair)
        return Heard(self.representation.timbre(maps), self.readout(maps[::2]))

    # -- words: see sonifold.audio.descriptors ----------------------------------------------------

    def describe(self, points: Points) -> dict[str, Tensor]:
        """Descriptors of what the model makes of latent points (batch, latent), name -> (batch,).

        Differentiable in the points; read from the decoded features, which ranks sounds nearly as a measurement on
        audio does (how nearly, the card says).
        """
        maps = suppress_hiss(self.coefficients.synthesise(self.vae.decode(points)))
        return self.readout(maps)

    def describe_audio(self, audio: Tensor) -> dict[str, Tensor]:
        """The same measured on sounds (batch, sample) at the model's sample rate."""
        return descriptors.describe_audio(audio, self.sample_rate)

    def travel(
        self,
        sound: Sound,
        descriptor: str,
        steps: int = 9,
        reach: float | None = None,
        metric: MetricName = "blend",
        weight: float | None = None,
        hold: bool = True,
    ) -> Travel:
        """Less and more of what a word says, along its natural gradient; see :mod:`sonifold.model.traversal`."""
        return self.directions.travel(sound, descriptor, steps, reach, metric, weight, hold)

    def render_travel(self, travel: Travel) -> Clip:
        """The sounds of a travel, Clip.audio (step, sample)."""
        return self.directions.render(travel)

    # -- sound ------------------------------------------------------------------------------------

    def render_steps(self, paths: list[Path]) -> list[Clip]:
        """The sounds at each path's steps, Clip.audio (step, sample); the ends are the recordings themselves."""
        return [
            Clip(
                self._rendered(path, torch.arange(path.steps)),
                self.sample_rate,
                provenance.of_path(self, path, "steps"),
            )
            for path in paths
        ]

    def morph(self, path: Path) -> tuple[Path, Clip]:
        """A path made audible, re-timed by what is heard.

        Rendering moves the timbre a little off the features that the path was timed by; a step louder in its first
        milliseconds than predicted can double the steps around it. Every second step tells how the path is heard;
        where its steps still come out uneven, they are timed once more. The bare line is left as it is, its speed
        that of its features.

        Returns:
            The path as rendered, its speed measured on the rendered sounds where it was re-timed, and the sounds.
        """
        if path.kind == "linear":
            return path, self.render_steps([path])[0]
        if path.steps >= SCOUTED:
            scouts = torch.arange(0, path.steps, 2 if path.steps % 2 else 1)
            path = self._even(path, _steps(self._heard(self._rendered(path, scouts))), path.times[scouts])
        audio = self._rendered(path, torch.arange(path.steps))
        phi = self._heard(audio)
        if _variation(_steps(phi)) > UNEVEN:
            timed = self._even(path, _steps(phi), path.times)
            moved = (timed.times != path.times).nonzero()[:, 0]
            path = timed
            if len(moved):
                audio[moved] = self._rendered(path, moved)
                phi[moved] = self._heard(audio[moved])
        heard = replace(path, speed=_steps(phi) * self.config.unit_per_phi)
        return heard, Clip(audio, self.sample_rate, provenance.of_path(self, heard, "steps"))

    def _rendered(self, path: Path, steps: Tensor) -> Tensor:
        """The sounds (step, sample) at some of a path's steps, by number."""
        progress = steps / (path.steps - 1)
        return self.renderer.steps(path.nodes[steps], path.times[steps], path.start, path.end, progress)

    def _heard(self, audio: Tensor) -> Tensor:
        """Phi of rendered sounds (step, sample)."""
        return timbre_features(audio, self.sample_rate, ONSET / self.sample_rate)

    def _even(self, path: Path, heard: Tensor, at: Tensor) -> Path:
        """The same curve with its steps moved to where equal distances were ``heard`` (n - 1,) between the times
        ``at`` (n,); those almost there stay.
        """
        reached = torch.cat([torch.zeros(1), heard.cumsum(0)])
        wanted = torch.linspace(0, float(reached[-1]), path.steps)
        even = torch.from_numpy(np.interp(wanted, reached, at)).to(path.times)
        times = torch.where((even - path.times).abs() * (path.steps - 1) > ALMOST, even, path.times)
        nodes = geodesic.at(path.curve[None], times)[0]
        positions = geodesic.at(path.map[None], times)[0]
        return replace(
            path,
            times=times,
            nodes=nodes,
            step_positions=positions,
            known=self.atlas.known(positions),
            descriptors=_profile(path.descriptors, times, path.times),
        )

    def render(self, path: Path, seconds: float = 4.0) -> Clip:
        """One sound that travels from A to B while it sounds: a glide, Clip.audio (sample,).

        Raises:
            ValueError: ``seconds`` is not from 0.5 to 20.
        """
        if not GLIDE_SECONDS[0] <= seconds <= GLIDE_SECONDS[1]:
            raise ValueError(
                f"a glide is {GLIDE_SECONDS[0]} to {GLIDE_SECONDS[1]:.0f} seconds long, got {seconds}."
            )
        stack = self.render_steps([path])[0].audio
        return Clip(
            glide(stack, seconds, self.representation),
            self.sample_rate,
            provenance.of_path(self, path, "glide", seconds=seconds),
        )

    render_glide = render

    def decode(self, points: Points) -> Clip:
        """What the model makes of bare latent points (batch, latent), Clip.audio (batch, sample)."""
        batch = torch.stack([self.point(z).z for z in points])
        return Clip(
            self.renderer.points(batch, torch.full((len(batch),), self.config.level)),
            self.sample_rate,
            provenance.of_points(self, batch),
        )

    # -- distances --------------------------------------------------------------------------------

    def distance(self, a: Sound, b: Sound, metric: Distance = "geodesic") -> float:
        """How far apart two sounds are, by default in ``unit``; see :meth:`distances`.

        A :class:`Path` has lengths of its own, which are longer: what is heard along that one path, from recording to
        recording, where ``distance`` is the least that the model's own sounds have to change.
        """
        return float(self.distances([a, b], metric)[0, 1])

    def distances(self, sounds: list[Sound], metric: Distance = "geodesic") -> Tensor:
        """Distances between all pairs, (sound, sound).

        ``geodesic``: length of the shortest path under the pull-back of Phi, in ``unit``: of these the one that agrees
        best with listeners' ratings of dissimilarity. ``perceptual``: |Phi_a - Phi_b| of the recordings, in ``unit``,
        for when geodesics would take too long. ``euclidean``: of the latent points, in latent units.

        Raises:
            ValueError: another metric.
        """
        z = torch.stack([sound.z for sound in sounds])
        if metric == "geodesic":
            return geodesic.distances(self._work.pullback, z) * self.config.unit_per_phi
        if metric == "euclidean":
            return torch.cdist(z, z)
        if metric != "perceptual":
            raise ValueError(f"no distance {metric!r}; choose geodesic, perceptual or euclidean.")
        phi = torch.stack([self.timbre(sound) for sound in sounds])
        return torch.cdist(phi, phi, compute_mode="donot_use_mm_for_euclid_dist") * self.config.unit_per_phi

    def timbre(self, sound: Sound) -> Tensor:
        """Phi of a sound, (512,): of its recording, or of what the model makes of a bare point."""
        if sound.audio is None:
            audio = self.decode(sound.z[None]).audio[0]
        elif sound.id is not None:
            return self.library.timbre[self.library.index(sound.id)]
        else:
            audio = sound.audio
        return timbre_features(audio, self.sample_rate, ONSET / self.sample_rate)

    def perceptual_distances(self, sound: Sound) -> Tensor:
        """|Phi - Phi_sound| of every library sound's recording, (sound,), in ``unit``."""
        return (self.library.timbre - self.timbre(sound)).norm(dim=1) * self.config.unit_per_phi

    def neighbours(
        self,
        sound: Sound,
        count: int = 8,
        distance: Distance = "geodesic",
        metric: MetricName = "pullback",
        weight: float | None = None,
    ) -> list[tuple[str, float]]:
        """The nearest library sounds, nearest first, without the sound itself: (id, distance).

        Args:
            distance: see :meth:`distances`. Geodesics rank anew the fifty (or three times the count) that are nearest
                in latent space.
            metric: of the geodesics. Under the pull-back they are in ``unit``, else in the metric's own.
            weight: the blend's.
        """
        if distance == "geodesic":
            return self.operations.neighbours(sound, count, metric, weight)
        away = (
            self.perceptual_distances(sound)
            if distance == "perceptual"
            else (self.library.z - sound.z).norm(dim=1)
        )
        if sound.id is not None:
            away[self.library.index(sound.id)] = math.inf
        near, index = away.topk(min(count, len(self.library) - (sound.id is not None)), largest=False)
        return [(self.library.labels[i].id, d) for i, d in zip(index.tolist(), near.tolist(), strict=True)]

    # -- new points: see sonifold.model.points ------------------------------------------------------

    def mean(
        self,
        sounds: list[Sound],
        weights: list[float] | None = None,
        metric: MetricName = "blend",
        weight: float | None = None,
    ) -> MeanPlace:
        """The weighted Frechet mean of sounds."""
        return self.operations.mean(sounds, weights, metric, weight)

    def analogy(
        self, a: Sound, b: Sound, c: Sound, metric: MetricName = "blend", weight: float | None = None
    ) -> AnalogyPlace:
        """A is to B as C is to what?"""
        return self.operations.analogy(a, b, c, metric, weight)

    def extrapolate(
        self, a: Sound, b: Sound, to: float = 1.5, metric: MetricName = "blend", weight: float | None = None
    ) -> ExtrapolationPlace:
        """Beyond B, seen from A."""
        return self.operations.extrapolate(a, b, to, metric, weight)

    def sample(
        self,
        sampler: str = "hmc",
        count: int = 16,
        seed: int = 0,
        temperature: float = 1.0,
        start: Sound | None = None,
    ) -> Draw:
        """New points by one of :data:`sonifold.model.points.SAMPLERS`."""
        return self.operations.sample(sampler, count, seed, temperature, start)


#: By sha256 of their file: what is refined from a pack has the pack's own, 120 MB.
_SHARED: WeakValueDictionary[str, Coefficients] = WeakValueDictionary()


def _coefficients(folder: FilePath, sha256: str, spectral: Spectral) -> Coefficients:
    """A pack's coefficients; those of packs in memory are shared."""
    found = _SHARED.get(sha256)
    if found is None:
        tensors = load_file(folder / "coefficients.safetensors")
        found = _SHARED[sha256] = Coefficients.from_tensors(tensors, spectral)
    return found


class _Workplace(NamedTuple):
    """The metrics that solvers and samplers compute with, on the model's device; on the CPU the model's own."""

    pullback: Pullback
    kernel: KernelMetric

    @classmethod
    def of(cls, model: Model, head: Tensor) -> _Workplace:
        device = model.device
        if device.type == "cpu":
            return cls(model.pullback, model.kernel)
        vae = freeze(copy.deepcopy(model.vae).to(device))
        return cls(Pullback(vae.tangents(head.to(device))), model.kernel.to(device=device))

    def metric(self, name: MetricName, weight: float, scale: float) -> Metric:
        """One of the model's metrics, there."""
        return _named(name, self.pullback, self.kernel, weight, scale)


def _named(name: MetricName, pullback: Pullback, kernel: KernelMetric, weight: float, scale: float) -> Metric:
    if name == "blend":
        return Blend(pullback, kernel, weight, scale)
    return {"pullback": pullback, "kernel": kernel, "flat": Flat()}[name]


class Heard(NamedTuple):
    """What was measured on the sounds along a curve."""

    timbre: Tensor  # (node, 512), Phi
    descriptors: dict[str, Tensor]  # name -> (every second node,)


def _profile(along: dict[str, Any], times: Tensor, measured: Tensor | None = None) -> dict[str, list[float]]:
    """Descriptors at evenly spaced places (or at the times ``measured``) as those at ``times``."""
    known = np.linspace(0, 1, len(next(iter(along.values())))) if measured is None else measured.numpy()
    return {name: np.interp(times.numpy(), known, values).tolist() for name, values in along.items()}


def _length(along: Tensor) -> float:
    return float(along.diff(dim=0).norm(dim=1).sum())


def _steps(phi: Tensor) -> Tensor:
    """Distances between successive sounds, (step - 1,)."""
    return phi.diff(dim=0).norm(dim=1)


def _variation(steps: Tensor) -> float:
    return float(steps.std(correction=0) / steps.mean().clamp(min=1e-9))


def _check_choices(kind: str, metric: str, weight: float, steps: int) -> None:
    if kind not in KINDS:
        raise ValueError(f"no path of kind {kind!r}; choose one of {', '.join(KINDS)}.")
    if metric not in METRICS:
        raise ValueError(f"no metric {metric!r}; choose one of {', '.join(METRICS)}.")
    if not weight >= 0:
        raise ValueError(f"the data term's weight must be 0 or more, {weight} came.")
    if not 2 <= steps <= MAX_STEPS:
        raise ValueError(f"a path has 2 to {MAX_STEPS} steps, {steps} came.")
