"""The export folder in the file manager of who sits at the server's machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from fastapi import APIRouter, Request

from sonifold.errors import OutputError
from sonifold_app.http.access import names_this_machine
from sonifold_app.http.openapi import problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.routes.services import ServicesDep
from sonifold_app.settings import Settings

router = APIRouter(prefix="/export-folder", tags=["audio"])

#: Programs that open a folder in the desktop's file manager, by ``sys.platform``; on others the last.
OPENERS = {"darwin": "open", "win32": "explorer", "linux": "xdg-open"}
#: Variables of which one names a screen, where the opener is xdg-open.
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
#: Seconds in which an opener that cannot do it has said so; file managers may stay as long as their window.
FAILING_SECONDS = 2.0


@router.post(
    "/reveal",
    operation_id="reveal_export_folder",
    status_code=204,
    responses=problems_of(403, 503, 507),
)
def reveal_export_folder(request: Request, services: ServicesDep) -> None:
    """Show the export folder in the file manager of the server's desktop, for who sits at that machine. Which folder
    it is stands in the server's settings alone."""
    settings = services.settings
    if not is_at_the_machine(settings, request):
        raise Problem(
            403,
            "not_this_machine",
            "Only at the server's machine",
            "Folders are shown on the screen of the server's machine, to those who reach it as localhost.",
        )
    if settings.exports is None:
        raise OutputError("this server has no export folder; start it with SONIFOLD_EXPORTS set to a folder.")
    program = opener()
    if program is None:
        raise no_desktop("this machine has no desktop that opens folders")
    folder = settings.exports.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    open_folder(program, folder)


def is_at_the_machine(settings: Settings, request: Request) -> bool:
    """Whether only this machine reaches the server, and does so by its own name: a proxy passes on another."""
    return settings.loopback and names_this_machine(request.headers.get("host", ""))


def can_reveal(settings: Settings) -> bool:
    """Whether the export folder can be shown to who sits at this machine."""
    return settings.loopback and settings.exports is not None and opener() is not None


def opener() -> str | None:
    """The program that opens a folder; None where there is none, or no screen."""
    name = OPENERS.get(sys.platform, OPENERS["linux"])
    if name == OPENERS["linux"] and not any(os.environ.get(screen) for screen in SCREENS):
        return None
    return shutil.which(name)


def open_folder(program: str, folder: Path) -> None:
    """Have a program open a folder, and do not wait for its window. Raises Problem."""
    process = subprocess.Popen(
        [program, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        failed = process.wait(FAILING_SECONDS) != 0
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, daemon=True).start()  # so that it does not stay as a zombie
        return
    if failed and sys.platform != "win32":  # explorer says 1 where all is well
        raise no_desktop(f"{Path(program).name} could not open the folder")


def no_desktop(reason: str) -> Problem:
    return Problem(
        503,
        "no_desktop",
        "The folder cannot be shown",
        f"{reason[0].upper()}{reason[1:]}; copy its path instead.",
    )
