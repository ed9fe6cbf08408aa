"""``sonifold trial``: listening tests of a running server, from a file of pairs to the table of results.

Needs only the standard library: the server may run elsewhere.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonifold.choices import PathKind
from sonifold.errors import ListeningTestError

SERVER = "http://127.0.0.1:8750"
TESTS = "/api/v1/listening-tests"
KINDS = (*map(str, PathKind), "crossfade")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of ``sonifold trial``."""
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a test from a file of pairs, and print its link")
    create.add_argument("pairs", type=Path, help="CSV with the columns start and end: ids of sounds")
    create.add_argument("--method", choices=("abx", "preference"), default="abx")
    create.add_argument(
        "--a", default="geodesic", help=f"the one condition: {', '.join(KINDS)}, or kind:metric:weight:model"
    )
    create.add_argument("--b", default="retimed", help="the other")
    create.add_argument("--trials", type=int, default=16)
    create.add_argument("--mode", choices=("steps", "glide"), default="steps")
    create.add_argument("--title")
    create.set_defaults(run=create_test)
    results = actions.add_parser("results", help="print the results of a test")
    results.add_argument("test", help="its id, or a file of results saved as JSON")
    results.add_argument("--json", action="store_true", help="everything, as JSON")
    results.set_defaults(run=print_results)
    for action in (create, results):
        action.add_argument("--server", default=SERVER, help="address of the server (%(default)s)")


def create_test(options: argparse.Namespace) -> int:
    """Make a test."""
    request = {
        "method": options.method,
        "conditions": [condition_of(options.a), condition_of(options.b)],
        "pairs": pairs_in(options.pairs),
        "trials": options.trials,
        "mode": options.mode,
        **({"title": options.title} if options.title else {}),
    }
    test = ask(options.server, TESTS, request)
    print(f"{test['id']}  {options.server}{test['url']}")
    return 0


def print_results(options: argparse.Namespace) -> int:
    """Print what came of a test."""
    file = Path(options.test)
    if file.suffix == ".json":
        results = json.loads(file.read_text(encoding="utf-8"))
    else:
        results = ask(options.server, f"{TESTS}/{options.test}/results")
    print(json.dumps(results, indent=2) if options.json else table_of(results))
    return 0


def table_of(results: dict[str, Any]) -> str:
    """The results as a table for a terminal."""
    first, second = results["conditions"]
    abx = results["method"] == "abx"
    head = ["listener", *(["right"] if abx else [f"a: {first}", f"b: {second}", "ties"]), "p", "share (95 %)"]
    rows = [head, *(row_of(listener, abx) for listener in results["listeners"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    pooled = results["pooled"]
    together = [f"together: p = {pooled['p']:.3g} ({pooled['test']})"] if pooled else []
    return "\n".join(
        [f"{results['title']}: {first} (a) against {second} (b)", *lines, *together, results["sentence"]]
    )


def row_of(listener: dict[str, Any], abx: bool) -> list[str]:
    result, share = listener["result"], listener["result"]["share"]
    counts = (
        [f"{result['hits']}/{result['trials']}"] if abx else [str(result[key]) for key in ("a", "b", "ties")]
    )
    mean = "-" if share["share"] is None else f"{share['share']:.2f}"
    return [
        listener["name"] or "-",
        *counts,
        f"{result['p']:.3g}",
        f"{mean} [{share['low']:.2f}, {share['high']:.2f}]",
    ]


def condition_of(text: str) -> dict[str, Any]:
    """``kind``, ``kind:metric``, ``kind:metric:weight``, ``kind:metric:weight:model``; a part may be empty.

    Raises ListeningTestError.
    """
    kind, metric, weight, model = (*text.split(":", 3), "", "", "")[:4]
    if kind not in KINDS:
        raise ListeningTestError(
            f"no condition {text!r}: it begins with one of {', '.join(KINDS)}, got {kind!r}."
        )
    try:
        numbers = {"weight": float(weight)} if weight else {}
    except ValueError:
        raise ListeningTestError(f"the weight in {text!r} is a number, got {weight!r}.") from None
    return {
        "kind": kind,
        **({"metric": metric} if metric else {}),
        **numbers,
        **({"model": model} if model else {}),
    }


def pairs_in(file: Path) -> list[dict[str, str]]:
    """The rows of a file of pairs. Raises ListeningTestError."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows: Sequence[dict[str, str]] = list(csv.DictReader(text))
    if not rows or not {"start", "end"} <= rows[0].keys():
        columns = ", ".join(rows[0]) if rows else "no rows"
        raise ListeningTestError(
            f"{file} needs the columns start and end and a row for each pair, got {columns}."
        )
    return [{"start": row["start"], "end": row["end"]} for row in rows]


def ask(server: str, path: str, body: object = None) -> Any:
    """A reply of the server; its token is taken from SONIFOLD_TOKEN. Raises ListeningTestError."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("SONIFOLD_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    if not server.startswith(("http://", "https://")):
        raise ListeningTestError(f"{server} is not a server's address; it begins with http:// or https://.")
    try:
        request = urllib.request.Request(server.rstrip("/") + path, data, headers)  # noqa: S310 - http only, see above
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
            return json.load(reply)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        raise ListeningTestError(f"{problem.get('detail', error.reason)}") from error
    except (urllib.error.URLError, ValueError) as error:
        raise ListeningTestError(
            f"no Sonifold answers at {server} ({error}). Start one by `sonifold serve`, or name it by --server."
        ) from error
