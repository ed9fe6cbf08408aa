"""Everything the API takes, and much that it does not, against a real server: no answer may be a server error.

python tests/benchmarks/fuzz                            20,000 cases of schemathesis, 5,000 of our own
python tests/benchmarks/fuzz --schemathesis 2000 --own 500 --seed 3 --seconds 800     a part of them

schemathesis is installed into build/fuzz, in an environment of its own. Prints errors as they come, and the answers
by status; exits with 1 where one is a server error without a reason (503 with Retry-After has one), or the server has
ended.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "load"))

from own import fuzz  # noqa: E402
from recorder import Recorder  # noqa: E402
from server import ROOT, Server  # noqa: E402

ENVIRONMENT = ROOT / "build" / "fuzz" / "schemathesis"
VERSION = "schemathesis==4.32.5"
CASES_AN_EXAMPLE = 100


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schemathesis", type=int, default=20_000, metavar="N", help="cases at least")
    parser.add_argument("--own", type=int, default=5_000, metavar="N", help="requests of our own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=math.inf, help="send nothing new after so long")
    options = parser.parse_args()
    until = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server:
        errors: list[str] = []
        for who, send, count in (
            ("our own", own_questions, options.own),
            ("schemathesis", stateful, options.schemathesis),
        ):
            if not count:
                continue
            with Recorder(server.url, who) as recorder:
                try:
                    send(recorder, count, options.seed, until)
                except KeyboardInterrupt:
                    print(f"{who}: interrupted before all were sent")
                print(recorder, flush=True)
                for seconds, question in recorder.slowest:
                    print(f"  {seconds:.1f} s for {question}")
                errors += recorder.errors
        ended = server.process.poll() is not None
    print(f"{len(errors)} server errors" + (", and the server has ended" if ended else ""))
    return 1 if errors or ended else 0


def served(folder: Path) -> Server:
    """A server that answers all that it can answer: metrics and exports into a folder too."""
    return Server(ROOT, folder / "data", SONIFOLD_METRICS="true", SONIFOLD_EXPORTS=str(folder / "exports"))


def own_questions(recorder: Recorder, count: int, seed: int, until: float) -> None:
    fuzz(recorder.url, count, seed, until)


def stateful(recorder: Recorder, cases: int, seed: int, until: float) -> None:
    """Runs of schemathesis until so many cases were sent, or until a time of the monotonic clock."""
    program = installed()
    while (sent := recorder.answers.total()) < cases and time.monotonic() < until:
        command = [
            *(program, "run", f"{recorder.url}api/v1/openapi.json", "--url", recorder.url),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "not_a_server_error"),
            *("--max-examples", str(CASES_AN_EXAMPLE), "--seed", str(seed), "--no-color"),
            *("--exclude-operation-id", "watch_job", "--continue-on-failure", "--request-timeout", "60"),
        ]
        left = None if until == math.inf else max(1.0, until - time.monotonic())
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command, env=plain_environment(), cwd=ENVIRONMENT, stdout=subprocess.DEVNULL, timeout=left
            )
        seed += 1
        if recorder.answers.total() == sent:
            raise SystemExit("schemathesis sent nothing; run it by hand to see why")


def installed() -> str:
    """The program, in an environment of its own, made first if need be."""
    program = ENVIRONMENT / ("Scripts/st.exe" if os.name == "nt" else "bin/st")
    if not program.exists():
        print(f"installing {VERSION} into {ENVIRONMENT.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [str(program.with_name("pip")), "install", "--quiet", "--disable-pip-version-check", VERSION]
        subprocess.run(pip, check=True, env=plain_environment())
    return str(program)


def plain_environment() -> dict[str, str]:
    """Without what would let another environment's packages in."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


if __name__ == "__main__":
    sys.exit(main())
