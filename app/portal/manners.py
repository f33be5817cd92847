"""What goes out with every answer: no script at all, no foreign content, no framing, nothing kept, nothing told to
other sites. And what comes in: not too much of it, and posts from our own pages only."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # addresses hold tokens; with "no-referrer" our own posts would name no origin
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}
BODY_MOST = 1024 * 1024
"""Bytes."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_YEAR = 31_536_000


class Manners:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, url: str) -> None:
        self._app = app
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._tls = parts.scheme == "https"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                if self._tls or scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", f"max-age={_YEAR}; includeSubDomains")
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refused(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, sent)
            return
        await self._app(scope, Limited(receive), sent)

    def _refused(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_MOST:
            return PlainTextResponse("that is more than anybody here has to say\n", 413)
        if scope["method"] in _SAFE or "authorization" in headers:  # a key is not sent along by a browser by itself
            return None
        origin = headers.get("origin")
        own = {self._origin, f"{scope['scheme']}://{headers.get('host', '')}"}
        if origin is not None and origin not in own:
            return PlainTextResponse("this was posted from another site: nothing was done\n", 403)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("this was posted from another site: nothing was done\n", 403)
        return None


class Limited:
    """Stops reading a body that does not say how long it is and goes on and on."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._taken = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > BODY_MOST:
            return {"type": "http.disconnect"}
        return message
