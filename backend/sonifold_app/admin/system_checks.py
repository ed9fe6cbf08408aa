"""Checks of what Sonifold runs on: the machine, Python and its libraries, the device, the port, the packs."""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import platform
import re
import shutil
import socket
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from sonifold import pack
from sonifold.errors import DeviceUnavailable
from sonifold_app.admin.finding import Finding, ok, problem, warning
from sonifold_app.engine.packs import load_pack
from sonifold_app.settings import MEBIBYTE, Settings, usable_cores
from sonifold_app.user.models import KINDS

#: What a server with one pack and a fine-tuning worker beside it take; a container is given 6 GiB.
LITTLE_MEMORY_BYTES, COMFORTABLE_MEMORY_BYTES = 1024 * MEBIBYTE, 3072 * MEBIBYTE
LITTLE_DISK_BYTES = 64 * MEBIBYTE
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
LIVEZ_SECONDS = 3.0
#: In requirements.lock: a package, and behind its hashes what needs it.
LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?P<marker> ;[^\\\n]*)?.*?# for: (?P<groups>[^\n]*)",
    re.MULTILINE | re.DOTALL,
)


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Cores, memory, and room on the disk."""
    cores = usable_cores()
    if settings.threads > cores:
        yield warning(
            f"{cores} cores, and SONIFOLD_THREADS={settings.threads}",
            f"Computations wait for each other. Set SONIFOLD_THREADS={cores}, or leave it out.",
        )
    else:
        yield ok(f"{cores} cores, {settings.threads} computations at the same time")
    yield from check_memory()
    yield from check_disk(settings)


def check_memory() -> Iterator[Finding]:
    memory = memory_bytes()
    if memory is None:
        yield ok("how much memory there is cannot be told on this system")
    elif memory < LITTLE_MEMORY_BYTES:
        yield problem(
            f"{memory / 1e9:.1f} GB of memory can be had", "Sonifold needs one. End other programs."
        )
    elif memory < COMFORTABLE_MEMORY_BYTES:
        yield warning(
            f"{memory / 1e9:.1f} GB of memory can be had",
            "Enough to explore; fine-tuning may not fit beside it. End other programs before.",
        )
    else:
        yield ok(f"{memory / 1e9:.1f} GB of memory can be had")


def memory_bytes() -> int | None:
    """What can be had of the machine's memory, or of the container's if that is less; None where it is not told."""
    limits = []
    with contextlib.suppress(OSError, ValueError, KeyError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
        limits.append(1024 * kilobytes["MemAvailable"])
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        limits.append(limit - int((group / "memory.current").read_text(encoding="ascii")))
    return min(limits, default=None)


def check_disk(settings: Settings) -> Iterator[Finding]:
    folder = existing_parent(settings.data)
    free = shutil.disk_usage(folder).free
    if free < LITTLE_DISK_BYTES:
        yield problem(
            f"{free / 1e6:.0f} MB are free on the disk of {folder}",
            "Make room on the disk, or set SONIFOLD_DATA to a folder on another one.",
        )
    elif free < settings.keep_bytes:
        yield warning(
            f"{free / 1e9:.1f} GB are free on the disk of {folder}, less than the cache may take",
            "Make room, or set SONIFOLD_KEEP_BYTES to less.",
        )
    else:
        yield ok(f"{free / 1e9:.1f} GB are free on the disk of {folder}")


def existing_parent(path: Path) -> Path:
    """A folder, or the nearest above it that is there."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def check_software(settings: Settings) -> Iterator[Finding]:
    """Python, and the libraries beside what requirements.lock pins."""
    version = platform.python_version()
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        yield ok(f"Python {version}")
    else:
        yield problem(f"Python {version}", "Sonifold needs Python 3.11, 3.12 or 3.13.")
    lock = Path(__file__).parents[3] / "requirements.lock"
    if not lock.is_file():
        yield ok("this Sonifold has no requirements.lock beside it; versions are not compared")
        return
    pins = pinned(lock)
    others = {name: installed_version(name) for name, pin in pins.items() if installed_version(name) != pin}
    missing = sorted(name for name, version in others.items() if version is None)
    if missing:
        yield problem(f"missing: {', '.join(missing)}", "Run `make install`, which installs what is pinned.")
    different = sorted(f"{name} {version}" for name, version in others.items() if version is not None)
    if different:
        yield warning(
            f"other versions than requirements.lock pins: {', '.join(different)}",
            "Run `make install`, which installs what is pinned.",
        )
    if not others:
        yield ok(f"{len(pins)} libraries, each in the version that is pinned")


