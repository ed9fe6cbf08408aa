"""The promises around the code: what depends on what, what is pinned, what the README says."""

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT_TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT_TEXT)["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SCIENCE = sorted(
    file for name in ("sonifold", "sonifold_research") for file in (ROOT / "backend" / name).rglob("*.py")
)
WEB = ("fastapi", "starlette", "uvicorn", "multipart", "python_multipart", "sonifold_app")

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for name in {blocked}:
    sys.modules[name] = None  # an import of it raises ModuleNotFoundError
import sonifold
names = [module.name for module in pkgutil.walk_packages(sonifold.__path__, "sonifold.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def python(*arguments, **options):
    """Run this Python on ``arguments``, return what it printed; a failure shows what it said."""
    ran = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# What depends on what


@pytest.mark.long
def test_the_science_imports_with_no_web_framework_installed():
    imported = int(python("-c", IMPORT_EVERYTHING.format(blocked=WEB)))
    assert imported > 20


@pytest.mark.parametrize("file", SCIENCE, ids=lambda file: str(file.relative_to(ROOT / "backend")))
def test_the_science_never_names_the_service_but_in_commands_of_it(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    allowed = inner_nodes(tree, "_run_service") if file.parent.name == "cli" else set()
    named = {name for node in ast.walk(tree) if node not in allowed for name in imports(node)}
    assert not named & set(WEB)


def inner_nodes(tree, function):
    """Every node inside the functions of this name: what is imported there is imported late."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function
        for inner in ast.walk(node)
    }


def imports(node):
    """The top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.partition(".")[0]}
    return set()


# What is installed


def dependency_lines():
    """Each line of pyproject.toml that names a dependency, without the project's own groups."""
    names = "|".join(["dependencies", *PROJECT["optional-dependencies"]])
    groups = re.findall(rf"^(?:{names}) = \[\n(.*?)^\]", PYPROJECT_TEXT, re.M | re.S)
    lines = [line.strip() for group in groups for line in group.splitlines()]
    return [line for line in lines if line.startswith('"') and not line.startswith('"sonifold[')]


def test_the_dependency_lines_are_all_found():
    listed = [
        *PROJECT["dependencies"],
        *(line for group in PROJECT["optional-dependencies"].values() for line in group),
    ]
    assert len(dependency_lines()) == len([line for line in listed if not line.startswith("sonifold[")])


@pytest.mark.parametrize("line", dependency_lines())
def test_every_dependency_gives_its_reason(line):
    requirement, _, reason = line.partition("#")
    assert len(reason.split()) >= 2, f"say beside {requirement} what it is for"


def pins():
    """constraints.txt as {name: version}, for this system."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pinned if not pin.marker or pin.marker.evaluate()}


def closure(requirements, extras=frozenset()):
    """Every installed distribution these requirements bring, with theirs."""
    found = {}
    todo = [(Requirement(text), frozenset(extras)) for text in requirements]
    while todo:
        requirement, extras = todo.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in (*extras, "")
        ):
            continue
        if (seen := found.get(name)) is not None and requirement.extras <= seen:
            continue
        found[name] = (seen or frozenset()) | requirement.extras
        inner = importlib.metadata.requires(name) or []
        todo += [(Requirement(text), frozenset(requirement.extras)) for text in inner]
    return found.keys() - {"sonifold"}


def test_every_installed_dependency_is_pinned_at_the_version_the_tests_run_with():
    unsuffixed = {  # a PyTorch with CUDA has no "+cpu": everything else must agree
        name: importlib.metadata.version(name).partition("+")[0] for name in closure(["sonifold[dev]"])
    }
    pinned = pins()
    assert {name: version for name, version in unsuffixed.items() if name not in pinned} == {}
    wrong = {
        name: version
        for name, version in unsuffixed.items()
        if version != next(iter(pinned[name].specifier)).version.partition("+")[0]
    }
    assert wrong == {}


def test_no_cuda_build_of_torch_satisfies_the_pins_on_linux():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    torch = [Requirement(line) for line in lines if re.match(r"torch\W", line)]
    (on_linux,) = [pin for pin in torch if pin.marker.evaluate({"sys_platform": "linux"})]
    version = str(on_linux.specifier).removeprefix("==")
    assert on_linux.specifier.contains(version)
    assert not on_linux.specifier.contains(version.removesuffix("+cpu"))


def test_both_files_of_pins_hold_the_same_versions():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {line.removesuffix(" \\") for line in lines if re.match(r"[\w.-]+==", line)}
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert locked == {line for line in constraints if not line.startswith("#") and "+cpu" not in line}


def test_pre_commit_runs_the_formatter_that_make_check_runs():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert f"prettier@{re.search(r'^PRETTIER = (.*)$', MAKEFILE, re.M)[1]} " in hooks


# What a wheel holds


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, pack_folder):
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def files_of(folder):
    """The files under a folder of the checkout that belong to it, as git sees it."""
    return {path.removeprefix(f"{folder}/") for path in tracked() if path.startswith(f"{folder}/")}


def test_the_wheel_holds_the_page_and_every_pack(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    page = {f"sonifold_app/frontend/{file}" for file in files_of("frontend")}
    packs = {f"sonifold/models/{file}" for file in files_of("models")}
    assert "sonifold_app/frontend/index.html" in page
    assert any(name.endswith(".safetensors") for name in packs)
    assert page | packs <= names
    assert not [name for name in names if "tests" in name.split("/")]


def test_an_installed_sonifold_finds_its_packs_outside_the_checkout(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    said = python(
        "-c",
        "import json, sonifold; packs = [[p.name, str(p.path), p.problem] for p in sonifold.packs()]; "
        "print(json.dumps([sonifold.__file__, packs]))",
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(tmp_path / "site")},
    )
    file, packs = json.loads(said)
    assert Path(file).is_relative_to(tmp_path)
    assert "oneshots" in [name for name, _, _ in packs]
    assert all(Path(path).is_relative_to(tmp_path) for _, path, _ in packs)
    assert [problem for _, _, problem in packs if problem] == []


def test_the_command_of_an_installed_sonifold_answers(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    entry = (next((tmp_path / "site").glob("*.dist-info")) / "entry_points.txt").read_text()
    module, _, function = re.search(r"^sonifold = (\S+)$", entry, re.M)[1].partition(":")
    said = python(
        "-c",
        f"import sys; sys.argv[1:] = ['--help']; from {module} import {function}; sys.exit({function}())",
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(tmp_path / "site")},
    )
    assert {"serve", "morph", "embed"} <= set(re.findall(r"\w+", said))


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("SONIFOLD_")}


# What the README says


def code_spans():
    fences = re.findall(r"^```.*?\n(.*?)^```", README, re.M | re.S)
    return [*fences, *re.findall(r"`([^`\n]+)`", README)]


def make_targets():
    return set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))


def test_every_make_target_in_the_readme_exists():
    named = {name for span in code_spans() for name in re.findall(r"^ *make ([a-z-]+)", span, re.M)}
    assert {"run", "test"} <= named <= make_targets()


def test_make_help_lists_every_target_a_person_types():
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)[1].split()) - {"install", "install-dev"}
    ran = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"make ([a-z-]+)", ran.stdout)) == phony == make_targets()


def settings():
    """Every setting the service declares, and any the code or the container files name beside them."""
    from sonifold_app.settings import Settings

    texts = [MAKEFILE, *(path.read_text(encoding="utf-8") for path in (ROOT / "backend").rglob("*.py"))]
    texts += [(ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "docker-compose.yml")]
    named = {name for text in texts for name in re.findall(r"\bSONIFOLD_[A-Z][A-Z_]*[A-Z]\b", text)}
    return sorted(named | {f"SONIFOLD_{field.upper()}" for field in Settings.model_fields})


@pytest.mark.parametrize("name", settings())
def test_every_setting_is_explained_in_the_readme(name):
    assert f"`{name}`" in README


@pytest.mark.parametrize("wheel", ["soundfile", "soxr", "numpy", "scipy", "onnxruntime"])
def test_the_notice_names_wheels_that_bring_libraries_under_other_licences(wheel):
    distribution = importlib.metadata.distribution(wheel)
    licences = [file for file in distribution.files or [] if re.search("COPYING|LICENSE|Notices", file.name)]
    texts = [file.locate().read_text(encoding="utf-8", errors="replace") for file in licences]
    assert any("general public license" in text.lower() for text in texts), "then it need not be named"
    assert re.search(rf"\b{wheel}\b", (ROOT / "NOTICE").read_text(encoding="utf-8"))


@pytest.mark.long
def test_the_benchmarks_can_be_begun():
    command = [sys.executable, "-m", "pytest", "tests/benchmarks", "--collect-only", "-q"]
    begun = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert begun.returncode == 0, begun.stdout[-2000:]


def test_the_container_is_built_on_one_and_the_same_image():
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^ARG BASE=python:3\.\d+-slim@sha256:[0-9a-f]{64}$", recipe, re.M)
    assert set(re.findall(r"^FROM (\S+)", recipe, re.M)) == {"${BASE}"}
    assert re.search(r"^HEALTHCHECK (.*\\\n)*.*/readyz", recipe, re.M)
    assert re.search(r"^COPY .*\bNOTICE\b", recipe, re.M)


def test_the_changelog_begins_with_the_version_of_the_package():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)\]?", changelog, re.M)
    assert newest, "the changelog needs a heading such as '## 0.1.0'"
    assert newest[1] == PROJECT["version"] == importlib.metadata.version("sonifold")


# What must not be in the repository


def tracked():
    """The files of the repository: what git tracks, or in an unpacked source archive all there is."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]
    own = {".venv", "build", "dist", "__pycache__", ".git"}
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in paths if not own & set(path.parts)]


#: Paths of one person's machine, and hosts that packages may come from by other ways. Written in pieces, so
#: that this file does not name them.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.~-])/(?:wo" r"rk\b|root/\w|home/\w|Users/\w|tmp/\w)",
            r"\bpypi\." r"org\b",
            r"\bpython" r"hosted\.",
            r"\bregistry\.npm" r"js\.",
            r"\bdeb\.deb" r"ian\.",
        ]
    )
)


