"""Tells a dead-man's switch outside every minute that the monitor works; not when an audit finds that it does not."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
import structlog
from pydantic import SecretStr

from monitor.engine.model import Incident, IncidentStatus, Plan, Severity, State
from monitor.engine.step import incident_due_at

BEAT_SECONDS = 60.0
SAMPLE_SECONDS = 5.0
WINDOW_SECONDS = 120.0
ANSWER_SECONDS = 10.0
LOOKS_SHARE = 0.95
LOOP_LAG_SECONDS = 1.0
PAGE_AGE_SECONDS = 120.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the audit judges."""

    looks_due: int
    """Looks that fell due in the last two minutes, those too young to be over left out."""
    looks_missed: int
    """Those of them that have not run."""
    looks_expected: bool
    """Some check is due at least once in two minutes."""
    loop_lag_p99_seconds: float
    oldest_page_seconds: float
    timerless: tuple[int, ...]
    """Open incidents that nobody took and that wait for nothing."""


def audit(vitals: Vitals) -> tuple[str, ...]:
    """Return what is wrong with the monitor itself, a few words each; nothing when it works."""
    failed = []
    if not vitals.looks_due and vitals.looks_expected:
        failed.append("no look was due in the last 2 min")
    elif vitals.looks_missed > (1.0 - LOOKS_SHARE) * vitals.looks_due:
        ran = max(0, vitals.looks_due - vitals.looks_missed)
        failed.append(f"only {ran} of {vitals.looks_due} looks that were due in the last 2 min ran")
    if vitals.loop_lag_p99_seconds >= LOOP_LAG_SECONDS:
        failed.append(f"the event loop is late: {vitals.loop_lag_p99_seconds:.1f} s (p99)")
    if vitals.oldest_page_seconds > PAGE_AGE_SECONDS:
        failed.append(f"a page has been waiting for {vitals.oldest_page_seconds:.0f} s")
    if vitals.timerless:
        numbers = ", ".join(f"#INC-{number}" for number in vitals.timerless)
        failed.append(f"{numbers}: open, taken by nobody, and without a timer")
    return tuple(failed)


def oldest_page_seconds(state: State, now: datetime) -> float:
    """Return how long the oldest page that is on its way has been waiting; 0 when none is.

    Asked of the state and not of the outbox: it must be known when the database is away, too.
    """
    waiting = (
        told.queued_at
        for incident in state.incidents.values()
        for told in incident.told.values()
        if told.queued_at is not None and told.queued_key is not None and told.queued_severity is Severity.PAGE
    )
    return max((max(0.0, (now - at).total_seconds()) for at in waiting), default=0.0)


def timerless(plan: Plan, state: State) -> tuple[int, ...]:
    """Return the open incidents that nothing will ever happen to by itself."""
    if not plan.chats:
        return ()
    return tuple(
        incident.id
        for incident in state.incidents.values()
        if incident.status is IncidentStatus.OPEN
        and not _is_on_its_way(incident)
        and incident_due_at(plan, state, incident) is None
    )


def _is_on_its_way(incident: Incident) -> bool:
    return any(told.queued_key is not None for told in incident.told.values())


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    due: int
    run: int


class LooksSeen:
    """Remembers how many looks were due and ran, to say what became of those of the last two minutes."""

    def __init__(self, grace_seconds: float) -> None:
        """`grace_seconds`: so long a look may take; younger ones are not counted yet."""
        self._grace_seconds = grace_seconds
        self._samples: deque[_Sample] = deque()

    def note(self, at: float, due: int, run: int) -> None:
        """Remember the counters at `at`, monotonic seconds."""
        self._samples.append(_Sample(at, due, run))
        while self._samples[0].at < at - WINDOW_SECONDS - self._grace_seconds:
            self._samples.popleft()

    def due_and_missed(self) -> tuple[int, int]:
        """Return how many looks of the window should be over, and how many of them are not."""
        ripe = self._ripe()
        if not ripe:
            return 0, 0
        return ripe[-1].due - ripe[0].due, max(0, ripe[-1].due - self._samples[-1].run)

    def is_long_enough(self) -> bool:
        """Say whether so much time was seen that some look must have been due in it."""
        ripe = self._ripe()
        return bool(ripe) and ripe[-1].at - ripe[0].at >= WINDOW_SECONDS / 2

    def _ripe(self) -> list[_Sample]:
        return [sample for sample in self._samples if sample.at <= self._samples[-1].at - self._grace_seconds]


class Heartbeat:
    """Audits every few seconds, and beats once a minute while nothing is wrong."""

    def __init__(
        self,
        url: SecretStr | None,
        plan: Plan,
        state: Callable[[], State],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        *,
        looks: Callable[[], tuple[int, int]],
        loop_lag_p99_seconds: Callable[[], float],
        on_beat: Callable[[str], None],
        beat_seconds: float = BEAT_SECONDS,
        sample_seconds: float = SAMPLE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`looks` returns how many were due and how many ran so far; `on_beat` hears `sent`, `failed` or `withheld`."""
        self._url = url
        self._plan = plan
        self._state = state
        self._now = now
        self._monotonic = monotonic
        self._looks = looks
        self._loop_lag_p99_seconds = loop_lag_p99_seconds
        self._on_beat = on_beat
        self._beat_seconds = beat_seconds
        self._sample_seconds = sample_seconds
        self._transport = transport
        self._seen = LooksSeen(max((check.timeout_seconds for check in plan.checks.values()), default=0.0) + 10.0)
        self._has_frequent_checks = any(check.interval_seconds <= WINDOW_SECONDS / 2 for check in plan.checks.values())
        self.failed: tuple[str, ...] = ()
        """What the last audit found."""

    async def run(self) -> None:
        """Audit and beat until cancelled. The first beat comes late, so that one who starts in vain never beats."""
        beat_at = self._monotonic() + self._beat_seconds
        while True:
            self.look()
            if self._url is not None and self._monotonic() >= beat_at:
                beat_at = self._monotonic() + self._beat_seconds
                self._on_beat(await self._beat(self._url))
            await asyncio.sleep(self._sample_seconds)

    def look(self) -> None:
        """Audit once, and log what has changed."""
        self._seen.note(self._monotonic(), *self._looks())
        failed = audit(self._vitals())
        if bool(failed) != bool(self.failed):
            if failed:
                log.warning("audit.failed", failed=list(failed))
            else:
                log.info("audit.passed")
        self.failed = failed

    def _vitals(self) -> Vitals:
        due, missed = self._seen.due_and_missed()
        return Vitals(
            looks_due=due,
            looks_missed=missed,
            looks_expected=self._seen.is_long_enough() and self._has_frequent_checks,
            loop_lag_p99_seconds=self._loop_lag_p99_seconds(),
            oldest_page_seconds=oldest_page_seconds(self._state(), self._now()),
            timerless=timerless(self._plan, self._state()),
        )

    async def _beat(self, url: SecretStr) -> str:
        """Return `withheld` while the audit fails, else whether the other side took it. The address is a secret."""
        if self.failed:
            log.warning("heartbeat.withheld", failed=list(self.failed))
            return "withheld"
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                httpx.AsyncClient(transport=self._transport, timeout=ANSWER_SECONDS, trust_env=False) as client,
            ):
                answer = await client.get(url.get_secret_value(), headers={"User-Agent": "nexus-monitor"})
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            log.warning("heartbeat.failed", error=type(error).__name__)
            return "failed"
        if not answer.is_success:
            log.warning("heartbeat.failed", status=answer.status_code)
            return "failed"
        return "sent"
