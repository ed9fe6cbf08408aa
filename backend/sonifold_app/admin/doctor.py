"""``sonifold doctor``: whether all is well, and what to do where it is not. It writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict

from sonifold.version import __version__
from sonifold_app.admin import data_checks, system_checks, user_checks
from sonifold_app.admin.finding import Finding, Level, problem
from sonifold_app.settings import Settings

Check = Callable[[Settings], Iterable[Finding]]

CHECKS: Mapping[str, Check] = {
    "machine": system_checks.check_machine,
    "software": system_checks.check_software,
    "device": system_checks.check_device,
    "port": system_checks.check_port,
    "folder": data_checks.check_folder,
    "database": data_checks.check_database,
    "store": data_checks.check_store,
    "users": user_checks.check_users,
    "packs": system_checks.check_packs,
}


def examine(settings: Settings, only: Iterable[str] = ()) -> Iterator[tuple[str, Finding]]:
    """Every check's findings, by its name; ``only``: of these checks."""
    for name in list(only) or CHECKS:
        try:
            for finding in CHECKS[name](settings):
                yield name, finding
        except Exception as error:
            yield name, problem(f"it could not be checked: {error}", "Please report it, with this line.")


def print_report(findings: Iterable[tuple[str, Finding]], *, as_json: bool = False) -> bool:
    """Print findings as they come, or as one JSON document; whether there was no problem."""
    listed = []
    for check, finding in findings:
        listed.append({"check": check, **asdict(finding)})
        if not as_json:
            print(f"{finding.level:8} {check:9} {finding.message}")
            if finding.advice:
                print(f"{'':18} -> {finding.advice}", flush=True)
    well = all(finding["level"] != Level.PROBLEM for finding in listed)
    if as_json:
        print(json.dumps({"version": __version__, "ok": well, "findings": listed}, indent=1))
    return well
