"""The model card: a pack measured on sounds it never saw and on its own paths, beside the baselines.

``sonifold evaluate`` measures, records every figure, and writes the card into the pack. Card and pack.json are
rewritten together, so that the pack stays whole.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from sonifold.evaluate import directions, metrics, paths, reconstruction, topology_report
from sonifold.evaluate.measures import Record, recorder
from sonifold.intervals import Estimate
from sonifold.model import Model
from sonifold.pack.library import Label
from sonifold.pack.write import write_card
from sonifold.training.datasets import table
from sonifold.types import AudioBatch

Progress = Callable[[str, int, int], None]
SPLITS = {"held_out_sounds": "held-out sounds", "held_out_kits": "held-out kits", "foreign": "foreign kits"}
BARS = {
    ("held_out_sounds", "log_mel_db"): "<= 4.8",
    ("foreign", "log_mel_db"): "<= 5.9",
    ("held_out_sounds", "phi"): "<= 3.1",
    ("foreign", "phi"): "<= 3.5",
}
UNITS = {
    "log_mel_db": "dB",
    "phi": "Phi",
    "log_spectral_db": "dB",
    "attack_ms": "ms",
    "decay_octaves": "octaves",
    "texture_db": "dB",
    "texture_original_db": "dB",
}
HEADINGS = {
    "log_mel_db": "log-mel error, dB",
    "phi": "Phi error",
    "log_spectral_db": "log-spectral distance, dB",
    "attack_ms": "attack time, ms off",
    "decay_octaves": "decay time, octaves off",
    "texture_db": "texture, dB",
    "texture_original_db": "texture of the originals, dB",
}
ENERGY_PAIRS, JUDGED_PAIRS = 500, 100
Table = dict[str, dict[str, Estimate]]


def evaluate(
    folder: Path,
    dataset: Path | None,
    progress: Progress,
    only: str | None = None,
    pairs: int = metrics.PAIRS,
) -> None:
    """Measure a pack, record the figures and write its card; ``only`` one part, the others kept from the last card.

    ``dataset``: the folder of the sounds that reconstruction is measured on; None: those of the pack that were held
    out. ``pairs``: between which every metric is compared.

    Raises:
        DatasetError: no data set at ``dataset``.
    """
    model = Model.load(folder)
    card: dict[str, Any] = {}
    if only in (None, "reconstruction"):
        card["reconstruction"] = _plain(measure_reconstruction(model, dataset, progress))
        card["latent"] = latent_use(model)
    if only in (None, "paths"):
        card["paths"] = _plain(measure_paths(model, progress))
    if only in (None, "metrics"):
        card["metrics"] = _plain(metrics.measure(model, progress, pairs))
    if only in (None, "directions"):
        card["directions"] = _plain(directions.measure(model, progress))
    if only in (None, "topology"):
        card["topology"] = _plain(topology_report.measure(model, folder, progress))
    _write(folder, card | about(model))


def add(folder: Path, part: str, figures: Any) -> None:
    """Put a part that was measured elsewhere into a pack's card, in place of an earlier one."""
    _write(folder, {part: figures})


def _write(folder: Path, changed: dict[str, Any]) -> None:
    """The card with some parts changed; measuring takes long, so what another run wrote meanwhile is kept."""
    stored = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card = _plain(stored | changed)
    write_card(folder, card, markdown(card))


def measure_reconstruction(model: Model, dataset: Path | None, progress: Progress) -> dict[str, Table]:
    """Every measure for every method of rebuilding, on each split of unseen sounds."""
    sounds = _sounds_of_pack(model) if dataset is None else _sounds_of(dataset)
    rebuild = reconstruction.rebuilders(model, reconstruction.Baselines.of(model, sounds("train")))
    tables: dict[str, Table] = {}
    for split, spoken in SPLITS.items():
        audio = sounds(split)
        if not len(audio):
            continue
        tables[split] = {}
        for number, (method, function) in enumerate(rebuild.items(), 1):
            tables[split][method] = reconstruction.evaluate(model, audio, function)
            progress(f"{spoken}: {method}", number, len(rebuild))
        _record_split(model, split, spoken, tables[split])
    return tables