def test_no_file_names_a_machine_path_or_a_package_registry():
    found = []
    for path in tracked():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # sounds, weights, pictures
        found += [f"{path}:{text.count(chr(10), 0, m.start()) + 1}: {m[0]}" for m in FOREIGN.finditer(text)]
    assert found == []


def test_no_weights_are_pickles():
    pickles = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")
    assert [path for path in tracked() if path.endswith(pickles)] == []


def test_the_licence_is_apache_2():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", licence)
    assert "END OF TERMS AND CONDITIONS" in licence
    assert PROJECT["license"] == "Apache-2.0"


# What set-up promises


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("pyproject.toml", 'requires-python = ">=3.11,<3.14"'),
        ("Makefile", "(3, 11) <= sys.version_info[:2] <= (3, 13)"),
        ("Makefile", "python3.13 python3.12 python3.11"),
        ("tools/install.py", "SUPPORTED = ((3, 11), (3, 13))"),
        ("README.md", "3.11"),
    ],
)
def test_the_supported_pythons_are_the_same_everywhere(file, says):
    assert says in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.skipif(not os.environ.get("CI"), reason="only CI promises to have everything")
@pytest.mark.parametrize("command", ["chromium", "node", "git"])
def test_ci_leaves_nothing_out_for_want_of(command):
    assert shutil.which(command), f".ci/run installs {command}: without it tests would be skipped"
