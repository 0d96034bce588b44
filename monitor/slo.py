"""Judges the objectives every minute, from the tiles of time in the store, and hands each verdict to the line."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog

from checks.result import Result
from monitor.engine.model import Looked, State
from monitor.engine.objectives import EVERY_SECONDS, Assessment, Objective, assess, is_judged, verdict_of
from monitor.engine.spans import Span
from monitor.engine.timers import after
from monitor.store.errors import StoreError

LONGEST_RULE_SECONDS = 72 * 3600.0

log = structlog.get_logger()


class SloWatch:
    """Holds how each objective stood when it was last judged."""

    def __init__(
        self,
        objectives: Sequence[Objective],
        spans: Callable[[datetime], Awaitable[Mapping[str, Sequence[Span]]]],
        apply: Callable[[Looked], Awaitable[None]],
        state: Callable[[], State],
        now: Callable[[], datetime],
    ) -> None:
        """`spans` reads the tiles that reach beyond an instant; `state` is the engine's newest."""
        self.assessments: tuple[Assessment, ...] = ()
        self._objectives = objectives
        self._spans = spans
        self._apply = apply
        self._state = state
        self._now = now

    def take(self, objectives: Sequence[Objective]) -> None:
        """Judge these from now on."""
        self._objectives = objectives
        self.assessments = tuple(item for item in self.assessments if item.objective in objectives)

    async def run(self) -> None:
        """Judge every minute until cancelled."""
        while self._objectives:
            try:
                await self.judge()
            except StoreError as error:
                log.warning("slo.not_judged", error=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def judge(self) -> None:
        """Judge once. Raises `StoreError` when the tiles cannot be read."""
        now = self._now()
        longest = max((objective.window_seconds for objective in self._objectives), default=0.0)
        spans = await self._spans(after(now, -max(longest, LONGEST_RULE_SECONDS)))
        self.assessments = tuple(assess(objective, spans, now) for objective in self._objectives)
        for assessment in self.assessments:
            if is_judged(assessment.objective, self._state()):
                await self._apply(Looked(Result(assessment.objective.check_id, verdict_of(assessment), now, 0.0)))
