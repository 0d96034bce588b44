"""Follows every deploy from its first word to its verdict. What it knows is written down: a restart goes on with it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from checks.redaction import redact
from monitor.delivery.notes import note_text
from monitor.deploys.aftercare import Aftercare
from monitor.deploys.course import early_verdict, move, window_events
from monitor.deploys.hearing import Hearing
from monitor.deploys.message import verdict_message
from monitor.deploys.render import Found
from monitor.deploys.rollback import is_automatic
from monitor.deploys.rolling_back import render_errors
from monitor.deploys.sightings import (
    is_history,
    is_told_already,
    record_of,
    record_of_version,
    schema_of,
    seen_again,
)
from monitor.deploys.verdict import judged
from monitor.deploys.world import World
from monitor.engine.deploy_record import DeployRecord, DeployVerdict
from monitor.store.deploy_rows import Note
from monitor.store.errors import LeadershipLostError

STEP_SECONDS = 1.0

log = structlog.get_logger()


class DeployWatch:
    """Only the leader follows deploys."""

    def __init__(self, world: World, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._world = world
        self._records = world.records
        self._sleep = sleep
        self._hearing = Hearing(world)
        self._aftercare = Aftercare(world)

    async def run(self) -> None:
        """Follow until cancelled. Raises `LeadershipLostError`, in a group, when another instance has taken over."""
        await self._again_and_again(self.begin, is_once=True)
        async with asyncio.TaskGroup() as group:
            # Apart: whoever waits for Render keeps no verdict waiting.
            group.create_task(self._again_and_again(self.hear), name="deploys heard of")
            group.create_task(self._again_and_again(self.advance), name="deploys followed")

    async def begin(self) -> None:
        """Take up what was known. Raises `StoreError`."""
        await self._records.begin()
        live = {record.service: record for record in self._records.all() if record.live_at is not None}
        self._hearing.begin({name: record.commit for name, record in live.items() if record.commit})
        for record in live.values():
            assert record.live_at is not None
            self._world.counts.deploy_live(record.service, record.live_at)
        for record in self._records.open():
            if record.ran_at is not None and record.ran_seconds is None:
                self._probe(record)  # who asked for these looks is gone

    async def hear(self) -> None:
        """Hear what is new, if it is time to ask. Raises `StoreError`."""
        heard = await self._hearing.listen()
        async with self._records.lock:
            for found in heard.found:
                await self._saw(found)
            for delivery_id in heard.deliveries:
                await self._records.rows.finish_hook(delivery_id)
            for version in self._hearing.versions():
                await self._keep(self._with_schema(record_of_version(version, self._world.now())), before=None)

    async def advance(self) -> None:
        """Do what is due about each deploy. Raises `StoreError`."""
        async with self._records.lock:
            for record in self._records.open():
                await (self._aftercare.follow_up(record) if record.is_judged else self._advance(record))

    async def _saw(self, found: Found) -> None:
        now, service, deploy = self._world.now(), found.service, found.deploy
        known = self._records.get(deploy.id)
        if known is not None:
            seen = seen_again(known, deploy, now)
            if seen != known:
                await self._keep(seen, before=known)
            return
        if is_history(deploy, now) or is_told_already(deploy, service.name, self._records.all(), now):
            return
        record = self._with_schema(record_of(deploy, service, now))
        await self._keep(seen_again(record, deploy, now), before=None)

    async def _keep(self, record: DeployRecord, *, before: DeployRecord | None) -> None:
        await self._records.save(record, is_open=self._aftercare.is_open(record))
        if before is None:
            log.info("deploy.seen", deploy=record.id, service=record.service, commit=record.short, status=record.status)
        if record.live_at is not None and (before is None or before.live_at is None):
            log.info("deploy.live", deploy=record.id, service=record.service, commit=record.short)
            self._world.counts.deploy_live(record.service, record.live_at)
            self._world.on_live()

    async def _advance(self, record: DeployRecord) -> None:
        world, now = self._world, self._world.now()
        events = window_events(record, world.line.state, now)
        if events:
            await world.line.apply(*events)
        newer = self._records.after(record)
        moved = move(record, world.line.state, world.plan.rules, self._limits(record), now, newer)
        if moved.record != record:
            await self._records.save(moved.record, is_open=True)
        if moved.probe:
            self._probe(record)
        if moved.is_due:
            await self._judge(moved.record, newer)

    async def _judge(self, record: DeployRecord, newer: Sequence[DeployRecord]) -> None:
        world, now = self._world, self._world.now()
        early = early_verdict(record, newer)
        if early is None:
            record = judged(record, world.line.state, world.plan, self._limits(record), now)
            record = replace(record, schema_after=schema_of(world.line.state.checks))
        else:
            record = replace(record, verdict=early, judged_at=now)
        if record.verdict is DeployVerdict.DEPLOY_FAILED:
            record = await self._with_log(record)
        if record.verdict is DeployVerdict.BROKEN and world.rolling_back.mode != "off":
            target = await world.rolling_back.target(record)
            if isinstance(target, str):
                record = replace(record, no_rollback=target)
            else:
                record = replace(record, can_roll_back_to=target.deploy_id, can_roll_back_to_commit=target.commit)
        assert record.verdict is not None
        await self._records.save(record, is_open=self._aftercare.is_open(record), notes=self._notes(record))
        world.counts.deploy_judged(record.service, record.verdict.value)
        log.info("deploy.judged", deploy=record.id, service=record.service, verdict=record.verdict.value)

    async def _with_log(self, record: DeployRecord) -> DeployRecord:
        """Return the record with why it failed, as far as Render says so."""
        render = self._world.render
        if render is None or not record.render_service_id:
            return record
        try:
            live = await render.still_live(record.render_service_id)
            deploy = await render.deploy(record.render_service_id, record.id)
            end = "" if deploy is None else await render.log_end(record.render_service_id, deploy, self._world.now())
        except render_errors() as error:
            log.warning("deploys.log_not_read", deploy=record.id, error=type(error).__name__)
            return record
        return replace(record, still_live=live, log_end=redact(end))

    def _notes(self, record: DeployRecord) -> list[Note]:
        world = self._world
        is_auto = is_automatic(record, world.rolling_back.mode)
        rendered = verdict_message(record, world.now(), dashboard_url=world.dashboard_url, is_auto=is_auto)
        text = note_text(rendered)
        # What is down rings as an incident of its own; of a deploy that never went live nobody else tells.
        is_silent = record.verdict is not DeployVerdict.DEPLOY_FAILED
        chats = [chat.id for chat in world.plan.chats if chat.is_first]
        return [Note(f"deploy:{record.id}:{chat}:verdict", chat, text, is_silent=is_silent) for chat in chats]

    def _with_schema(self, record: DeployRecord) -> DeployRecord:
        return replace(record, schema_before=schema_of(self._world.line.state.checks))

    def _limits(self, record: DeployRecord) -> dict[str, float]:
        policies = self._world.plan.checks
        return {
            name: seconds
            for name, seconds in self._world.limits.items()
            if name in policies and policies[name].service == record.service
        }

    def _probe(self, record: DeployRecord) -> None:
        for check_id in self._limits(record):
            self._world.probe_now(check_id)

    async def _again_and_again(self, call: Callable[[], Awaitable[None]], *, is_once: bool = False) -> None:
        """Call every second, or until it has worked once. This is the guard of the loop: what goes wrong is logged."""
        while True:
            try:
                await call()
                if is_once:
                    return
            except LeadershipLostError:
                raise
            except Exception as error:  # noqa: BLE001  the guard of a loop
                log.warning("deploys.step_failed", error=type(error).__name__, detail=redact(str(error))[:300])
            await self._sleep(STEP_SECONDS)
