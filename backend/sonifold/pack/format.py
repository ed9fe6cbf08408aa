"""A pack: a folder that holds a trained model, its library and its map, each file named with its sha256.

    models/<name>/
      pack.json              format, sizes, metric constants, sha256 of every other file
      weights.safetensors    the VAE
      coefficients.safetensors  perceptual principal components
      library.csv            labels
      library.safetensors    latent points, posterior variances, timbre, map positions
      audio/<id>.ogg         the sounds
      replay.safetensors     the sounds' coefficients, rehearsed while new ones are learned
      atlas.safetensors      the magnification field
      metric.safetensors     the metric network, of a model that was trained with one
      card.json  CARD.md     measures, baselines, licences, credits

Nothing is loaded that differs from what pack.json promises.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonifold.errors import ArtifactCorrupt, PackError, PackInvalid, PackNotFound
from sonifold.files import may_pass, write_whole
from sonifold.vae.config import HamiltonianConfig, TrainingConfig, VAEConfig

FORMAT = 1
CONFIG = "pack.json"
#: The pack that is taken where none is named.
DEFAULT = "oneshots"
NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9_-])?")
#: Endings that earlier versions gave to what is not finished, and deleted.
UNFINISHED = (".part", ".gone")
#: Names of devices on Windows, with whatever ending.
DEVICES = frozenset(
    {"aux", "con", "nul", "prn"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)


class MetricConfig(BaseModel):
    """Constants of the default metric, chosen at training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(gt=0, description="Of the kernel metric, in latent units.")
    ridge: float = Field(gt=0)
    scale: float = Field(gt=0, description="Phi per latent unit: the pullback is divided by its square.")
    weight: float = Field(1.0, ge=0, description="Of the data term.")


class PackConfig(BaseModel):
    """The contents of pack.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    name: str
    title: str
    description: str
    version: str
    representation: str
    vae: VAEConfig
    training: TrainingConfig
    metric: MetricConfig
    hamiltonian: HamiltonianConfig | None = Field(
        None, description="Of a model whose metric was trained with it."
    )
    unit: str = Field(description="Name of the unit of lengths and distances.")
    unit_per_phi: float = Field(gt=0, description="Units of length in one unit of Phi.")
    level: float = Field(
        description="dB, the library's median loudest frame: how loud bare points are rendered."
    )
    coast: float = Field(description="Magnification up to which a place on the map counts as known.")
    placement_error: dict[str, float]
    family_names: tuple[str, ...]
    files: dict[str, str] = Field(description="sha256 of every other file, by path in the folder.")


@dataclass(frozen=True)
class PackStatus:
    """A folder under models/ and what is wrong with it, if anything."""

    name: str
    path: Path
    problem: str | None = None


def models_folder() -> Path:
    """The folder of packs: SONIFOLD_MODELS, the checkout's models/, or the installed package's own."""
    if named := os.environ.get("SONIFOLD_MODELS"):
        return Path(named)
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[1]
    return (checkout if (checkout / "pyproject.toml").exists() else package) / "models"


def check_name(name: str) -> None:
    """Check that a name is allowed for a pack and its folder, on any system.

    Raises:
        PackInvalid: it may not; the sentence says why.
    """
    if not NAME.fullmatch(name):
        raise PackInvalid(
            f"{name[:80]!r} cannot be the name of a pack; use up to 64 lower-case letters, digits, dots, dashes and "
            "underscores, beginning with a letter or a digit and not ending with a dot."
        )
    if name.endswith(UNFINISHED):
        raise PackInvalid(
            f"{name!r} cannot be the name of a pack: the ending marks what is not finished. Choose another."
        )
    if name.partition(".")[0] in DEVICES:
        raise PackInvalid(
            f"{name!r} cannot be the name of a pack: Windows knows a device by it. Choose another."
        )


def packs(folder: Path | None = None) -> list[PackStatus]:
    """Every folder with a pack.json, verified, the default first; a damaged one carries the sentence that says why."""
    root = folder or models_folder()
    folders = [path.parent for path in root.glob(f"*/{CONFIG}")] if root.is_dir() else []
    folders.sort(key=lambda path: (path.name != DEFAULT, path))
    return [_status(path) for path in folders]


def _status(path: Path) -> PackStatus:
    try:
        verify(path, read_config(path))
    except PackError as error:
        return PackStatus(path.name, path, str(error))
    return PackStatus(path.name, path)


def find(name_or_path: str | Path, folder: Path | None = None) -> Path:
    """The folder of a pack, by name or path.

    Raises:
        PackNotFound: there is none.
    """
    root = folder or models_folder()
    for candidate in (Path(name_or_path), root / name_or_path):
        if (candidate / CONFIG).is_file():
            return candidate
    available = sorted(p.parent.name for p in root.glob(f"*/{CONFIG}")) if root.is_dir() else []
    raise PackNotFound(
        f"no model named {str(name_or_path)!r}; {root} has {', '.join(available) or 'none'}. "
        "Put its folder there, or give the path of one."
    )


def read_config(folder: Path) -> PackConfig:
    """pack.json, validated.

    Raises:
        PackInvalid: missing, not JSON, of another format, or with a field missing.
        OSError: it cannot be read at the moment.
    """
    path = folder / CONFIG
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if may_pass(error):
            raise
        raise PackInvalid(
            f"{folder.name}: {CONFIG} cannot be read ({error}). Copy the pack again."
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        version = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise PackInvalid(
            f"{folder.name}: {CONFIG} is of format {version!r}, this version reads {FORMAT}. "
            "Update Sonifold, or train the pack again."
        )
    try:
        return PackConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise PackInvalid(
            f"{folder.name}: {CONFIG}, field {field}: {first['msg']}. Copy the pack again."
        ) from error


def verify(folder: Path, config: PackConfig) -> None:
    """Compare every file with its promised sha256.

    Raises:
        ArtifactCorrupt: a file is missing or differs.
    """
    root = folder.resolve()
    for name, promised in config.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(root):
            raise ArtifactCorrupt(f"{folder.name}: {CONFIG} names {name!r}, which lies outside the pack.")
        if not path.is_file():
            raise ArtifactCorrupt(
                f"{folder.name}: {name} is missing. The pack was copied in part; copy it again."
            )
        actual = sha256(path)
        if actual != promised:
            raise ArtifactCorrupt(
                f"{folder.name}: {name} differs from what {CONFIG} promises (sha256 {promised[:12]}…, found "
                f"{actual[:12]}…). It is damaged or was copied in part; copy the pack again."
            )


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_config(folder: Path, values: dict[str, Any]) -> PackConfig:
    """Seal a pack: hash every file in the folder and write pack.json, last and in one piece."""
    files = {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CONFIG
    }
    config = PackConfig.model_validate({"format": FORMAT, "files": files} | values)
    write_whole(folder / CONFIG, (config.model_dump_json(indent=1) + "\n").encode())
    return config
