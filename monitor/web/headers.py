"""Puts the security headers on every answer, and answers HEAD as GET without its body."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors ",
    )
)
NOBODY = "'none'"
TELEGRAM_WEB = "https://web.telegram.org https://*.web.telegram.org"
"""The one client that shows a Mini App in a frame."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Outermost middleware: headers, no caching of anything but static files, HEAD."""

    def __init__(self, app: ASGIApp, *, in_telegram: bool = False) -> None:
        """`in_telegram` lets Telegram's web client show the pages in a frame."""
        self._app = app
        self._headers = {
            **_HEADERS,
            "Content-Security-Policy": CONTENT_SECURITY_POLICY + (TELEGRAM_WEB if in_telegram else NOBODY),
        }
        if not in_telegram:
            self._headers["X-Frame-Options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        # An event stream has no end, so a HEAD of it would never be answered: the router refuses it.
        is_head = scope["method"] == "HEAD" and not path.startswith("/events")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache" if path.startswith("/static/") else "no-store")
            elif message["type"] == "http.response.body" and is_head:
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if is_head else scope, receive, send_with_headers)
