"""What stands before every request: who may ask, how much may be sent, and what a browser may do with the
answer.

Plain ASGI, so that bodies stream through.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonifold_app.problems import Problem, upload_too_large
from sonifold_app.settings import is_loopback

COOKIE = "sonifold_token"
#: Answer without a token, for whoever supervises the server.
OPEN_PATHS = frozenset({"/livez", "/readyz"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: plotly.js writes its own style elements and inline styles; it draws on canvases and saves pictures from
#: blobs. Nothing is fetched from anywhere else.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Tells browsers what the page and its parts may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_secured)


class WeakTags:
    """Marks a tag as weak where compression stands between it and the bytes it names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                tag = headers.get("etag", "W/")
                if "content-encoding" in headers and not tag.startswith("W/"):
                    headers["etag"] = f"W/{tag}"
            await send(message)

        await self._app(scope, receive, send_tagged)


class HeadAsGet:
    """Answers HEAD wherever there is a GET: the same headers, no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


class Gate:
    """Lets in who may come in.

    With a token: whoever brings it, as ``Authorization: Bearer``, as ``?token=`` in the address, or as the
    cookie that a page opened so is given. Without one the server is on loopback, and only requests that name
    it so are answered: a page elsewhere whose name was made to resolve to this machine (DNS rebinding) gets
    nothing. Either way, what another site's page sends on a visitor's behalf changes nothing.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = Headers(scope=scope)
        problem = self._problem(scope, headers)
        if problem is not None:
            return await problem.response()(scope, receive, send)
        if self._token is not None and self._brought_in_address(scope) and not is_api(scope["path"]):
            return await self._settle(scope, receive, send)
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope, headers: Headers) -> Problem | None:
        if scope["path"] in OPEN_PATHS and scope["method"] in SAFE_METHODS:
            return None
        if self._token is None:
            host = headers.get("host", "")
            if not names_this_machine(host):
                return Problem(
                    421,
                    "host_refused",
                    "Not this server's name",
                    f"The request names the server {host[:100]!r}; without a token it answers only to "
                    "localhost and "
                    "loopback addresses. Set SONIFOLD_TOKEN to serve under another name.",
                )
        elif not self._admits(scope, headers):
            return Problem(
                401,
                "token_required",
                "A token is required",
                "This server answers only those who bring its token: open the page as /?token=…, or send "
                "'Authorization: Bearer …'. Whoever started the server knows it (SONIFOLD_TOKEN).",
                {"WWW-Authenticate": "Bearer"},
            )
        if scope["method"] not in SAFE_METHODS and is_cross_site(headers):
            return Problem(
                403,
                "origin_refused",
                "Sent by another site's page",
                f"A page at {headers.get('origin', 'another site')[:100]} sent this request. Send it from "
                "the page "
                "of this server, or from a program.",
            )
        return None

    def _admits(self, scope: Scope, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        brought = [
            bearer.strip() if scheme.lower() == "bearer" else "",
            cookie_parser(headers.get("cookie", "")).get(COOKIE, ""),
            dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", ""),
        ]
        return any([self._is_token(one) for one in brought])  # a list: all are compared, whichever fits

    def _brought_in_address(self, scope: Scope) -> bool:
        return self._is_token(dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", ""))

    def _is_token(self, brought: str) -> bool:
        assert self._token is not None
        return hmac.compare_digest(brought.encode("utf-8", "replace"), self._token.encode())

    async def _settle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Move the token from the address, where it would stay in the history, into a cookie."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        reply = RedirectResponse(
            "/" + scope["path"].lstrip("/") + (f"?{rest}" if rest else ""),
            status_code=303,
            headers={"Cache-Control": "no-store"},
        )
        reply.set_cookie(
            COOKIE,
            self._token or "",
            httponly=True,
            samesite="lax",
            secure=scope["scheme"] == "https",
            max_age=30 * 24 * 3600,
        )
        await reply(scope, receive, send)


def is_api(path: str) -> bool:
    return path.startswith("/api/")


def names_this_machine(host: str) -> bool:
    """Whether a Host header is loopback's, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin sent this request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


class BodyLimit:
    """Refuses bodies that are too large: by their announced length at once, else as soon as they have
    become so.

    ``limit_of``: the bytes that a path takes.
    """

    #: After refusing, read on for so long: a client that is cut off while it sends does not see why.
    LINGER_SECONDS = 10.0
    LINGER_BYTES = 1 << 30

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = self._limit_of(scope["path"])
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            return await self._refuse(limit, headers, receive, send)
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise upload_too_large(limit)
            return message

        await self._app(scope, receive_some, send)

    async def _refuse(self, limit: int, headers: Headers, receive: Receive, send: Send) -> None:
        reply = upload_too_large(limit).response()
        await send(
            {
                "type": "http.response.start",
                "status": 413,
                "headers": [*reply.raw_headers, (b"connection", b"close")],
            }
        )
        await send({"type": "http.response.body", "body": reply.body, "more_body": True})
        if "expect" not in headers:  # who asks first has sent nothing yet
            await self._drain(receive)
        await send({"type": "http.response.body", "body": b""})

    async def _drain(self, receive: Receive) -> None:
        drained = 0
        with anyio.move_on_after(self.LINGER_SECONDS):
            while drained < self.LINGER_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
