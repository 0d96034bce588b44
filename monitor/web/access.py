"""Who may look, and who may act: a bearer token, or a session from the login page or the Mini App.

Without a configured token everybody may look; then only whoever sits at the monitor's own machine may act.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import SecretStr
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.web.people import People

COOKIE = "nexus_session"
SESSION_SECONDS = 12 * 3600
LOGIN_ATTEMPTS = 5
LOGIN_WINDOW_SECONDS = 60.0
_ADDRESSES_KEPT = 1000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login", "/login/telegram", "/miniapp", "/status", "/badge.svg"})
_OPEN_PREFIXES = ("/static/", "/push/", "/hooks/", "/badge/")
"""A dead-man's switch asks for a token of its own, a webhook is signed; badges and the status page show what was chosen
for everybody."""
_JSON_PREFIXES = ("/api/", "/metrics", "/events", "/openapi.json")


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    name: str
    """As written in the timeline."""
    may_act: bool
    csrf: str
    """What a form must send back."""


class Access:
    """Checks the token and the sessions made from it. A changed token ends every session."""

    def __init__(
        self, token: SecretStr | None, now: Callable[[], datetime], people: People | None = None, *, is_local: bool
    ) -> None:
        """`is_local` says that only this machine can reach us."""
        self.has_login = token is not None
        self.people = people
        self._key = secrets.token_bytes(32) if token is None else token.get_secret_value().encode()
        self._now = now
        self._is_local = is_local
        self._attempts: dict[str, deque[datetime]] = {}

    def is_token(self, given: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(self._key).digest())

    def new_session(self, user: str = "") -> str:
        """Return the value of a session cookie: when it ends, who it is, and a signature.

        `user` is a Telegram user as `people` writes it; empty for whoever has the password.
        """
        ends = int((self._now() + timedelta(seconds=SESSION_SECONDS)).timestamp())
        body = f"{ends}.{base64.urlsafe_b64encode(user.encode()).decode().rstrip('=')}"
        return f"{body}.{self._sign('session', body)}"

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

    def person_of(self, connection: HTTPConnection) -> Person | None:
        """Return who asks; None for a stranger. Metrics take the token alone."""
        if not self.has_login:
            is_here = self._is_local and (connection.url.hostname or "") in _LOOPBACK
            return Person("dashboard", is_here, self._sign("form", ""))
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Person("API", True, self._sign("form", "API")) if self.is_token(given.strip()) else None
        if connection.url.path == "/metrics":
            return None
        return self._person_of_session(connection.cookies.get(COOKIE, ""))

    def _person_of_session(self, cookie: str) -> Person | None:
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", body).encode()):
            return None
        ends, _, encoded = body.partition(".")
        if int(ends) <= self._now().timestamp():
            return None
        user = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        csrf = self._sign("form", body)
        if not user:
            return Person("dashboard", True, csrf)
        # Rights are looked up anew each time: who is taken off the list is out at once.
        rights = None if self.people is None else self.people.rights_of(user)
        return None if rights is None else Person(user, rights.may_act, csrf)

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"nexus-{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


class Guard:
    """Middleware that turns away whoever `Access` does not know: 401 for programs, the login page for people."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the routes find who asks in `request.state.person`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        person = self._access.person_of(HTTPConnection(scope))
        scope.setdefault("state", {})["person"] = person
        if person is not None or path in _OPEN_PATHS or path.startswith(_OPEN_PREFIXES):
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