def _sounds_of(dataset: Path) -> Callable[[str], AudioBatch]:
    """The sounds of each split of a data set, (sound, sample)."""
    rows = table.read(dataset)
    return lambda split: table.load_audio(dataset, [row for row in rows if row.split == split])


def _sounds_of_pack(model: Model) -> Callable[[str], AudioBatch]:
    """The sounds of each split of a pack, (sound, sample)."""
    library = model.library

    def sounds(split: str) -> AudioBatch:
        ids = [label.id for label in library.labels if label.split == split]
        if not ids:
            return torch.empty(0, model.sound_samples)
        return torch.stack([library.audio(id, model.sound_samples) for id in ids])

    return sounds


def _record_split(model: Model, split: str, spoken: str, table_of_methods: Table) -> None:
    command, record = f"sonifold evaluate {model.name} --only reconstruction", recorder(model.name)
    baselines = [method for method in table_of_methods if method.startswith(("linear PCA", "nearest"))]
    for name in ("log_mel_db", "phi"):
        model_error = table_of_methods["model"][name]
        record(
            f"{HEADINGS[name]}, {spoken}",
            model_error.mean,
            UNITS[name],
            BARS.get((split, name)),
            model_error.n,
            command,
        )
        for method in baselines:
            record(
                f"{HEADINGS[name]}, {spoken}, {method}",
                table_of_methods[method][name].mean,
                UNITS[name],
                None,
                model_error.n,
                command,
            )
        if (split, name) in BARS:
            margin = min(table_of_methods[method][name].mean for method in baselines) - model_error.mean
            record(
                f"better than the best baseline, {HEADINGS[name]}, {spoken}",
                margin,
                UNITS[name],
                ">= 0",
                model_error.n,
                command,
            )


def latent_use(model: Model) -> dict[str, Any]:
    """The part of the latent space that the library uses: mean KL in nats and dimensions with more than .05 each."""
    log_variance, z = model.library.log_variance, model.library.z
    nats = 0.5 * (z.square() + log_variance.exp() - 1 - log_variance).mean(0)
    return {
        "kl_nats": float(nats.sum()),
        "active_dimensions": int((nats > 0.05).sum()),
        "dimensions": z.shape[1],
    }


def measure_paths(model: Model, progress: Progress) -> dict[str, Any]:
    """Energies of many solved pairs, and rendered morphs judged by measures nothing here was optimised for."""
    command, record = f"sonifold evaluate {model.name} --only paths", recorder(model.name)
    progress("energies", 0, ENERGY_PAIRS)
    energy = paths.energies(model, ENERGY_PAIRS)
    progress("energies", ENERGY_PAIRS, ENERGY_PAIRS)
    _record_energies(energy, command, record)
    judged = []
    for judgements in paths.judge(model, JUDGED_PAIRS):
        judged.append(judgements)
        progress("morphs", len(judged), JUDGED_PAIRS)
    summary = paths.summary(judged)
    gains = _gains(judged)
    _record_morphs(summary, gains, command, record)
    return {"energy": asdict(energy), "methods": summary, "gains": gains}


def _record_energies(energy: paths.EnergyReport, command: str, record: Record) -> None:
    failed = energy.worse_than_line + energy.not_finite
    record(
        "paths with NaN or more energy than the line, finer grid", failed, "pairs", "<= 0", energy.n, command
    )
    record("energy of the geodesic over the line's", energy.ratio.mean, "", None, energy.n, command)


def _gains(judged: list[dict[str, paths.Judgement]]) -> Table:
    """What the middles of geodesic morphs gain over each other method: in density, and in distance to real sounds."""
    return {
        other: {
            "density": paths.advantage(judged, "density", "geodesic", other),
            "nearest": paths.advantage(judged, "nearest", other, "geodesic"),
        }
        for other in ("linear", "retimed", "cross-fade")
    }


