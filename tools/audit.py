"""Compares the pinned packages with published advisories, by pip-audit, where the network allows it.

    python tools/audit.py

Ends with 1 where a pinned package has a known vulnerability, and with 0 where none has or nobody could be asked, which
it says: a check must not fail because a train goes through a tunnel.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
PIP_AUDIT = "pip-audit==2.10.1"
TIMEOUT_SECONDS = 120


def main():
    report = audited(CONSTRAINTS.read_text(encoding="utf-8"))
    if report is None:
        print("The advisories could not be asked: the dependencies are not audited.")
        return 0
    print(summary(report))
    return 1 if vulnerable(report) else 0


def audited(constraints):
    """pip-audit's report on these pins, as it comes from JSON; None where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        # a local build such as "+cpu" has the advisories of its version
        pins.write_text(re.sub(r"[+]\w+", "", constraints), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "tool", "run", "--from", PIP_AUDIT, "pip-audit"]
        command += [
            "--requirement",
            str(pins),
            "--no-deps",
            "--disable-pip",
            "--format",
            "json",
            "--timeout",
            "10",
        ]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
            return json.loads(ran.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None


def vulnerable(report):
    """The packages with a known vulnerability."""
    return [package for package in report if package.get("vulns")]


def summary(report):
    """What was found, in lines: each vulnerability, then how many packages nobody knew."""
    lines = [
        f"{package['name']} {package['version']}: {problem['id']}"
        for package in vulnerable(report)
        for problem in package["vulns"]
    ]
    skipped = sum("skip_reason" in package for package in report)
    known = len(report) - skipped
    lines.append(f"{len(vulnerable(report))} of {known} audited packages have known vulnerabilities.")
    if skipped:
        lines.append(f"The advisories could not be asked about {skipped} packages: these are not audited.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
