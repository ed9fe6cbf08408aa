"""Compares the pinned packages with published advisories, by pip-audit; says so where the network does not let it.

    python3 tools/audit.py

Ends with 1 where a pinned package has a known vulnerability, and with 0 where none has or nobody could be asked:
a check must not fail because a train goes through a tunnel.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_SECONDS = 60
#: What pip-audit prints, and how it ends, where it found something.
VULNERABLE = re.compile(r"^Found (\d+) known vulnerabilit", re.MULTILINE)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text(published(ROOT / "constraints.txt"), encoding="utf-8")
        options = [
            "--requirement",
            str(pins),
            "--no-deps",
            "--disable-pip",
            "--progress-spinner=off",
            "--timeout=10",
        ]
        try:
            audit = subprocess.run(
                [sys.executable, "-m", "pip_audit", *options],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            print("No answer about advisories within a minute: dependencies are not audited.")
            return 0
    return verdict(audit)


def published(constraints: Path) -> str:
    """The pins as the advisories know them: without the suffix of a local build, for this system."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    pins = [line.partition("#")[0].strip() for line in lines]
    return "".join(f"{re.sub(r'[+][a-z]+', '', pin)}\n" for pin in pins if pin)


def verdict(audit: "subprocess.CompletedProcess[str]") -> int:
    """What pip-audit found, printed; 1 for a vulnerability."""
    if audit.returncode == 0:
        print("No known vulnerabilities among the pinned packages.")
        return 0
    if VULNERABLE.search(audit.stderr):
        print(audit.stdout, audit.stderr, sep="")
        return 1
    print("The advisories could not be asked: dependencies are not audited.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
