"""`miniapp.calls`: the calls the Mini App makes succeed, and a browser lets it make them from its own origin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urljoin, urlsplit

from pydantic import Field

from checks.base import IO, Check, Seconds
from checks.failures import told_as
from checks.http import Exchange, exchange
from checks.miniapp.login import Login, LoginConfig, carried, description_of, json_of, no_login_known, sign_in
from checks.miniapp.route import CALLS_LIMIT, calls_of
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import address, duration, path


class MiniappCallsConfig(LoginConfig):
    """Which calls to make, and where the app is."""

    kind: Literal["miniapp.calls"] = "miniapp.calls"
    interval_seconds: Seconds = 120.0
    timeout_seconds: Seconds = 10.0
    page_url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+")
    """The app's page: its origin must be allowed to call. Without it only the calls are made."""
    calls: tuple[str, ...] = Field(default=(), max_length=20)
    """GETs that change nothing, as paths or addresses. Empty: the login, and GETs under its path in /openapi.json."""
    slow_seconds: Seconds = 2.0
    """Above this for one call it is degraded."""


@dataclass(frozen=True, slots=True)
class MiniappCallsSeen:
    """The login, the calls made with it, and what a browser would ask first."""

    login: Login
    is_carried: bool = False
    """The login gave something that further calls can carry."""
    answers: tuple[Exchange, ...] = ()
    preflight: Exchange | None = None
    """None where the app and its API share an origin."""
    origin: str = ""


