"""The tables of docs/scale.md, each between two marks that name it; the words around them stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .assumed import Assumed
from .measured import Measured
from .runs import Answers, arrangements, beside_the_server, fleets, overload
from .sizes import GB, MONTH_HOURS, SMALL_BYTES, TB, TIMBRE_BYTES, Sizes


def reproduce(docs: Path, requests: int = 10_000) -> Path:
    """Write the tables of docs/scale.md again, from docs/scale.json; ``requests``: of each simulation.

    Raises OSError; ValueError where the page has no marks for a table.
    """
    file = docs / "scale.md"
    text = file.read_text(encoding="utf-8")
    for name, table in tables(Measured.read(docs / "scale.json"), Assumed(), requests).items():
        text = with_table(text, name, table)
    file.write_text(text, encoding="utf-8")
    return file


def with_table(text: str, name: str, table: str) -> str:
    """A page with another table of that name. Raises ValueError where it has none."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"the page has no {begin} … {end} to put the table between.")
    return marked.sub(lambda _: f"{begin}\n\n{table}\n\n{end}", text)


def tables(measured: Measured, assumed: Assumed, requests: int) -> dict[str, str]:
    """Markdown by the name of its table."""
    sizes, morph = Sizes(measured, assumed), measured.morph
    grown = fleets(morph, assumed.morphs_a_second, requests)
    replicas = next((row.replicas for row in grown if row.p95 <= 2 * morph.alone), grown[-1].replicas)
    return {
        "measured": rows_of(("what", "cost"), measured_rows(measured)),
        "assumed": rows_of(("what", "assumed"), assumed_rows(assumed)),
        "replicas": answers_table(grown),
        "arrangements": answers_table(arrangements(morph, requests)),
        "overload": answers_table(overload(morph, requests)),
        "storage": rows_of(("what", "arithmetic", "size"), storage_rows(sizes)),
        "computing": rows_of(("what", "arithmetic", "needs"), computing_rows(sizes)),
        "cost": rows_of(("what", "dollars a month"), cost_rows(sizes, replicas)),
        "server": server_table(measured, requests),
    }


def rows_of(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows))


def measured_rows(measured: Measured) -> list[tuple[str, str]]:
    morph, morphs, uploads = measured.morph, measured["morphs"], measured["uploads"]
    files, scan = measured["collection"], measured["scan"]
    recalls = ", ".join(f"{share:.1%} by {width}" for width, share in scan["recall_at_10"].items())
    return [
        ("two-click morph, both ways with their sound", f"{morph.alone:.2f} core seconds"),
        ("each morph more that is computed with it", f"{morph.mean:.2f} core seconds"),
        ("its replies, sound as WAV", f"{morphs['bytes_of_reply'] / 1e3:.0f} kB"),
        ("memory of a server of one core after these morphs", f"{morphs['memory_mb']} MB"),
        (
            f"uploaded sound of {uploads['seconds_of_sound']:.2f} s: checked, encoded, inverted, stored",
            f"{uploads['cpu_seconds_of_sound']:.2f} core seconds, {uploads['bytes_of_sound'] / 1e3:.0f} kB",
        ),
        (
            f"file of a collection of {files['seconds_of_file']:.2f} s: read, encoded, described",
            f"{files['cpu_seconds_of_file']:.3f} core seconds, {files['bytes_of_file'] / 1e3:.1f} kB beside the file",
        ),
        (
            "exact search of a million sounds by 512 floats",
            f"{scan['cpu_seconds_of_million']:.2f} core seconds",
        ),
        (
            f"the same by {SMALL_BYTES} bytes",
            f"{scan['cpu_seconds_of_million_bytes_64']:.3f} core seconds",
        ),
        (
            f"of the 10 nearest of {scan['library']} sounds, in the 100 nearest by principal components, a byte each",
            recalls,
        ),
    ]


def assumed_rows(assumed: Assumed) -> list[tuple[str, str]]:
    demand, machines = assumed.demand, assumed.machines
    return [
        ("users; active at the busiest minute", f"{demand.users:,}; {demand.active:.0%}"),
        (
            "who is active morphs, and searches all sounds, every",
            f"{demand.pause:.0f} s, {demand.searches:.0f} s",
        ),
        ("active hours of a user in a month", f"{demand.hours:.0f}"),
        ("sounds; length; new in a month", f"{demand.sounds:,}; {demand.seconds:g} s; {demand.new:.0%}"),
        ("answers from a cache", "none"),
        ("a machine", f"{machines.cores} cores as fast as the measured one, {machines.memory_gb} GB"),
        ("memory of a replica of one core", f"{machines.replica_gb:g} GB"),
        ("a stored byte takes, to be safe", f"{machines.copies:g} bytes"),
        ("share of an index that a search must look at", f"{machines.probed:.0%}"),
    ]


