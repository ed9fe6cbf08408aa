"""Makes the project's virtual environment, exactly as requirements.lock pins it. Needs only Python.

    python3 tools/install.py             what `make run` needs
    python3 tools/install.py dev         what `make test` and `make check` need too
    python3 tools/install.py --torch cuda            PyTorch with CUDA, on Linux

Safe to run any number of times: with nothing to do it only looks. It installs again when pyproject.toml,
the pins or the kind of PyTorch changed, or when a run before it was cut short.

Every file that is installed has the sha256 that requirements.lock names; `make lock` writes it. Without one are
PyTorch's build for the CPU, on Linux, which lies in another index, and what the build with CUDA asks for beside itself.

On Linux a plain `pip install torch` brings several gigabytes of CUDA, wanted or not. So constraints.txt asks
for the version "+cpu", which no CUDA build can satisfy. pip looks where it is set up to look; where that does
not have it, PyTorch's own index of CPU builds is added.
"""

import argparse
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK, CONSTRAINTS = ROOT / "requirements.lock", ROOT / "constraints.txt"
SUPPORTED = ((3, 11), (3, 13))
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def main():
    options = parse(sys.argv[1:])
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        sys.exit(f"Sonifold runs on Python 3.11 to 3.13, and {sys.executable} is {sys.version.split()[0]}.")
    environment = Environment(options.venv.absolute())
    before = environment.stamp()
    wanted = {
        "inputs": digest(ROOT / "pyproject.toml", LOCK, CONSTRAINTS, Path(__file__)),
        "place": str(environment.folder),
        "torch": options.torch or (before or {}).get("torch", "cpu"),
        "extras": sorted({*options.extras, *(before or {}).get("extras", [])}),
        "project": "none" if options.only_dependencies else "installed" if options.no_editable else str(ROOT),
    }
    if before == wanted:
        return
    if not environment.works():
        environment.create()
    environment.unstamp()
    install(environment, wanted, torch_before=(before or {}).get("torch"))
    environment.write_stamp(wanted)


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "extras", nargs="*", help="groups of pyproject.toml's optional dependencies, such as dev"
    )
    parser.add_argument("--torch", choices=["cpu", "cuda"], help="default: as installed before, else cpu")
    parser.add_argument(
        "--venv", type=Path, default=ROOT / ".venv", help="default: .venv beside the Makefile"
    )
    parser.add_argument("--no-editable", action="store_true", help="copy the project into the environment")
    parser.add_argument("--only-dependencies", action="store_true", help="leave the project itself out")
    return parser.parse_args(arguments)


def install(environment, wanted, torch_before):
    """The packages of the lock, PyTorch, then the project, without looking at its dependencies again."""
    import tomllib  # here, so that a Python too old to have it still gets to say so

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    check_groups(project["project"], wanted["extras"])
    locked, constraints = environment.folder / "requirements.lock", environment.folder / "constraints.txt"
    locked.write_text(locked_for({"run", *wanted["extras"]}), encoding="utf-8")
    constraints.write_text(constraints_for(wanted["torch"]), encoding="utf-8")
    print(f"Installing into {environment.folder}: a few minutes and up to 2 GB the first time.", flush=True)
    if wanted["torch"] != (torch_before or wanted["torch"]):
        # "2.13.0" is satisfied by "2.13.0+cpu": make room first
        environment.pip("uninstall", "--yes", "torch")
    environment.pip("install", "--no-deps", "--require-hashes", "--requirement", str(locked))
    if wanted["torch"] == "cuda":
        build = environment.folder / "torch.lock"
        build.write_text(torch_with_cuda(), encoding="utf-8")
        environment.pip("install", "--no-deps", "--require-hashes", "--requirement", str(build))
    install_torch(environment, ["install", "--constraint", str(constraints), "torch"])
    if wanted["project"] != "none":
        editable = [] if wanted["project"] == "installed" else ["--editable"]
        environment.pip("install", "--no-deps", "--no-build-isolation", *editable, str(ROOT))
    environment.compile()


def check_groups(project, extras):
    """End with a sentence where pyproject.toml has no such group."""
    groups = project.get("optional-dependencies", {})
    for extra in extras:
        if extra not in groups:
            sys.exit(f"pyproject.toml has no group {extra!r} of dependencies; it has {', '.join(groups)}.")


