"""A slow line between the page and the server: it passes everything on, and holds a morph's stream where it is told."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PIECE = 16_384
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class SlowLine:
    """Streams of morphs stop after ``bytes`` of them until ``go_on`` is set; then they end there where ``cut`` is."""

    def __init__(self) -> None:
        self.bytes: int | None = None
        self.cut = False
        self.go_on = threading.Event()
        self.gone = threading.Event()  # a page has left while its stream was held

    def pieces(self, reply: http.client.HTTPResponse) -> Iterator[bytes]:
        passed = 0
        while piece := reply.read1(PIECE):
            if self.bytes is not None and passed + len(piece) > self.bytes:
                yield piece[: self.bytes - passed]
                assert self.go_on.wait(60)
                if self.cut:
                    raise ConnectionAbortedError
                yield piece[self.bytes - passed :]
                self.bytes = None
            else:
                yield piece
            passed += len(piece)


@contextmanager
def slow_line(address: str) -> Iterator[tuple[str, SlowLine]]:
    """The address of a line to a server, and the line."""
    line, server = SlowLine(), urlsplit(address)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def do_DELETE(self) -> None:
            self._pass_on()

        def log_message(self, format: str, *values: object) -> None:
            pass

        def _pass_on(self) -> None:
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with closing(
                http.client.HTTPConnection(server.hostname or "", server.port, timeout=60)
            ) as onward:
                onward.request(self.command, self.path, body, dict(self.headers.items()))
                with onward.getresponse() as reply:
                    self._answer(reply)

        def _answer(self, reply: http.client.HTTPResponse) -> None:
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            streamed = self.path.endswith("/morph-streams")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for piece in line.pieces(reply) if streamed else iter(lambda: reply.read1(PIECE), b""):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
            except (ConnectionError, BrokenPipeError):
                line.gone.set()

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{proxy.server_address[1]}", line
    finally:
        line.go_on.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()