def pinned(lock: Path) -> Mapping[str, str]:
    """What Sonifold needs to run on every system, with its version; PyTorch, whose builds differ, is not in it."""
    return {
        entry["name"]: entry["version"]
        for entry in LOCKED.finditer(lock.read_text(encoding="utf-8"))
        if "run" in entry["groups"].split() and entry["marker"] is None
    }


def installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_device(settings: Settings) -> Iterator[Finding]:
    """That the device of the settings is here, and computes."""
    import torch

    from sonifold.device import available, choose

    try:
        device = choose(settings.device)
        total = float(torch.arange(4.0, device=device).sum())
    except (DeviceUnavailable, RuntimeError) as error:
        yield problem(f"SONIFOLD_DEVICE={settings.device}: {error}", "Set SONIFOLD_DEVICE=cpu, or auto.")
        return
    if total != 6.0:
        yield problem(f"{device} adds up 0, 1, 2 and 3 to {total:g}", "Set SONIFOLD_DEVICE=cpu.")
    else:
        yield ok(f"PyTorch {torch.__version__} computes on {device}; here are {', '.join(available())}")


def check_port(settings: Settings) -> Iterator[Finding]:
    """That the address of the settings can be had, or a Sonifold has it."""
    address = f"{settings.host} port {settings.port}"
    if settings.token is None and not settings.loopback:
        yield problem(f"{settings.host} without a token", "Set SONIFOLD_TOKEN, or SONIFOLD_HOST=127.0.0.1.")
        return
    failure = failure_to_bind(settings.host, settings.port)
    if failure is None:
        yield ok(f"{address} can be had")
    elif failure.errno == errno.EADDRINUSE and is_sonifold(settings):
        yield ok(f"{address}: a Sonifold answers there")
    else:
        yield problem(
            f"{address} cannot be had: {failure.strerror or failure}",
            "Set SONIFOLD_PORT to a free port (0 takes any), or SONIFOLD_HOST to an address of this machine.",
        )


def failure_to_bind(host: str, port: int) -> OSError | None:
    """Why an address cannot be listened at, if so; nothing listens there meanwhile."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def is_sonifold(settings: Settings) -> bool:
    """Whether what has the port answers as a Sonifold does."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - asked, not listened on
    host = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.port}/livez", timeout=LIVEZ_SECONDS) as reply:
            return bool(reply.read(1000) == b'{"status":"alive"}')
    except (OSError, ValueError):
        return False


def check_packs(settings: Settings) -> Iterator[Finding]:
    """That every pack is whole, has the hashes that it names, and loads."""
    folder = settings.models or pack.models_folder()
    shipped = pack.packs(folder)
    if not shipped:
        yield problem(f"there are no packs in {folder}", "Set SONIFOLD_MODELS to a folder of packs.")
    users = [status for kind in KINDS for status in pack.packs(settings.data / kind)]
    for status in (*shipped, *(status for status in users if not status.name.startswith("."))):
        fault = status.problem or load_fault(status.path)
        if fault is None:
            yield ok(f"{status.name} is whole and loads")
        else:
            yield problem(fault, f"The others are served without it. It lies in {status.path}.")


def load_fault(folder: Path) -> str | None:
    """Why a pack does not load, as a sentence, if so."""
    model = load_pack(folder)
    return model if isinstance(model, str) else None