def _record_morphs(summary: Table, gains: Table, command: str, record: Record) -> None:
    def record_judged(measure: str, value: float, unit: str, bar: str | None) -> None:
        record(measure, value, unit, bar, JUDGED_PAIRS, command)

    titles = {"geodesic": "geodesic, re-timed", "linear": "line", "retimed": "line, re-timed"}
    for method, title in titles.items():
        variation, in_decibels = summary[method]["variation"].mean, summary[method]["variation_mel"].mean
        bar = "<= 0.06" if method == "geodesic" else None
        record_judged(f"perceptual speed variation, {title}", variation, "CV", bar)
        record_judged(f"speed variation in log-mel dB, {title}", in_decibels, "CV", None)
    end_error = summary["geodesic"]["end_error"].mean
    record_judged("end points of a morph, log-mel error", end_error, "dB", "<= 1.6")
    for other, gain in gains.items():
        density = f"mid points: density gained over {other} (lower end of the 95 % interval)"
        distance = f"mid points: distance to real sounds saved against {other} (lower end)"
        record_judged(density, gain["density"].low, "", ">= 0")
        record_judged(distance, gain["nearest"].low, "Phi", ">= 0")


def about(model: Model) -> dict[str, Any]:
    """A pack's contents, the sources of its sounds, and its intended and unintended uses."""
    labels = model.library.labels
    return {
        "name": model.name,
        "title": model.title,
        "description": model.description,
        "sounds": len(labels),
        "families": dict(Counter(label.family for label in labels)),
        "splits": dict(Counter(label.split for label in labels)),
        "sources": sources(labels),
        "unit": f"{model.unit}: Phi times {model.config.unit_per_phi:.3f}, so that the median distance between two "
        "library sounds equals their median RMS log-mel distance in dB",
        "placement_error": model.config.placement_error,
        "metric": model.config.metric.model_dump(),
        "vae": model.config.vae.model_dump(),
        "training": model.config.training.model_dump(),
        "hamiltonian": model.config.hamiltonian and model.config.hamiltonian.model_dump(),
        "limits": [
            "Sounds are mono one-shots of up to 1.49 s; what lies beyond is cut and faded.",
            "Pitched sounds have no pitch of their own: a path between two notes bends timbre and pitch together.",
            "Without residuals the model's own sounds are smoother than recordings; see texture above.",
            "No listening test has been made: nothing here says that a geodesic sounds better.",
        ],
    }


def sources(labels: Iterable[Label]) -> list[dict[str, Any]]:
    """Every source with its licence, credit and number of sounds."""
    counted = Counter((label.source, label.licence, label.credit) for label in labels)
    return [
        {"source": source, "licence": licence, "credit": credit, "sounds": count}
        for (source, licence, credit), count in sorted(counted.items())
    ]


def markdown(card: dict[str, Any]) -> str:
    """The card as a page."""
    lines = [f"# {card['title']}", "", card["description"], ""]
    families = ", ".join(f"{count} {name.lower()}" for name, count in card["families"].items())
    lines += [f"{card['sounds']} sounds: {families}. Unit: {card['unit']}.", ""]
    for split, methods in card.get("reconstruction", {}).items():
        lines += _reconstruction_table(SPLITS[split], methods)
    if "latent" in card:
        used = card["latent"]
        lines += [
            f"Latent space: {used['active_dimensions']} of {used['dimensions']} dimensions active, "
            f"{used['kl_nats']:.0f} nats.",
            "",
        ]
    if "paths" in card:
        lines += _path_tables(card["paths"])
    if "metrics" in card:
        lines += metrics.section(card["metrics"])
    if "directions" in card:
        lines += directions.section(card["directions"])
    if "topology" in card:
        lines += [
            "## Shape",
            "",
            *topology_report.conclusions(card["topology"]),
            "",
            "More, with plots: [topology.md](topology.md).",
        ]
        lines += [""]
    if "ears" in card:
        lines += _ears_table(card["ears"])
    lines += ["## Map", "", _map_sentence(card), ""]
    lines += [
        "## Limits",
        "",
        *[f"- {limit}" for limit in card["limits"]],
        "",
        "## Sounds, licences, credits",
        "",
        "| source | licence | credit | sounds |",
        "|---|---|---|---|",
        *[f"| {s['source']} | {s['licence']} | {s['credit']} | {s['sounds']} |" for s in card["sources"]],
        "",
    ]
    return "\n".join(lines)


