"""What comes after the verdict: the rollback that needs no question, and the markers."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from monitor.deploys.markers import MarkerRefusedError
from monitor.deploys.rollback import is_automatic
from monitor.deploys.rolling_back import render_errors
from monitor.deploys.world import World
from monitor.engine.deploy_record import DeployRecord

MARKER_TRIES = 3
AFTER_FAILURE_SECONDS = 60.0
THE_MONITOR = "the monitor itself"

log = structlog.get_logger()


class Aftercare:
    """Does what is left to do about a deploy that is judged."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._failures: dict[tuple[str, str], tuple[int, datetime]] = {}
        """Of a marker: how often, and not again before."""

    def is_open(self, record: DeployRecord) -> bool:
        """Say whether something is still to be done about a deploy."""
        return not record.is_judged or self._is_to_roll_back(record) or bool(self._world.markers.wanted(record))

    async def follow_up(self, record: DeployRecord) -> None:
        """Roll back first, then leave the markers. The caller holds the lock. Raises `StoreError`."""
        before, world = record, self._world
        if self._is_to_roll_back(record):
            target = await world.rolling_back.target(record)
            if isinstance(target, str):
                log.warning("rollback.not_done", deploy=record.id, why=target)
                record = replace(record, can_roll_back_to="", no_rollback=target)
            else:
                await world.rolling_back.roll_back(record, target, THE_MONITOR)
                record = world.records.get(record.id) or record
        for where in world.markers.wanted(record):
            record = await self._mark(where, record)
        if record != before or not self.is_open(record):
            await world.records.save(record, is_open=self.is_open(record))

    def _is_to_roll_back(self, record: DeployRecord) -> bool:
        return is_automatic(record, self._world.rolling_back.mode) and record.rolled_back is None

    async def _mark(self, where: str, record: DeployRecord) -> DeployRecord:
        now = self._world.now()
        failures, not_before = self._failures.get((where, record.id), (0, now))
        if now < not_before:
            return record
        try:
            await self._world.markers.leave(where, record)
        except (MarkerRefusedError, *render_errors()) as error:
            why = str(error) if isinstance(error, MarkerRefusedError) else type(error).__name__
            failures += 1
            log.warning("deploys.marker_not_left", where=where, deploy=record.id, why=why, failures=failures)
            if failures < MARKER_TRIES:
                again_at = now + timedelta(seconds=AFTER_FAILURE_SECONDS)
                self._failures[where, record.id] = (failures, again_at)
                return record
        self._failures.pop((where, record.id), None)
        return replace(record, marked=(*record.marked, where))
