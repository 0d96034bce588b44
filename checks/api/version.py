"""`api.version`: the services run one commit, except for the minutes of a deploy."""

import json
import re
from asyncio import TaskGroup
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Severity
from checks.failures import attempt
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.wording import address, duration, listed, shortened

PATHS = ("/version", "/health")
"""Tried in this order where an address has no path."""

_KEY = re.compile(r"(?i)(render_)?(git_?)?(commit|sha|revision)(_?(sha|hash|id))?")
_COMMIT = re.compile(r"(?i)[0-9a-f]{7,64}")
SHOWN = 12
SAME = 7
"""A short commit and a long one are the same when so many characters are."""

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]


class ApiVersionConfig(CheckConfig):
    """Who is asked."""

    kind: Literal["api.version"] = "api.version"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    severity: Severity = "warning"
    urls: Mapping[str, Url] = Field(min_length=1)
    """Service name → its address; without a path, `/version` and `/health` are tried."""
    drift_seconds: Seconds = 600.0
    """Different commits for longer than this are degraded: a deploy takes minutes."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one service said."""

    service: str
    commit: str | None
    path: str = ""
    """Where it said it."""
    why: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class ApiVersionSeen:
    """What each said, in the configured order."""

    at: datetime
    told: tuple[Told, ...]

    @property
    def is_drifted(self) -> bool:
        """Return whether two of them run different commits."""
        return len({one.commit[:SAME].lower() for one in self.told if one.commit}) > 1


class ApiVersion(Check[ApiVersionConfig, ApiVersionSeen]):
    """Ask each service for its commit."""

    Config = ApiVersionConfig
    remembers = 128

    async def measure(self, io: IO) -> ApiVersionSeen:
        """Ask all at once."""
        async with TaskGroup() as group:
            asking = [group.create_task(_told(io, name, url)) for name, url in self.config.urls.items()]
        return ApiVersionSeen(io.now(), tuple(one.result() for one in asking))

    def judge(self, seen: ApiVersionSeen, now: datetime, before: Sequence[ApiVersionSeen] = ()) -> Verdict:
        """Judge how long they have differed."""
        facts = tuple(
            Fact(one.service, f"{one.commit[:SHOWN]} at {one.path}" if one.commit else one.why) for one in seen.told
        )
        known = [one for one in seen.told if one.commit]
        if not known:
            return unknown(
                Reason.NOT_CONFIGURED, "no service tells its commit", *facts,
                hint='Answer GET /version with {"commit": os.environ["RENDER_GIT_COMMIT"]}, or give the addresses: '
                "`checks: {api.version: {urls: {nexus-api: https://…/version}}}`.",
            )  # fmt: skip
        if not seen.is_drifted:
            commit = (known[0].commit or "")[:SAME]
            who = known[0].service if len(known) == 1 else f"{len(known)} services"
            return ok(f"{who} at commit {commit}", *facts)
        lasts = (now - _since(seen, before)).total_seconds()
        said = ", ".join(f"{one.service} {(one.commit or '')[:SAME]}" for one in known)
        values = {"drift_seconds": max(0.0, lasts)}
        if lasts <= self.config.drift_seconds:
            return ok(f"a deploy is under way: {shortened(said, 100)}", *facts, values=values)
        return degraded(
            Reason.VERSION, f"different commits for {duration(lasts)}: {shortened(said, 100)}", *facts,
            hint=f"Render → Events of {listed([one.service for one in known])}: did one deploy fail, or is its "
            "auto-deploy off? Deploy the newest commit there.",
            values=values,
        )  # fmt: skip


def _since(seen: ApiVersionSeen, before: Sequence[ApiVersionSeen]) -> datetime:
    """Return when the present drift began, as far as it is remembered. A look that one did not answer ends nothing."""
    since = seen.at
    for earlier in reversed(before):
        if not earlier.is_drifted and all(one.commit for one in earlier.told):
            break
        if earlier.is_drifted:
            since = earlier.at
    return since


async def _told(io: IO, service: str, url: str) -> Told:
    own = urlsplit(url).path.rstrip("/")
    whys = []
    for path in (own,) if own else PATHS:
        asked = url if own else url.rstrip("/") + path
        got = await attempt(
            exchange(io, "GET", asked, headers={"accept": "application/json"}),
            httpx.TransportError,
            httpx.DecodingError,
            timeout_seconds=io.timeout_seconds,
        )
        commit = commit_in(got) if isinstance(got, Exchange) else None
        if commit:
            return Told(service, commit, path)
        if isinstance(got, Verdict):
            return Told(service, None, path, f"{address(url)}: {got.summary}")
        whys.append(f"{path} {got.status}")
    return Told(service, None, "", f"no commit in {', '.join(whys)}")


def commit_in(answer: Exchange) -> str | None:
    """Return the commit in a JSON body (at its top or one object deeper) or in a plain text of nothing else."""
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = answer.text
    if isinstance(body, str | int):
        text = str(body).strip()
        return text if _COMMIT.fullmatch(text) and answer.is_success else None
    return next((found for one in (body, *_values(body)) if (found := _commit(one))), None)


def _commit(body: Any) -> str | None:
    for key, value in body.items() if isinstance(body, dict) else ():
        if _KEY.fullmatch(str(key)) and isinstance(value, str) and _COMMIT.fullmatch(value):
            return value
    return None


def _values(body: Any) -> list[Any]:
    return list(body.values()) if isinstance(body, dict) else []
