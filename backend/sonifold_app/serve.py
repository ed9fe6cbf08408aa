"""Run the service: ``serve(Settings())``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
import webbrowser
from urllib.parse import quote

import uvicorn

from sonifold.errors import DeviceUnavailable, SonifoldError
from sonifold_app.app import create_app
from sonifold_app.engine.build import build_engine, problem_of
from sonifold_app.http import logs
from sonifold_app.http.connections import BoundedProtocol, connection_limit
from sonifold_app.settings import Settings
from sonifold_app.store.data_folder import DataFolderUnusableError
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.objects import BlobsUnusableError


class ServeError(SonifoldError):
    """The settings do not allow it, or the address is taken; the message is a sentence for the operator."""


def serve(settings: Settings) -> None:
    """Serve until interrupted. Raises ServeError before anything is loaded if the settings forbid it."""
    require_token(settings)
    require_device(settings)
    require_engine(settings)
    listener = listen(settings)
    logs.configure(settings.log)
    engine = build_engine(settings)
    try:
        app = create_app(settings, engine)
    except (DataFolderUnusableError, DatabaseUnusableError, BlobsUnusableError) as error:
        raise ServeError(str(error)) from error
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level=logging.WARNING,
            access_log=False,  # it would write tokens
            log_config=None,  # what it says goes where the rest does
            http=protocol(connection_limit()),
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    logs.bound()
    url = url_of(settings, listener)
    print(f"Sonifold is at {url}  (Ctrl+C ends it)", flush=True)
    if settings.browser and has_browser():
        threading.Timer(0.3, webbrowser.open, [page_url(url, settings)]).start()
    with listener, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(sockets=[listener]))


def protocol(limit: int) -> type[BoundedProtocol]:
    """HTTP for so many connections."""
    return type("Protocol", (BoundedProtocol,), {"limit": limit})


def require_token(settings: Settings) -> None:
    """Raises ServeError if others could reach the server without a token."""
    if settings.token is None and not settings.loopback:
        raise ServeError(
            f"SONIFOLD_HOST={settings.host} would let others reach this server, and there is no token. Set "
            "SONIFOLD_TOKEN to a long random secret, or listen on 127.0.0.1."
        )


def require_device(settings: Settings) -> None:
    """Raises ServeError if the settings name a device that is not here. Only to ask costs the seconds torch takes."""
    if settings.device in ("auto", "cpu"):
        return
    from sonifold.device import choose

    try:
        choose(settings.device)
    except DeviceUnavailable as error:
        raise ServeError(f"SONIFOLD_DEVICE={settings.device}: {error}") from error


def require_engine(settings: Settings) -> None:
    """Raises ServeError if what computes is not installed."""
    if problem := problem_of(settings):
        raise ServeError(problem)


def listen(settings: Settings) -> socket.socket:
    """A socket that listens at the address of the settings. Raises ServeError if it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":  # there it would share the port with whoever has it
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ServeError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. Another "
            "Sonifold may "
            "be running there; use it, or set SONIFOLD_PORT to a free port (0 takes any)."
        ) from error
    listener.setblocking(False)
    return listener


def url_of(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}/"


def page_url(url: str, settings: Settings) -> str:
    return (
        url if settings.token is None else f"{url}?token={quote(settings.token.get_secret_value(), safe='')}"
    )


def has_browser() -> bool:
    """Whether a person at a desktop started this."""
    if not sys.stdin or not sys.stdin.isatty() or os.environ.get("SSH_CONNECTION") or os.environ.get("CI"):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