class MiniappCalls(Check[MiniappCallsConfig, MiniappCallsSeen]):
    """Sign in, read, and ask the API whether a browser may."""

    Config = MiniappCallsConfig

    async def measure(self, io: IO) -> MiniappCallsSeen:
        """Make each call once, after one login."""
        config = self.config
        login = await sign_in(io, config)
        if login.route is None or login.accepted is None:
            return MiniappCallsSeen(login)
        origin = _origin(config.page_url) if config.page_url else ""
        answers = []
        header = "content-type"
        for url in await self._urls(io, login):
            dressed = carried(config, login.accepted, io.now(), url)
            if dressed is None:
                return MiniappCallsSeen(login)
            target, headers = dressed
            header = next((name.lower() for name in headers if name != "cookie"), header)
            sent = {"accept": "application/json", **({"origin": origin} if origin else {}), **headers}
            answers.append(await exchange(io, "GET", target, headers=sent))
        preflight = None
        if origin and answers and _origin(answers[0].url) != origin:
            asked = {
                "origin": origin,
                "access-control-request-method": "GET",
                "access-control-request-headers": header,
            }
            preflight = await exchange(io, "OPTIONS", answers[0].url, headers=asked)
        return MiniappCallsSeen(login, True, tuple(answers), preflight, origin)

    def judge(self, seen: MiniappCallsSeen, now: datetime, before: Sequence[MiniappCallsSeen] = ()) -> Verdict:
        """Judge the calls, then what the browser may, then the time."""
        if seen.login.route is None:
            return no_login_known()
        if seen.login.accepted is None:
            return unknown(
                Reason.DEPENDENCY_DOWN, "not called: the login is not accepted", *seen.login.facts(),
                hint="See miniapp.auth.",
            )  # fmt: skip
        if not seen.is_carried:
            return unknown(
                Reason.NOT_CONFIGURED, "not called: the login gave no token and no cookie", *seen.login.facts(),
                hint="Name a GET that takes init data itself: checks.miniapp.calls.login_url in monitor.yaml.",
            )  # fmt: skip
        service = self.config.service
        facts = _facts(seen)
        values = {"latency_seconds": max((one.phases.total_seconds for one in seen.answers), default=0.0)}
        broken = next((one for one in seen.answers if one.status >= 500), None)
        if broken is not None:
            return failed(
                Reason.HTTP_STATUS, f"{path(broken.url)} {broken.status}", *facts,
                excerpt=broken.excerpt, values=values, hint=f"Render → {service} → Logs: the traceback of this route.",
            )  # fmt: skip
        blocked = _blocked(seen)
        if blocked is not None:
            return failed(
                Reason.AUTH_REJECTED, f"browsers may not call the API: {blocked}", *facts, values=values,
                hint=f"CORS: allow the origin {seen.origin}, the method and the header in {service}, and redeploy.",
            )  # fmt: skip
        refused = next((one for one in seen.answers if not one.is_success), None)
        if refused is not None:
            return degraded(
                Reason.HTTP_STATUS, f"{path(refused.url)} {refused.status} with an accepted login", *facts,
                excerpt=refused.excerpt, values=values,
                hint="The app gets this too: look at the route, or name the calls it makes in "
                "checks.miniapp.calls.calls.",
            )  # fmt: skip
        no_json = next((one for one in seen.answers if json_of(one) is None), None)
        if no_json is not None:
            return failed(
                Reason.BODY_MISMATCH, f"{path(no_json.url)} is no JSON", *facts, excerpt=no_json.excerpt, values=values,
                hint="A rewrite to the page, or another service, answers: check the API's address and its routes.",
            )  # fmt: skip
        slow = max(seen.answers, key=lambda one: one.phases.total_seconds, default=None)
        if slow is not None and slow.phases.total_seconds > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{path(slow.url)} took {duration(slow.phases.total_seconds)}", *facts, values=values,
                hint=f"Slower than {duration(self.config.slow_seconds)}: look at {service}'s database and its load.",
            )  # fmt: skip
        count = len(seen.answers)
        summary = f"{count} call{'' if count == 1 else 's'} with a login"
        return ok(f"{summary}, and browsers may" if seen.preflight else summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the calls."""
        return told_as(verdict, "Mini App's calls", {}, Fact("host", address(self.config.api_url)))

    async def _urls(self, io: IO, login: Login) -> tuple[str, ...]:
        config, route = self.config, login.route
        if config.calls:
            return tuple(urljoin(f"{config.api_url.rstrip('/')}/", call.lstrip("/")) for call in config.calls)
        own = (route.url,) if route is not None and route.method == "GET" else ()
        found = calls_of(await description_of(io, config.api_url), config.api_url, route.url) if route else ()
        return tuple(dict.fromkeys((*own, *found)))[:CALLS_LIMIT]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}"


def _blocked(seen: MiniappCallsSeen) -> str | None:
    """Return why a browser would not let the app make its call, None when it would (Fetch standard, 3.2)."""
    asked = seen.preflight
    if asked is None:
        return None
    if not asked.is_success:
        return f"preflight {asked.status}"
    for what, answer in (("the preflight", asked), *(("the answer", one) for one in seen.answers)):
        allowed = answer.headers.get("access-control-allow-origin", "").strip()
        if not allowed:
            return f"{what} has no Access-Control-Allow-Origin"
        if allowed not in ("*", seen.origin):
            return f"only {allowed} is allowed, the app is at {seen.origin}"
    names = {one.strip().lower() for one in asked.headers.get("access-control-allow-headers", "").split(",")}
    needed = _header(seen)
    # A wildcard does not stand for Authorization.
    if needed and needed not in names and ("*" not in names or needed == "authorization"):
        return f"the header {needed} is not allowed"
    return None


def _header(seen: MiniappCallsSeen) -> str:
    form = seen.login.accepted.form.split() if seen.login.accepted else []
    if form and form[0] == "header":
        return form[1].lower()
    return "authorization" if form and form[0] == "json" and not _has_cookie(seen) else ""


def _has_cookie(seen: MiniappCallsSeen) -> bool:
    return seen.login.accepted is not None and "set-cookie" in seen.login.accepted.answer.headers


def _facts(seen: MiniappCallsSeen) -> tuple[Fact, ...]:
    facts = [Fact(path(one.url), f"{one.status} in {duration(one.phases.total_seconds)}") for one in seen.answers]
    if seen.preflight is not None:
        allowed = seen.preflight.headers.get("access-control-allow-origin", "none")
        facts += [Fact("preflight", seen.preflight.status), Fact("allowed origin", allowed)]
        facts.append(Fact("app's origin", seen.origin))
    return (*seen.login.facts()[:1], *facts)
