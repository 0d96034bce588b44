"""Finds what a request names, and asks the store for history: a time limit, one clear line when there is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog
from fastapi import HTTPException

from monitor.engine.model import CheckPolicy, Incident
from monitor.store.errors import StoreError
from monitor.store.queries import DaySeconds, Look
from monitor.web.context import History, WebContext
from monitor.web.sparkline import SLOTS
from monitor.web.uptime_bars import DAYS, UptimeBars, bars_of

ANSWER_SECONDS = 5.0
FRESH_SECONDS = 4.0
"""How old the looks behind the sparklines may be: one query serves all listeners meanwhile."""
BARS_SECONDS = 60.0
"""The same of the uptime bars: a bar stands for a day."""
KEYS_KEPT = 64

Now = Callable[[], datetime]
Key = tuple[str, ...] | None
"""Some checks; None stands for all."""
Answer = TypeVar("Answer")

_log = structlog.get_logger(__name__)


async def ask(question: Awaitable[Answer]) -> Answer:
    """Return the store's answer; raise 503 when it fails or takes longer than five seconds."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await question
    except (StoreError, OSError) as error:  # a time-out is an OSError
        _log.warning("web.history_unavailable", error=type(error).__name__)
        raise HTTPException(503, "history: the monitor's own database does not answer") from error


def find_policy(context: WebContext, check_id: str) -> CheckPolicy:
    """Return the check of the plan, or raise 404."""
    policy = context.plan.checks.get(check_id)
    if policy is None:
        raise HTTPException(404, f"check: there is none with the id {check_id!r}")
    return policy


async def find_incident(context: WebContext, incident_id: int) -> Incident:
    """Return the incident from the state, else from the store, or raise 404."""
    found = context.state().incidents.get(incident_id) or await ask(context.history.incident(incident_id))
    if found is None:
        raise HTTPException(404, f"incident: there is none with the number {incident_id}")
    return found


class Recent(Generic[Answer]):
    """One answer of the store, kept for a while; the last known one while the store is out."""

    def __init__(
        self, question: Callable[[Key], Awaitable[Answer]], nothing: Answer, keep_seconds: float, now: Now
    ) -> None:
        """`question` asks the store about some checks."""
        self._question = question
        self._nothing = nothing
        self._keep = timedelta(seconds=keep_seconds)
        self._now = now
        self._kept: dict[Key, tuple[datetime, Answer]] = {}

    async def get(self, check_ids: Key) -> Answer:
        """Return the answer about these checks."""
        now = self._now()
        asked_at, answer = self._kept.pop(check_ids, (None, self._nothing))
        self._kept[check_ids] = (now if asked_at is None else asked_at, answer)
        while len(self._kept) > KEYS_KEPT:
            del self._kept[next(iter(self._kept))]
        if asked_at is None or not timedelta(0) <= now - asked_at < self._keep:
            self._kept[check_ids] = (now, answer)  # whoever asks meanwhile need not ask the store too
            try:
                answer = await ask(self._question(check_ids))
            except HTTPException:
                return answer
            self._kept[check_ids] = (now, answer)
        return answer


class RecentHistory:
    """What the rows of the overview show of the past: looks for the sparklines, days for the bars."""

    def __init__(self, history: History, now: Now) -> None:
        async def looks(check_ids: Key) -> Mapping[str, Sequence[Look]]:
            return await history.looks(SLOTS, check_ids)

        async def days(check_ids: Key) -> Mapping[str, Sequence[DaySeconds]]:
            return await history.days(now(), DAYS, check_ids)

        async def bars(check_ids: Key) -> Mapping[str, UptimeBars]:
            at = now()
            days = await history.days(at, DAYS, check_ids)
            return {check_id: bars_of(its, at) for check_id, its in days.items()}

        self.looks = Recent[Mapping[str, Sequence[Look]]](looks, {}, FRESH_SECONDS, now)
        self.days = Recent[Mapping[str, Sequence[DaySeconds]]](days, {}, BARS_SECONDS, now)
        self.bars = Recent[Mapping[str, UptimeBars]](bars, {}, BARS_SECONDS, now)
