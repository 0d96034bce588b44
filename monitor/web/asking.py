"""Finds what a request names, and asks the store for history: a time limit, one clear line when there is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from fastapi import HTTPException

from monitor.engine.model import CheckPolicy, Incident
from monitor.store.errors import StoreError
from monitor.store.queries import Look
from monitor.web.context import History, WebContext
from monitor.web.sparkline import SLOTS

ANSWER_SECONDS = 5.0
FRESH_SECONDS = 4.0
"""How old the looks behind the sparklines may be: one query serves all listeners meanwhile."""

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


class RecentLooks:
    """The looks behind the sparklines, kept for a few seconds; the last known ones while the store is out."""

    def __init__(self, history: History, now: Callable[[], datetime]) -> None:
        self._history = history
        self._now = now
        self._asked_at: datetime | None = None
        self._looks: Mapping[str, Sequence[Look]] = {}

    async def get(self) -> Mapping[str, Sequence[Look]]:
        """Return the newest looks of every check, oldest first."""
        now = self._now()
        if self._asked_at is None or not timedelta(0) <= now - self._asked_at < timedelta(seconds=FRESH_SECONDS):
            self._asked_at = now
            try:
                self._looks = await ask(self._history.looks(SLOTS))
            except HTTPException:
                return self._looks
        return self._looks