def storage_rows(sizes: Sizes) -> list[tuple[str, str, str]]:
    demand, machines = sizes.assumed.demand, sizes.assumed.machines
    kilobytes = sizes.measured["collection"]["bytes_of_file"] / 1e3
    of_all = f"x {demand.sounds / 1e6:.0f} million"
    return [
        (
            "sounds as FLAC, with what is stored beside",
            f"{sizes.measured.stored_bytes_a_second / 1e3:.0f} kB/s x {demand.seconds:g} s {of_all}",
            f"{sizes.audio / TB:.1f} TB; {machines.copies * sizes.audio / TB:.1f} TB safely",
        ),
        ("database, words, vectors", f"{kilobytes:.1f} kB {of_all}", f"{sizes.rows / TB:.2f} TB"),
        (
            "of these Phi, 512 floats",
            f"{TIMBRE_BYTES} B {of_all}",
            f"{TIMBRE_BYTES * demand.sounds / GB:.0f} GB",
        ),
        (
            f"index in memory, {SMALL_BYTES} bytes",
            f"{SMALL_BYTES} B {of_all}",
            f"{sizes.small / GB:.1f} GB",
        ),
    ]


def computing_rows(sizes: Sizes) -> list[tuple[str, str, str]]:
    demand, machines = sizes.assumed.demand, sizes.assumed.machines
    per_million = sizes.measured["scan"]["cpu_seconds_of_million"]
    per_file = sizes.measured["collection"]["cpu_seconds_of_file"]
    of_user = demand.sounds / demand.users
    core_hours = sizes.embedding_seconds / 3600
    return [
        (
            "taking in all sounds once, and again for each new model",
            f"{per_file:.3f} s x {demand.sounds / 1e6:.0f} million",
            f"{core_hours:,.0f} core hours: {sizes.embedding_cores:.0f} cores for {machines.embedding_days:.0f} days, "
            f"{core_hours * sizes.assumed.prices.core_hour:,.0f} dollars",
        ),
        (
            "new sounds, as uploads",
            f"{demand.sounds * demand.new / 1e6:.1f} million a month x "
            f"{sizes.measured['uploads']['cpu_seconds_of_sound']:.2f} s",
            f"{sizes.new_cores:.1f} cores all the time",
        ),
        (
            "a search of a user's own sounds, exact",
            f"{per_million:.2f} s x {of_user / 1e6:g} million",
            f"{1e3 * per_million * of_user / 1e6:.0f} ms of a core",
        ),
        (
            "a search of all, exact",
            f"{per_million:.2f} s x {demand.sounds / 1e6:.0f} million",
            f"{per_million * demand.sounds / 1e6:.0f} s of a core",
        ),
        (
            f"searches of all by {SMALL_BYTES} bytes at the busiest minute",
            f"{sizes.searches_a_second:.0f} a second, {machines.probed:.0%} looked at, busy half of the time",
            f"{sizes.search_cores:.1f} cores",
        ),
    ]


def cost_rows(sizes: Sizes, replicas: int) -> list[tuple[str, str]]:
    prices, machines = sizes.assumed.prices, sizes.assumed.machines
    core_month = MONTH_HOURS * prices.core_hour
    safely, twice = machines.copies * sizes.audio, 2 * sizes.rows
    rows = {
        f"{replicas} replicas of a core that morph": replicas * core_month,
        f"{sizes.new_cores:.1f} cores for new sounds": sizes.new_cores * core_month,
        f"{2 * sizes.search_cores:.1f} cores for searches of all, two of each": 2
        * sizes.search_cores
        * core_month,
        f"{safely / TB:.1f} TB of sounds": safely / GB * prices.stored_gb_month,
        f"{twice / TB:.2f} TB of database and vectors, two of each": twice / GB * prices.disk_gb_month,
        f"{sizes.sent_bytes / TB:.1f} TB sent to users": sizes.sent_bytes / GB * prices.sent_gb,
    }
    total = sum(rows.values())
    each = total / sizes.assumed.demand.users
    return [
        *((what, f"{dollars:,.0f}") for what, dollars in rows.items()),
        ("**together**", f"**{total:,.0f}**; {each:.2f} for each user"),
    ]


def answers_table(answers: Sequence[Answers]) -> str:
    heading = ("simulated", "replicas", "busy", "p50", "p95", "p99", "refused")
    return rows_of(
        heading,
        [
            (
                row.name, f"{row.replicas}", f"{row.busy:.0%}", f"{row.p50:.2f} s", f"{row.p95:.2f} s",
                f"{row.p99:.2f} s", f"{row.refused:.1%}",
            )
            for row in answers
        ],
    )  # fmt: skip


def server_table(measured: Measured, requests: int) -> str:
    if "arrivals" not in measured.parts:
        return "Not measured yet: it needs a quiet machine."
    heading = ("requests a minute", "p50, server", "simulated", "p95, server", "simulated")
    return rows_of(
        heading,
        [
            (
                f"{60 * rate:.0f}", f"{server.p50:.2f} s", f"{simulated.p50:.2f} s", f"{server.p95:.2f} s",
                f"{simulated.p95:.2f} s",
            )
            for rate, server, simulated in beside_the_server(measured, requests)
        ],
    )  # fmt: skip