def _map_sentence(card: dict[str, Any]) -> str:
    placed = card["placement_error"]
    if card["vae"]["latent_dim"] == 2:
        return "The map is the latent space itself, in its own units."
    return (
        f"A library sound placed by the others alone lands {100 * placed['median']:.1f} % of the map's width from "
        f"its spot (median; 90 % under {100 * placed['p90']:.1f} %; a random spot: {100 * placed['chance']:.0f} %)."
    )


def _reconstruction_table(split: str, methods: dict[str, Any]) -> list[str]:
    names = [name for name in HEADINGS if name != "texture_original_db"]
    first = next(iter(methods.values()))
    lines = [
        f"## Rebuilding {split} (n = {first['log_mel_db']['n']}), without residuals",
        "",
        "| | " + " | ".join(HEADINGS[name] for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    lines += [
        f"| {method} | " + " | ".join(_cell(estimates[name]) for name in names) + " |"
        for method, estimates in methods.items()
    ]
    return [
        *lines,
        "",
        f"Texture of the originals: {first['texture_original_db']['mean']:.1f} dB. Means with 95 % bootstrap "
        "intervals.",
        "",
    ]


def _path_tables(results: dict[str, Any]) -> list[str]:
    energy = results["energy"]
    columns = {
        "variation": "speed variation, Phi",
        "variation_mel": "speed variation, log-mel",
        "length": "length",
        "nearest": "mid points: nearest real sound, Phi",
        "density": "mid points: density",
        "nearest_mel": "nearest, log-mel dB",
    }
    lines = [
        f"## Paths between {energy['n']} and {JUDGED_PAIRS} random pairs",
        "",
        f"Energy of the geodesic over the line's: {_cell(energy['ratio'])}; {100 * energy['converged']:.0f} % "
        f"converged, {energy['worse_than_line']} worse than the line, {energy['not_finite']} not finite; in "
        f"{100 * energy['straight']:.0f} % of pairs the line is within 2 %.",
        "",
        "| | " + " | ".join(columns.values()) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    lines += [
        f"| {method} | " + " | ".join(_cell(row[name]) for name in columns) + " |"
        for method, row in paths.by_method(results).items()
    ]
    lines += ["", "Gained by the default path, paired, with 95 % intervals:", ""]
    lines += [
        f"- against {other}: density {_cell(gain['density'])}, "
        f"distance to the nearest real sound {_cell(gain['nearest'])}"
        for other, gain in results["gains"].items()
    ]
    return [*lines, ""]


def _ears_table(sets: dict[str, Any]) -> list[str]:
    """Two numbers of each judge on random pairs; docs/ears.md has all."""
    judges = sets["random"]
    columns = {"length": "length over the ends' distance", "nearest": "middle to the nearest recording"}
    first = next(iter(judges.values()))
    count = next(iter(first.values()))["mean"]["length"]["n"]
    heads = [f"{judge}: {title}" for judge in judges for title in columns.values()]
    lines = [f"## Judges not made here ({count} random pairs; less is better)", ""]
    lines += ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for method in first:
        cells = [_cell(judges[judge][method]["mean"][name]) for judge in judges for name in columns]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return [*lines, "", "More: docs/ears.md.", ""]


def _cell(estimate: dict[str, float]) -> str:
    if estimate["n"] == 0:
        return "-"
    return f"{estimate['mean']:.2f} [{estimate['low']:.2f}, {estimate['high']:.2f}]"


def _plain(node: Any) -> Any:
    """Estimates as dictionaries all the way down, and None for what is not a number: JSON has no word for that."""
    if isinstance(node, Estimate):
        return _plain(asdict(node))
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node
