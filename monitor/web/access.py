"""Who may look: bearer token or a session cookie from the login page, when a token is configured."""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import SecretStr
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "nexus_session"
SESSION_SECONDS = 12 * 3600
LOGIN_ATTEMPTS = 5
LOGIN_WINDOW_SECONDS = 60.0
_ADDRESSES_KEPT = 1000

_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login"})
_OPEN_PREFIXES = ("/static/", "/push/", "/hooks/")
"""A dead-man's switch asks for a token of its own; a webhook is signed."""
_JSON_PREFIXES = ("/api/", "/metrics", "/events", "/openapi.json")


class Access:
    """Checks the token and the sessions made from it. A changed token ends every session."""

    def __init__(self, token: SecretStr, now: Callable[[], datetime]) -> None:
        self._token = token.get_secret_value().encode()
        self._now = now
        self._attempts: dict[str, deque[datetime]] = {}

    def is_token(self, given: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(self._token).digest())

    def new_session(self) -> str:
        """Return the value of a session cookie: when it ends, and a signature."""
        ends = str(int((self._now() + timedelta(seconds=SESSION_SECONDS)).timestamp()))
        return f"{ends}.{self._sign(ends)}"

    def is_session(self, cookie: str) -> bool:
        """Say whether the cookie is ours and has not ended."""
        ends, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(ends).encode()):
            return False
        return int(ends) > self._now().timestamp()

    def may_try(self, address: str) -> bool:
        """Count one attempt to log in from `address`; False when there were too many in the last minute."""
        now = self._now()
        attempts = self._attempts.pop(address, deque())
        while attempts and now - attempts[0] > timedelta(seconds=LOGIN_WINDOW_SECONDS):
            attempts.popleft()
        self._attempts[address] = attempts
        while len(self._attempts) > _ADDRESSES_KEPT:
            del self._attempts[next(iter(self._attempts))]
        if len(attempts) >= LOGIN_ATTEMPTS:
            return False
        attempts.append(now)
        return True

    def is_allowed(self, connection: HTTPConnection) -> bool:
        """Say whether the request carries the token or a session. Metrics take the token alone."""
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(given.strip())
        return connection.url.path != "/metrics" and self.is_session(connection.cookies.get(COOKIE, ""))

    def _sign(self, ends: str) -> str:
        return hmac.new(self._token, b"nexus-session:" + ends.encode(), hashlib.sha256).hexdigest()


class Guard:
    """Middleware that turns away whoever `Access` does not know: 401 for programs, the login page for people."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path in _OPEN_PATHS or path.startswith(_OPEN_PREFIXES) or self._access.is_allowed(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif path.startswith(_JSON_PREFIXES):
            answer = JSONResponse(
                {"detail": "authorization: a bearer token is needed"}, 401, headers={"WWW-Authenticate": "Bearer"}
            )
            await answer(scope, receive, send)
        else:
            await RedirectResponse(f"/login?next={quote(path, safe='/')}", 303)(scope, receive, send)


def safe_next(target: str) -> str:
    """Return `target` where it is a path of this site, else `/`."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_own else "/"
