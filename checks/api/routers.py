"""`api.routers`: each router that the API's own OpenAPI document names answers one harmless request."""

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from checks.api.openapi import Ask, asks_in
from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import attempt, told_as
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import address, duration, listed, shortened

DOCUMENT_LIMIT_BYTES = 4_000_000
AT_ONCE = 8
"""So many routers are asked at the same time: a look is not to be a load."""
BUDGET_SHARE = 0.7
"""Of the look's limit, for the routers; the rest is for the document."""


class ApiRoutersConfig(CheckConfig):
    """Where the API is, and what it is to have."""

    kind: Literal["api.routers"] = "api.routers"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 10.0
    url: str = Field(pattern=r"^https?://[^\s/]+")
    """The API's base address."""
    openapi_path: str = Field(default="/openapi.json", pattern=r"^/\S*$")
    expected_routers: tuple[str, ...] = ()
    """Tags (or first path parts) that must be there; empty: not known, nothing is missed."""
    slow_seconds: Seconds = 2.0
    """A router above this is degraded."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One router's answer."""

    ask: Ask
    got: Exchange | Verdict

    @property
    def seconds(self) -> float | None:
        """Return how long the answer took; None without one."""
        return self.got.phases.total_seconds if isinstance(self.got, Exchange) else None

    @property
    def is_gone(self) -> bool:
        """Return whether the documented path is not there: the framework's own 404, not a handler's."""
        if not isinstance(self.got, Exchange) or self.got.status != 404 or self.ask.expect == "any":
            return False
        body = _json(self.got)
        return not isinstance(body, dict) or body.get("detail", "Not Found") == "Not Found"

    @property
    def is_bad(self) -> bool:
        """Return whether it answered with an error of its own, not at all, or is gone."""
        return isinstance(self.got, Verdict) or self.got.status >= 500 or self.is_gone

    def __str__(self) -> str:
        """Return `users (GET /users 500)`."""
        said = self.got.summary if isinstance(self.got, Verdict) else str(self.got.status)
        return f"{self.ask.router} ({self.ask.method} {shortened(self.ask.path, 60)} {said})"


@dataclass(frozen=True, slots=True)
class ApiRoutersSeen:
    """The document, and what each router answered."""

    document: Exchange
    is_openapi: bool
    asked: tuple[Asked, ...] = ()


