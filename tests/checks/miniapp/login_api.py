"""An API with a Mini App login on loopback, as careless as a test wants it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from aiohttp import web

from demo.nexus.api.init_data import LoginRefusedError, check_login

TOKEN = "700000001:AAdemo-token-of-the-nexus-bot-0000000"
ORIGIN = "https://app.example.net"


@dataclass
class LoginApi:
    """GET /me and /me/tasks behind init data; POST /auth/telegram gives a token for them."""

    form: str = "header Authorization tma"
    token: str = TOKEN
    described: bool = True
    login: str = "/me"
    refusal: str | None = None
    """What a refused login is told; None: its reason."""
    takes: tuple[str, ...] = ()
    """Reasons for which a login should be refused and is not."""
    broken: tuple[str, ...] = ()
    """Reasons that end in a 500."""
    status: int | None = None
    """What every guarded call answers."""
    html: bool = False
    cors: dict[str, str] = field(
        default_factory=lambda: {
            "Access-Control-Allow-Origin": ORIGIN,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
        }
    )
    preflight: int = 200
    gives: dict[str, object] = field(default_factory=lambda: {"access_token": "session-1"})
    cookie: str = ""
    bad_call: tuple[str, int, str] = ("", 0, "")
    """Path, status and body of a call that goes wrong."""
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        if request.path == "/openapi.json":
            return self._description()
        if request.method == "OPTIONS":
            return web.Response(status=self.preflight, headers=self.cors)
        if request.path == self.bad_call[0]:
            return web.Response(status=self.bad_call[1], text=self.bad_call[2], headers=self.cors)
        if request.path not in ("/me", "/me/tasks", self.login):
            return web.json_response({"detail": "Not Found"}, status=404)
        if self.status is not None:
            return web.json_response({"detail": "so it is"}, status=self.status)
        if self.html:
            return web.Response(text="<html></html>", content_type="text/html")
        has_session = "session-1" in request.headers.get("authorization", "") + request.headers.get("cookie", "")
        return self._yes(request) if has_session and request.method == "GET" else await self._login(request)

    async def _login(self, request: web.Request) -> web.Response:
        why = self._refused(await self._given(request))
        if why is None or any(one in why for one in self.takes):
            return self._yes(request)
        status = 500 if any(one in why for one in self.broken) else 401
        return web.json_response({"detail": why if self.refusal is None else self.refusal}, status=status)

    def _yes(self, request: web.Request) -> web.Response:
        answer = web.json_response(self.gives if request.method == "POST" else {"id": 1}, headers=self.cors)
        if self.cookie and request.method == "POST":
            answer.set_cookie("sid", self.cookie)
        return answer

    async def _given(self, request: web.Request) -> str:
        way, name, *scheme = self.form.split()
        if way == "header":
            value = request.headers.get(name, "")
            prefix = f"{scheme[0]} " if scheme else ""
            return value.removeprefix(prefix) if value.startswith(prefix) else ""
        if way == "query":
            return request.query.get(name, "")
        try:
            return str(json.loads(await request.read()).get(name, ""))
        except ValueError:
            return ""

    def _refused(self, given: str) -> str | None:
        try:
            check_login(given, self.token, datetime.now(UTC))
        except LoginRefusedError as error:
            return "nothing given" if not dict(parse_qsl(given)) else str(error)
        return None

    def _description(self) -> web.Response:
        if not self.described:
            return web.json_response({"detail": "Not Found"}, status=404)
        method = "get" if self.login == "/me" else "post"
        return web.json_response({"paths": {self.login: {method: {}}, "/me/tasks": {"get": {}}}})
