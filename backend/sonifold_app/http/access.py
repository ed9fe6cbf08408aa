"""What stands before every request: who may ask, and what a browser may do with the answer.

Plain ASGI, so that bodies stream through.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonifold_app.http.holders import MAIN, TokenHolders
from sonifold_app.http.problems import Problem
from sonifold_app.http.sessions import SESSION_SECONDS, Guesses, Sessions, cookie_name
from sonifold_app.settings import is_loopback

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
    """Answers HEAD wherever there is a GET: the same headers, no body, and no waiting for one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        with anyio.CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body", "body": b""})
                    answering.cancel()

            await self._app({**scope, "method": "GET"}, receive, send_head)


class AccessControl:
    """Lets in who may come in.

    With a token: whoever brings it, as ``Authorization: Bearer``, as ``?token=`` in the address, or whose browser has
    the session that a page opened so is given. Without one the server is on loopback, and only requests that name
    it so are answered: a page elsewhere whose name was made to resolve to this machine (DNS rebinding) gets
    nothing. Either way, what another site's page sends on a visitor's behalf changes nothing, and computes nothing.

    Whose token it is stands in the request's state, as ``user``: an id, or None for the server's own token.
    """

    def __init__(self, app: ASGIApp, token: str | None, holders: TokenHolders | None = None) -> None:
        """``holders``: who besides the holder of ``token`` is let in."""
        self._app = app
        self._holders = None if token is None else holders or TokenHolders(token, list)
        self._sessions = None if token is None else Sessions(token)
        self._guesses = None if self._holders is None else Guesses(self._holders.holder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["path"] in OPEN_PATHS and scope["method"] in SAFE_METHODS:
            return await self._app(scope, receive, send)  # whatever token it brings was compared with none
        headers = Headers(scope=scope)
        try:
            holder = await self._check(scope, headers)
        except Problem as problem:
            return await problem.response()(scope, receive, send)
        scope.setdefault("state", {})["user"] = holder or None
        if self._sessions is not None and "token" in query_of(scope) and not is_api(scope["path"]):
            return await self._open_session(self._sessions, holder, scope, receive, send)
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope, headers: Headers) -> str:
        """Who asks. Raises a Problem where the request may not come in."""
        holder = MAIN
        if self._holders is None or self._guesses is None or self._sessions is None:
            host = headers.get("host", "")
            if not names_this_machine(host):
                raise host_refused(host)
        else:
            await self._holders.refresh()
            who = await self._holder(scope, headers, self._holders, self._sessions, self._guesses)
            if who is None:
                raise token_required()
            holder = who
        if (is_api(scope["path"]) or scope["method"] not in SAFE_METHODS) and is_cross_site(headers):
            raise origin_refused(headers.get("origin", "another site"))
        return holder

    async def _holder(
        self, scope: Scope, headers: Headers, holders: TokenHolders, sessions: Sessions, guesses: Guesses
    ) -> str | None:
        """Whose session or token a request brings; sessions cannot be guessed, and come in at once."""
        cookie = cookie_name(headers.get("host", ""), scope["scheme"])
        session = cookie_parser(headers.get("cookie", "")).get(cookie, "")
        in_address = query_of(scope).get("token")
        if in_address is None and (holder := sessions.holder_of(session, holders.bond)) is not None:
            return holder
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        tokens = [
            token for token in (bearer.strip() if scheme.lower() == "bearer" else "", in_address) if token
        ]
        client = scope.get("client")
        return await guesses.holder(client[0] if client else "", tokens) if tokens else None

    async def _open_session(
        self, sessions: Sessions, holder: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Take the token out of the address, where it would stay in the history, and give a session for it."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        reply = RedirectResponse(
            "/" + scope["path"].lstrip("/") + (f"?{rest}" if rest else ""),
            status_code=303,
            headers={"Cache-Control": "no-store"},
        )
        reply.set_cookie(
            cookie_name(Headers(scope=scope).get("host", ""), scope["scheme"]),
            sessions.new(holder, (self._holders.bond(holder) if self._holders else None) or ""),
            httponly=True,
            samesite="lax",
            secure=scope["scheme"] == "https",
            max_age=SESSION_SECONDS,
        )
        await reply(scope, receive, send)


def query_of(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1")))


def host_refused(host: str) -> Problem:
    return Problem(
        421,
        "host_refused",
        "Not this server's name",
        f"The request names the server {host[:100]!r}; without a token it answers only to localhost and loopback "
        "addresses. Set SONIFOLD_TOKEN to serve under another name.",
    )


def token_required() -> Problem:
    return Problem(
        401,
        "token_required",
        "A token is required",
        "This server answers only those who bring its token: open the page as /?token=…, or send "
        "'Authorization: Bearer …'. Whoever started the server knows it (SONIFOLD_TOKEN).",
        {"WWW-Authenticate": "Bearer"},
    )


def origin_refused(origin: str) -> Problem:
    return Problem(
        403,
        "origin_refused",
        "Sent by another site's page",
        f"A page at {origin[:100]} sent this request. Send it from the page of this server, or from a program.",
    )


def is_api(path: str) -> bool:
    return path.startswith("/api/")


def names_this_machine(host: str) -> bool:
    """Whether a Host header is loopback's, with or without a port."""
    if "@" in host:
        return False
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
