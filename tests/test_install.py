"""What `make` does first of all: tools/install.py, run for real on an environment that only takes notes.

The environment's Python is a shell script: it writes down each call of pip and answers as the test tells it.
What pip itself does with the same arguments is tried by every fresh `make test`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[1] / "tools" / "install.py"
NOTES = """#!/bin/sh
folder=$(dirname "$0")/..
case "$*" in
  -c*) exit 0 ;;
  *"-m compileall"*) echo "$@" > "$folder/compiled"; exit 1 ;;
  *--dry-run*) echo "$@" >> "$folder/asked"; [ -e "$folder/knows-torch" ] ;;
  *" torch"*) echo "$@" >> "$folder/calls"; [ ! -e "$folder/offline" ] && [ ! -e "$folder/no-torch" ] ;;
  *) echo "$@" >> "$folder/calls"; [ ! -e "$folder/offline" ] ;;
esac
"""


class Environment:
    def __init__(self, folder):
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").write_text(NOTES)
        (folder / "bin" / "python").chmod(0o755)
        (folder / "knows-torch").touch()

    def install(self, *arguments):
        """Run the script; the calls of pip that it made, one string each."""
        (self.folder / "calls").write_text("")
        (self.folder / "compiled").unlink(missing_ok=True)
        command = [sys.executable, str(INSTALL), "--venv", str(self.folder), *arguments]
        self.ran = subprocess.run(command, capture_output=True, text=True)
        return (self.folder / "calls").read_text().splitlines()

    @property
    def locked(self):
        return (self.folder / "requirements.lock").read_text()

    @property
    def constraints(self):
        return (self.folder / "constraints.txt").read_text()


@pytest.fixture
def environment(tmp_path):
    if sys.platform == "win32":
        pytest.skip("the note-taking Python is a shell script")
    return Environment(tmp_path / "venv")


def test_locked_packages_come_first_then_pytorch_then_the_project(environment):
    locked, torch, project = environment.install()
    assert "--no-deps --require-hashes" in locked
    assert torch.endswith("constraints.txt torch")
    assert "--no-deps --no-build-isolation --editable" in project
    assert "--extra-index-url" not in locked + torch + project


def test_packages_are_compiled_once_all_are_there_and_what_cannot_be_is_no_failure(environment):
    calls = environment.install()
    assert all(" install --no-compile " in call for call in calls)
    assert "-j 0" in (environment.folder / "compiled").read_text()
    assert environment.ran.returncode == 0
    assert environment.install() == []
    assert not (environment.folder / "compiled").exists()


def test_each_locked_package_has_hashes_and_only_groups_that_were_asked_for_are_installed(environment):
    environment.install()
    packages = re.split(r"\n(?=\S)", environment.locked)
    assert all(re.search(r"^[\w.-]+==\S+", package) and "--hash=sha256:" in package for package in packages)
    names = {package.partition("==")[0] for package in packages}
    assert {"numpy", "fastapi", "hatchling"} <= names
    assert not {"pytest", "mido", "av"} & names
    assert "torch==2.13.0 ; sys_platform != 'linux' \\\n" in environment.locked
    environment.install("m4a")
    assert {"av"} == {
        package.partition("==")[0] for package in re.split(r"\n(?=\S)", environment.locked)
    } - names


def test_the_second_time_there_is_nothing_to_do(environment):
    environment.install()
    assert environment.install() == []
    assert environment.ran.stdout == ""


def test_more_groups_install_more_and_are_kept(environment):
    environment.install()
    assert len(environment.install("dev")) == 3
    assert "\npytest==" in environment.locked
    assert "\nmido==" in environment.locked  # dev contains the group dataset
    assert environment.install() == []


def test_without_pytorch_in_the_usual_places_the_index_of_cpu_builds_is_added_for_it_alone(environment):
    (environment.folder / "knows-torch").unlink()
    locked, torch, project = environment.install()
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in torch
    assert "--extra-index-url" not in locked + project


def test_the_cpu_build_is_the_default_on_linux_and_cuda_a_choice_that_lasts(environment):
    environment.install()
    assert "torch==2.13.0+cpu ; sys_platform == 'linux'" in environment.constraints
    calls = environment.install("--torch", "cuda")
    assert calls[0].endswith("uninstall --yes torch")  # or pip would call "2.13.0" satisfied
    assert "--no-deps --require-hashes" in calls[2]
    (torch,) = re.split(r"\n(?=\S)", (environment.folder / "torch.lock").read_text())
    assert re.fullmatch(r"torch==2\.13\.0 \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", torch)
    assert "+cpu ;" not in environment.constraints
    assert "torch===2.13.0 ; sys_platform == 'linux'" in environment.constraints
    assert environment.install("dev")[2].endswith("torch")  # no uninstall: still cuda
    assert "torch===2.13.0 ; sys_platform == 'linux'" in environment.constraints


def test_a_run_that_was_cut_short_is_done_again(environment):
    (environment.folder / "offline").touch()
    assert environment.install() != []
    assert environment.ran.returncode != 0
    (environment.folder / "offline").unlink()
    assert len(environment.install()) == 3
    assert environment.ran.returncode == 0


def test_an_unreachable_pytorch_ends_in_advice(environment):
    (environment.folder / "knows-torch").unlink()
    (environment.folder / "no-torch").touch()
    environment.install()
    assert environment.ran.returncode != 0
    assert "TORCH=cuda" in environment.ran.stderr


def test_changed_inputs_install_again(environment):
    environment.install()
    stamp = environment.folder / "installed.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "inputs": "of an older checkout"}))
    assert len(environment.install()) == 3


def test_the_container_installs_dependencies_and_project_in_two_steps(environment):
    assert not any("--no-build-isolation" in call for call in environment.install("--only-dependencies"))
    *_, project = environment.install("--no-editable")
    assert "--no-deps" in project
    assert "--editable" not in project


def test_an_unknown_group_is_named_with_those_there_are(environment):
    environment.install("develop")
    assert environment.ran.returncode != 0
    assert "'develop'" in environment.ran.stderr
    assert "dataset, m4a, postgres, s3, cluster, plots, topology, dev" in environment.ran.stderr
