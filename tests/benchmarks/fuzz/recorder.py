"""Stands before a server and counts what it answers."""

from __future__ import annotations

import heapq
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
)
#: Status that stands for none, and how long one is waited for.
NO_ANSWER, ANSWER_SECONDS = 599, 120.0


class Recorder:
    """``with Recorder(server) as recorder``: an address that passes everything on to a server and back.

    ``answers``: how many of each status. ``slowest``: the few that took longest. ``errors``: a line for each server
    error that has no reason: 503 and 507 say theirs, and a 503 when to come again.
    """

    def __init__(self, server: str, name: str) -> None:
        """``name``: of those who ask, for the progress that is printed each minute."""
        self._name, self._ends = name, threading.Event()
        self._target = urlsplit(server).netloc
        self._lock = threading.Lock()
        self.answers: Counter[int] = Counter()
        self.errors: list[str] = []
        self.slowest: list[tuple[float, str]] = []  # seconds, what was asked
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Callable[[], None]:
                """``do_GET`` and all the others."""
                if name.startswith("do_"):
                    return lambda: recorder._pass_on(self)
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                pass

        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._proxy.server_address[1]}/"

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        threading.Thread(target=self._progress, daemon=True).start()
        return self

    def __str__(self) -> str:
        with self._lock:
            statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.answers.items()))
            return f"{self._name}: {self.answers.total()} requests ({statuses}), {len(self.errors)} server errors"

    def _progress(self) -> None:
        while not self._ends.wait(60):
            print(f"  so far {self}", flush=True)

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._proxy.shutdown()
        self._proxy.server_close()

    def _pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        length = int(asked.headers.get("content-length") or 0)
        body = asked.rfile.read(length) if length else None
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in HOP_BY_HOP}
        headers["Host"] = self._target
        line = http.client.HTTPConnection(self._target, timeout=ANSWER_SECONDS)
        began = time.monotonic()
        try:
            line.request(asked.command, asked.path, body, headers)
            answer = line.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            reason = f"{type(error).__name__}: {error}, after {time.monotonic() - began:.1f} s; sent {body!r:.2000}"
            self._note(asked, NO_ANSWER, reason.encode(), None)
            asked.close_connection = True
            return
        finally:
            line.close()
        self._note(asked, answer.status, data, answer.getheader("retry-after"))
        self._time(time.monotonic() - began, f"{asked.command} {asked.path[:200]} {body!r:.400}")
        asked.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(data)))
        asked.end_headers()
        if asked.command != "HEAD":
            asked.wfile.write(data)

    def _time(self, seconds: float, question: str) -> None:
        with self._lock:
            self.slowest = heapq.nlargest(5, [*self.slowest, (seconds, question)])

    def _note(self, asked: BaseHTTPRequestHandler, status: int, data: bytes, retry_after: str | None) -> None:
        with self._lock:
            self.answers[status] += 1
            if (
                status >= 500
                and status != 507
                and not (status == 503 and (retry_after or b'"model_unusable"' in data))
            ):
                self.errors.append(f"{status} for {asked.command} {asked.path[:200]}: {data[:2000]!r}")
                print(f"  {self.errors[-1]}", flush=True)