def locked_for(groups):
    """The packages of requirements.lock that one of these groups needs."""
    entries = re.findall(
        r"^[^#\s].*\n(?:    --hash.*\n)*    # for: .*\n", LOCK.read_text(encoding="utf-8"), re.M
    )
    return "".join(entry for entry in entries if groups & set(entry.rsplit("# for: ", 1)[1].split()))


def torch_with_cuda():
    """PyTorch's entry in requirements.lock, for Linux too."""
    (entry,) = re.findall(r"^torch==.*\n(?:    --hash.*\n)*", LOCK.read_text(encoding="utf-8"), re.M)
    return re.sub(r" ;.*? \\$", r" \\", entry, count=1, flags=re.M)


def constraints_for(torch):
    """constraints.txt; for CUDA with "===" in PyTorch's line, which takes the build without a suffix only."""
    text = CONSTRAINTS.read_text(encoding="utf-8")
    return (
        re.sub(r"^torch==([\d.]+)\+cpu", r"torch===\1", text, flags=re.MULTILINE) if torch == "cuda" else text
    )


def install_torch(environment, command):
    """From where pip is set up to look, if the pinned build is there; else with the index of CPU builds.

    Looked for first, because pip gives an index that cannot be reached many seconds before it does without.
    """
    if environment.pip(*command, "--dry-run", "--no-deps", quiet=True):
        environment.pip(*command)
    else:
        environment.pip(
            *command,
            "--extra-index-url",
            CPU_BUILDS,
            advice=f"Neither pip's usual places nor {CPU_BUILDS} gave the PyTorch of constraints.txt. Check "
            "the network; or take the build with CUDA, several gigabytes larger: make run TORCH=cuda.",
        )


class Environment:
    """A virtual environment in ``folder``, and the stamp that says what was installed into it."""

    def __init__(self, folder):
        self.folder = folder
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.stamp_file = folder / "installed.json"

    def works(self):
        """Whether its Python starts, is one we support, and has pip."""
        check = f"import sys, pip; sys.exit(not {SUPPORTED[0]} <= sys.version_info[:2] <= {SUPPORTED[1]})"
        try:
            return subprocess.run([str(self.python), "-c", check], capture_output=True).returncode == 0
        except OSError:
            return False

    def create(self):
        print(f"Creating {self.folder} with Python {sys.version.split()[0]}.", flush=True)
        make = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        if importable("ensurepip"):
            run(make)
        elif importable("pip"):  # Debian without python3-venv, but with python3-pip
            run([*make, "--without-pip"])
            run([sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet", "pip"])
        else:
            sys.exit(
                f"{sys.executable} can make no virtual environment: it has neither ensurepip nor pip. "
                "On Debian and Ubuntu: sudo apt-get install python3-venv. Then run the same command again."
            )

    def pip(self, *arguments, quiet=False, advice=""):
        """Run its pip. A failure ends the program, in pip's words and ours; if ``quiet``, it is False."""
        manner = [] if sys.stdout.isatty() else ["--quiet"]  # a progress bar for a person, no log for a log
        if arguments[0] == "install":
            arguments = ["install", "--no-compile", *arguments[1:]]  # see compile()
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", *manner, *arguments]
        if quiet:
            return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
        run(command, advice)
        return True

    def compile(self):
        """Compile what was installed, on all cores: pip takes one, for most of the time that it needs in all.

        A file that is not valid Python, as some packages carry among their data, is no failure; nor is one that stays
        uncompiled, as their tests do: Python compiles it when it is imported.
        """
        packages = self.folder / ("Lib" if os.name == "nt" else "lib")
        tests = r"site-packages.*[/\\]tests?[/\\]"
        compiler = [str(self.python), "-W", "ignore", "-m", "compileall"]
        subprocess.run([*compiler, "-qq", "-j", "0", "-x", tests, str(packages)], stdin=subprocess.DEVNULL)

    def stamp(self):
        """What was installed, or None where the last run did not come to its end."""
        try:
            return json.loads(self.stamp_file.read_text(encoding="utf-8")) if self.python.exists() else None
        except (OSError, ValueError):
            return None

    def write_stamp(self, wanted):
        self.stamp_file.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")

    def unstamp(self):
        self.stamp_file.unlink(missing_ok=True)


def importable(module):
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def run(command, advice=""):
    code = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    if code:
        sys.exit(advice or f"This failed with code {code}, for the reason above: {' '.join(command)}")


def digest(*files):
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    main()
