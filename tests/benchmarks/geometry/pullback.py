"""Geodesics of the pullback metric: ours, the peers', and what one writes oneself, on the same pairs."""

from __future__ import annotations

import copy
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from decoders import Case, load
from environments import BUILD, PeerFailed, run
from judge import Judge, write_problem

from sonifold.geodesic import Geodesics, line, solve
from sonifold.metric import Pullback

PAIRS, TIMED = 200, 30
#: A curve has arrived when its energy is within this of the best that anything found for its pair.
CLOSE = 1.01
#: Seconds for a peer on one decoder, by latent dimension; for those that do not finish a pair in them, SLOW_LIMIT.
LIMITS, SLOW_LIMIT = {2: 30, 8: 30, 16: 60}, 30

#: name in the table -> (script, arguments, environment)
PEERS = {
    "stochman, spline of 20": ("run_stochman", (20,), "stochman"),
    "stochman, spline of 5 (its default)": ("run_stochman", (5,), "stochman"),
    "torch L-BFGS, raw decoder": ("run_lbfgs", ("lbfgs",), None),
    "torch Adam, raw decoder": ("run_lbfgs", ("adam",), None),
}
SLOW_PEERS = {
    "latent-geometry, boundary value problem": ("run_latent_geometry", (), "latent-geometry"),
    "geomstats, path straightening": ("run_geomstats", (), "geomstats"),
}


def measure(latent: int, wide: bool = False) -> dict:
    """All solvers on one decoder."""
    case = load(latent, BUILD / "bench", wide)
    starts, ends = case.pairs(PAIRS)
    judge = Judge(case.decoder)
    found = {"sonifold": ours(case, starts, ends, judge)}
    found |= peers(case, starts, ends, PEERS, LIMITS[latent])
    if not wide and latent in (2, 16):
        found |= peers(case, starts, ends, SLOW_PEERS, SLOW_LIMIT)
    straight = judge(line(starts, ends, 5))
    best = [min(energies) for energies in zip(*_known(found, case, starts, ends, judge), strict=True)]
    rivals = zip(
        *[_padded(result["final"]) for name, result in found.items() if name != "sonifold"], strict=True
    )
    return {
        "latent": latent,
        "outputs": case.decoder[-1].out_features,
        "batch_of_64_ms": batch_of_64(case),
        "line_over_best": statistics.median(a / b for a, b in zip(straight, best, strict=True)),
        "energy_over_best_peer_max": max(
            mine / min(others) for mine, others in zip(found["sonifold"]["final"], rivals, strict=True)
        ),
        "solvers": {name: summary(result, best, straight) for name, result in found.items()},
    }


def ours(case: Case, starts: torch.Tensor, ends: torch.Tensor, judge: Judge) -> dict:
    """One pair after another with the default settings; then all, to the last per mille, as one batch.

    A pair that the defaults leave outside ``CLOSE`` is polished, and both times count.
    """
    metric = Pullback(case.decoder)
    _timed(metric, starts[:1], ends[:1])
    traces = []
    for k in range(TIMED):
        quick, first = _timed(metric, starts[k : k + 1], ends[k : k + 1])
        exact, second = _polished(metric, starts[k : k + 1], ends[k : k + 1])
        traces.append(
            {
                "seconds": [first, first + second],
                "energies": [judge(quick.nodes)[0], judge(exact.nodes)[0]],
            }
        )
    finished, seconds = _polished(metric, starts, ends)
    return {
        "timed": traces,
        "final": judge(finished.nodes),
        "version": "",
        "note": f"polished in batches: {1000 * seconds / len(starts):.1f} ms a curve",
    }


def _timed(metric: Pullback, starts: torch.Tensor, ends: torch.Tensor) -> tuple[Geodesics, float]:
    began = time.perf_counter()
    paths = solve(metric, starts, ends)
    return paths, time.perf_counter() - began


def _polished(metric: Pullback, starts: torch.Tensor, ends: torch.Tensor) -> tuple[Geodesics, float]:
    began = time.perf_counter()
    paths = solve(metric, starts, ends, nodes=65, tolerance=1e-4, polish=True)
    return paths, time.perf_counter() - began


def peers(
    case: Case, starts: torch.Tensor, ends: torch.Tensor, which: dict[str, tuple], limit: float
) -> dict[str, dict]:
    """What each peer reports, with a note where it was stopped or could not be installed."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "problem.safetensors"
        write_problem(problem, case.decoder, starts, ends)
        for name, (script, arguments, environment) in which.items():
            print(f"  {name}", flush=True)
            output = Path(folder) / "report.json"
            output.unlink(missing_ok=True)
            try:
                note = run(script, problem, output, *arguments, peer=environment, limit=limit)
            except PeerFailed as error:
                note = str(error)
            empty = {"version": "", "timed": [], "final": [], "note": ""}
            report = json.loads(output.read_text()) if output.exists() else empty
            results[name] = {**report, "note": note or report["note"]}
    return results


def _known(
    found: dict[str, dict], case: Case, starts: torch.Tensor, ends: torch.Tensor, judge: Judge
) -> list[list[float]]:
    """Energies of each pair by everything that was tried, and by a long run of ours in double precision."""
    metric = Pullback(copy.deepcopy(case.decoder).double())
    paths = solve(
        metric, starts.double(), ends.double(), nodes=65, tolerance=1e-4, polish=True, max_steps=300
    )
    columns = [judge(paths.nodes)]
    for result in found.values():
        reached = [trace["energies"][-1] for trace in result["timed"]]
        columns += [_padded(result["final"]), _padded(reached)]
    return columns


def _padded(energies: list[float]) -> list[float]:
    return [*energies, *[float("inf")] * (PAIRS - len(energies))]


def summary(result: dict, best: list[float], straight: list[float]) -> dict:
    """One line of the table."""
    times = [
        next((t for t, e in zip(*_columns(trace), strict=True) if e <= CLOSE * best[k]), float("inf"))
        for k, trace in enumerate(result["timed"])
    ]
    ratios = [e / b for e, b in zip(result["final"], best, strict=False)]
    failures = sum(not e <= s * (1 + 1e-6) for e, s in zip(result["final"], straight, strict=False))
    arrived = [t for t in times if t < float("inf")]
    median = statistics.median(times) if times else float("inf")
    return {
        "version": result["version"],
        "ms_to_1_percent": 1000 * median if median < float("inf") else None,
        "timed_pairs": len(times),
        "timed_pairs_that_arrive": len(arrived),
        "energy_over_best_median": statistics.median(ratios) if ratios else None,
        "energy_over_best_max": max(ratios) if ratios else None,
        "within_1_percent": sum(r <= CLOSE for r in ratios) / len(ratios) if ratios else None,
        "pairs": len(ratios),
        "failures": failures,
        "note": result["note"],
    }


def _columns(trace: dict) -> tuple[list[float], list[float]]:
    return trace["seconds"], trace["energies"]


def batch_of_64(case: Case) -> float:
    """Milliseconds for 64 geodesics at once, the median of five batches after one that does not count."""
    metric = Pullback(case.decoder)
    seconds = [_timed(metric, *case.pairs(64, seed))[1] for seed in range(1, 7)]
    return 1000 * statistics.median(seconds[1:])
