"""`api.health`: the API's own health endpoint, and what its JSON says about its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urljoin

from pydantic import Field

from checks.api.parts import Condition, Health, health_of
from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import told_as
from checks.http import Exchange, attempt_exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration, listed, path


class ApiHealthConfig(CheckConfig):
    """Where the health endpoint is."""

    kind: Literal["api.health"] = "api.health"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 10.0
    url: str = Field(pattern=r"^https?://[^\s/]+")
    """The whole address, e.g. `https://nexus-api.onrender.com/health`."""
    ready_url: str | None = Field(default=None, pattern=r"^(https?://[^\s/]+|/)\S*$")
    """Where it says whether it takes traffic: `/ready` at the same server, or a whole address; None: not asked."""
    slow_seconds: Seconds = 2.0
    """Above this it is degraded."""


@dataclass(frozen=True, slots=True)
class ApiHealthSeen:
    """The answer, and its body when that is JSON about health."""

    answer: Exchange
    health: Health
    ready: Exchange | Verdict | None = None
    """The readiness path's answer; None where it is not asked."""


class ApiHealth(Check[ApiHealthConfig, ApiHealthSeen]):
    """GET the health path over a fresh connection; not 2xx or a part down is failed."""

    Config = ApiHealthConfig

    async def measure(self, io: IO) -> ApiHealthSeen:
        """Ask the endpoint once."""
        answer = await exchange(io, "GET", self.config.url, headers={"accept": "application/json"})
        ready = None
        if self.config.ready_url is not None:
            ready = await attempt_exchange(io, "GET", urljoin(self.config.url, self.config.ready_url))
        return ApiHealthSeen(answer, health_of(answer.text), ready)

    def judge(self, seen: ApiHealthSeen, now: datetime, before: Sequence[ApiHealthSeen] = ()) -> Verdict:
        """Judge status, then the parts, then the time."""
        answer, health = seen.answer, seen.health
        took = answer.phases.total_seconds
        summary = f"{self._subject} {answer.status} in {duration(took)}"
        facts = (Fact("host", address(self.config.url)), *answer.facts(), *_facts(health))
        values = answer.phases.values()
        down, weak = health.parts_in(Condition.DOWN), health.parts_in(Condition.DEGRADED)
        if down:
            return failed(
                Reason.DEPENDENCY_DOWN, f"{summary}: {listed(down)} {_is(down)} down", *facts,
                hint=f"The API runs, and says that {listed(down)} is down: look at that first, "
                f"then Render → {self.config.service} → Logs.",
                excerpt=answer.excerpt, values=values,
            )  # fmt: skip
        if not answer.is_success:
            reason, hint = self._status_meaning(answer.status)
            return failed(reason, summary, *facts, hint=hint, excerpt=answer.excerpt, values=values)
        if health.own is Condition.DOWN:
            return failed(
                Reason.BODY_MISMATCH, f"{summary}, but its body says it is down", *facts,
                hint=f"Render → {self.config.service} → Logs: what does the health handler report?",
                excerpt=answer.excerpt, values=values,
            )  # fmt: skip
        lacking = self._not_ready(seen.ready)
        if lacking is not None:
            return failed(
                Reason.HTTP_STATUS, f"{summary}, but it is not ready: {lacking}", *facts,
                hint=f"It runs and takes no traffic yet: migrations, a warm-up, or a part it waits for. "
                f"Render → {self.config.service} → Logs.",
                excerpt=seen.ready.excerpt if isinstance(seen.ready, Exchange) else None, values=values,
            )  # fmt: skip
        if weak or health.own is Condition.DEGRADED:
            who = listed(weak) or "it"
            return degraded(
                Reason.DEPENDENCY_DOWN, f"{summary}: {who} {_is(weak)} degraded", *facts,
                hint=f"The API reports that {who} is degraded: see Render → {self.config.service} → Logs.",
                excerpt=answer.excerpt, values=values,
            )  # fmt: skip
        if took > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{summary}, slower than {duration(self.config.slow_seconds)}", *facts,
                hint=f"Render → {self.config.service} → Metrics: CPU, memory; then slow queries of the database.",
                values=values,
            )  # fmt: skip
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Name the request, and say where to look on Render."""
        service = self.config.service
        hints = {
            Reason.CONNECTION_REFUSED: f"Render → {service} → Events: crashed, or deploying? Does it bind $PORT?",
            Reason.TIMEOUT: f"Render → {service} → Metrics and Logs: hung, out of CPU, or waiting for the database?",
            Reason.CONNECTION_RESET: f"Render → {service} → Events: it may have crashed or restarted (out of memory?).",
            Reason.DNS_FAILURE: f"Does {address(self.config.url)} exist? Was {service} renamed or deleted on Render?",
        }
        return told_as(verdict, self._subject, hints, Fact("host", address(self.config.url)))

    def _not_ready(self, ready: Exchange | Verdict | None) -> str | None:
        """Return what keeps it from taking traffic; None when nothing does, or it is not asked."""
        subject = f"GET {path(self.config.ready_url or '')}"
        if ready is None or (isinstance(ready, Exchange) and ready.is_success):
            return None
        return f"{subject}: {ready.summary}" if isinstance(ready, Verdict) else f"{subject} {ready.status}"

    @property
    def _subject(self) -> str:
        return f"GET {path(self.config.url)}"

    def _status_meaning(self, status: int) -> tuple[Reason, str]:
        service = self.config.service
        if status in (401, 403):
            return Reason.AUTH_REJECTED, "The health path asks for a login: exempt it, or give the public path."
        if status == 429:
            return Reason.RATE_LIMITED, "A rate limit stands before the health path: exempt it."
        if status == 404:
            return Reason.HTTP_STATUS, f"No such path: is {path(self.config.url)} right, and mounted in this deploy?"
        if 300 <= status < 400:
            return Reason.HTTP_STATUS, "It redirects: configure the final address (slash at the end? https?)."
        if status in (502, 503, 504):
            return Reason.HTTP_STATUS, f"Render → {service} → Events: deploying, crashed, asleep or out of memory?"
        return Reason.HTTP_STATUS, f"Render → {service} → Logs: look for the traceback of {self._subject}."


def _is(names: tuple[str, ...]) -> str:
    return "are" if len(names) > 1 else "is"


def _facts(health: Health) -> tuple[Fact, ...]:
    return tuple(Fact(part.name, part.said) for part in health.parts)