class ApiRouters(Check[ApiRoutersConfig, ApiRoutersSeen]):
    """Read the document, then ask each router once, without credentials, and never with a write."""

    Config = ApiRoutersConfig

    async def measure(self, io: IO) -> ApiRoutersSeen:
        """Fetch the document and ask every router in it."""
        base = self.config.url.rstrip("/")
        document = await exchange(
            io,
            "GET",
            base + self.config.openapi_path,
            headers={"accept": "application/json"},
            body_limit_bytes=DOCUMENT_LIMIT_BYTES,
        )
        content = _json(document) if document.status == 200 else None
        if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
            return ApiRoutersSeen(document, is_openapi=False)
        asks = asks_in(content)
        limit_seconds = BUDGET_SHARE * io.timeout_seconds / max(1, math.ceil(len(asks) / AT_ONCE))
        turns = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            looks = [
                group.create_task(_look(io, turns, _origin(base, ask.path) + ask.path, ask, limit_seconds))
                for ask in asks
            ]
        return ApiRoutersSeen(document, True, tuple(look.result() for look in looks))

    def judge(self, seen: ApiRoutersSeen, now: datetime, before: Sequence[ApiRoutersSeen] = ()) -> Verdict:
        """Judge the document, then what is missing or broken, then the time."""
        if not seen.is_openapi:
            return self._unreadable(seen.document)
        config, total = self.config, len(seen.asked)
        facts = (Fact("host", address(config.url)), Fact("routers", total), *_facts(seen.asked))
        times = [one.seconds for one in seen.asked if one.seconds is not None]
        bad = [one for one in seen.asked if one.is_bad]
        values = {
            "routers": float(total),
            "bad_routers": float(len(bad)),
            **({"slowest_router_seconds": max(times)} if times else {}),
        }
        there = {one.ask.router for one in seen.asked}
        gone = [name for name in config.expected_routers if name not in there]
        if gone:
            return failed(
                Reason.MISSING, f"{listed(gone)} {_is(gone)} no longer in {config.openapi_path}", *facts,
                hint=f"The last deploy does not include it (an import that fails quietly?): roll back, or look at the "
                f"first lines of Render → {config.service} → Logs.",
                values=values,
            )  # fmt: skip
        if bad:
            first, fail = bad[0], "fails" if len(bad) == 1 else "fail"
            hint = f"Render → {config.service} → Logs: look for the traceback of {first.ask.method} {first.ask.path}."
            if first.is_gone:
                hint = f"It is documented and not mounted: does a proxy or a prefix stand before {first.ask.path}?"
            return failed(
                Reason.MISSING if all(one.is_gone for one in bad) else _reason(first),
                f"{len(bad)} of {total} routers {fail}: {listed([str(one) for one in bad])}",
                *facts,
                hint=hint,
                excerpt=first.got.excerpt if isinstance(first.got, Exchange) else first.got.evidence.excerpt,
                values=values,
            )  # fmt: skip
        slow = [one for one in seen.asked if (one.seconds or 0.0) > config.slow_seconds]
        if slow:
            slow.sort(key=lambda one: -(one.seconds or 0.0))
            named = [f"{one.ask.router} {duration(one.seconds or 0.0)}" for one in slow]
            return degraded(
                Reason.SLOW, f"{len(slow)} of {total} routers slow: {listed(named)}", *facts,
                hint="All are slow: CPU, or the pool of database connections." if len(slow) == total
                else f"Only this part: look at its queries and calls ({slow[0].ask.method} {slow[0].ask.path}).",
                values=values,
            )  # fmt: skip
        return ok("1 router answers" if total == 1 else f"{total} routers answer", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the document."""
        hints = {Reason.TIMEOUT: f"Render → {self.config.service} → Metrics: hung, or out of CPU?"}
        return told_as(verdict, f"GET {self.config.openapi_path}", hints, Fact("host", address(self.config.url)))

    def _unreadable(self, document: Exchange) -> Verdict:
        subject = f"GET {self.config.openapi_path}"
        facts = (Fact("host", address(self.config.url)), *document.facts())
        if document.status >= 500:
            return failed(
                Reason.HTTP_STATUS, f"{subject} {document.status}", *facts,
                hint=f"Render → {self.config.service} → Logs: a 500 here is mostly a model that cannot be described.",
                excerpt=document.excerpt,
            )  # fmt: skip
        said = f"{document.status}" if document.status != 200 else "no OpenAPI document"
        return unknown(
            Reason.NOT_CONFIGURED, f"{subject}: {said}, so the routers are not known", *facts,
            hint="Serve the document, or give its path: `checks: {api.routers: {openapi_path: /api/openapi.json}}`.",
        )  # fmt: skip


async def _look(io: IO, turns: asyncio.Semaphore, url: str, ask: Ask, limit_seconds: float) -> Asked:
    async def within() -> Exchange:
        async with asyncio.timeout(limit_seconds):
            return await exchange(io, ask.method, url, headers={"accept": "application/json"})

    async with turns:
        got = await attempt(within(), httpx.TransportError, httpx.DecodingError, timeout_seconds=limit_seconds)
    return Asked(ask, got)


def _origin(base: str, path: str) -> str:
    """Return the base address for `path`: without its own path where the document's servers repeat it."""
    own = urlsplit(base).path.rstrip("/")
    return base[: len(base) - len(own)] if own and path.startswith(f"{own}/") else base


def _json(answer: Exchange) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _reason(asked: Asked) -> Reason:
    if isinstance(asked.got, Verdict):
        return asked.got.reason or Reason.HTTP_STATUS
    return Reason.HTTP_STATUS


def _is(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _facts(asked: Sequence[Asked]) -> tuple[Fact, ...]:
    worst_first = sorted(asked, key=lambda one: (not one.is_bad, -(one.seconds or 0.0)))
    return tuple(
        Fact(
            one.ask.router,
            f"{one.ask.method} {shortened(one.ask.path, 60)} "
            + (
                one.got.summary
                if isinstance(one.got, Verdict)
                else f"{one.got.status} in {duration(one.seconds or 0.0)}"
            ),
        )
        for one in worst_first[:15]
    )
