"""The composition root: builds every part once, runs them in one task group, and ends them in reverse."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

import structlog

from checks.registry import CHECKS
from monitor import __version__
from monitor.config.checklist import Checklist, build_checklist
from monitor.config.found import Found
from monitor.config.rows import heading
from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.discovery.rounds import Rounds
from monitor.engine.model import Plan, State
from monitor.engine.step import step
from monitor.errors import UsageError
from monitor.leader import Leader, owner_name
from monitor.line import Line
from monitor.listener import is_loopback, listen, serve_web
from monitor.log import configure_logging
from monitor.metrics import Metrics
from monitor.probing.feeds import CeleryFeeds
from monitor.probing.loop_watch import LoopWatch
from monitor.probing.render import RenderClients
from monitor.probing.runner import Runner
from monitor.reign import Realm, Reign, certain, markers, new_runner, utc_now
from monitor.slo import SloWatch
from monitor.store.errors import LeadershipLostError, StoreError, StoreUnavailableError
from monitor.store.single import only_instance
from monitor.store.spool import Spool
from monitor.store.store import Store

if TYPE_CHECKING:
    from fastapi import FastAPI


STANDBY_LOOK_SECONDS = 2.0
"""How often a standby reads what the leader has written."""
NEXT_TURN_SECONDS = 1.0

log = structlog.get_logger()


def run_service(settings: Settings, stack: Stack, checklist: Checklist) -> None:
    """Watch until SIGINT or SIGTERM. Raises UsageError for what a person can mend."""
    configure_logging(settings.monitor_log_level, json=settings.monitor_log_format == "json")
    with (
        only_instance(settings.monitor_database_url.get_secret_value()),
        listen(settings.monitor_host, settings.port) as listener,
        asyncio.Runner(loop_factory=_new_loop) as runner,
    ):
        runner.run(_serve(settings, stack, checklist, listener))


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # there is none for this platform
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(settings: Settings, stack: Stack, checklist: Checklist, listener: socket) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with Service.built(settings, stack, checklist) as service:
        await service.run(listener, stopping)


class Service:
    """Every part that is there in a standby too, and the reign while this instance leads."""

    def __init__(self, settings: Settings, stack: Stack, checklist: Checklist, store: Store) -> None:
        plan = checklist.plan
        self.settings, self.stack, self.store, self.checklist = settings, stack, store, checklist
        self.watch = LoopWatch(utc_now, time.monotonic)
        self.line = Line(plan, State(), store, step, utc_now)
        self.slo = SloWatch(checklist.objectives, store.spans, self.line.apply, lambda: self.line.state, utc_now)
        self.reign: Reign | None = None
        self.metrics = Metrics(
            plan,
            lambda: self.line.state,
            version=__version__,
            loop_lag_seconds=self.watch.lag_seconds,
            outbox_oldest_seconds=lambda: 0.0 if self.reign is None else self.reign.outbox_oldest_seconds,
            assessments=lambda: self.slo.assessments,
            is_leader=lambda: self.reign is not None,
            audit_failures=lambda: 0 if self.reign is None else len(self.reign.heartbeat.failed),
        )
        self.leader = None if store.is_single_instance else Leader(store, owner_name(), time.monotonic)
        self.rounds = Rounds(settings, store, checklist.found, lambda: self.line.state)
        spool = Spool(Path(settings.monitor_spool_file))
        self.render = RenderClients(time.monotonic)
        self._realm = Realm(
            settings, stack, checklist, store, self.line, self.metrics, self.watch, self.slo, spool, self.render,
            on_deploy=self.rounds.rediscover,
        )  # fmt: skip
        if settings.fallback_addresses:
            # As below; and a mistake in an address is told at the start, by a standby too.
            from monitor.delivery.fallback import FallbackChannel

            FallbackChannel(settings.fallback_addresses)
        if settings.alert_bot_token is not None:
            # aiogram takes seconds to import: here, before the loops turn, and only where it is used.
            import monitor.bot.operators
            import monitor.delivery.bot_api
            import monitor.delivery.telegram  # noqa: F401

    @property
    def plan(self) -> Plan:
        """The plan of the checklist as it is now."""
        return self.checklist.plan

    @classmethod
    @asynccontextmanager
    async def built(cls, settings: Settings, stack: Stack, checklist: Checklist) -> "AsyncIterator[Service]":
        """Open what must be open before anything runs, and close it after everything has ended."""
        store = await Store.open(settings.monitor_database_url.get_secret_value(), now=utc_now)
        try:
            yield cls(settings, stack, checklist, store)
        finally:
            await store.close()

    async def run(self, listener: socket, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set. Raises UsageError for what a person can mend."""
        # Built here: importing and building it inside the loop would make the loop late, and the first looks vain.
        web = serve_web(self._app(), listener)
        try:
            async with asyncio.TaskGroup() as group:
                turns = group.create_task(self._take_turns(), name="turns")
                faces = [
                    group.create_task(self.watch.run(), name="loop watch"),
                    group.create_task(web, name="web"),
                ]
                log.info("service.started", checks=len(self.plan.checks), port=listener.getsockname()[1])
                await stopping.wait()
                log.info("service.stopping")
                turns.cancel()
                await asyncio.wait([turns])
                for task in faces:
                    task.cancel()
        except ExceptionGroup as errors:
            mistakes = errors.subgroup(UsageError)
            if mistakes is None:
                raise
            raise _first(mistakes) from None

    async def _take_turns(self) -> None:
        """Stand by and lead in turn, for ever."""
        while True:
            epoch = await self._stand_by()
            try:
                await self._lead(epoch)
            except* (LeadershipLostError, StoreUnavailableError) as errors:
                log.warning("leader.stepped_down", error=str(_first(errors)))
            await asyncio.sleep(NEXT_TURN_SECONDS)

    async def _stand_by(self) -> int | None:
        """Show what the leader writes until there is none; return the epoch under which to lead."""
        if self.leader is None:
            return None
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(self._show_stored(), name="standby")
            epoch = await self.leader.acquire()
            showing.cancel()
        return epoch

    async def _show_stored(self) -> None:
        shown: int | None = None
        while True:
            try:
                state = await self.store.load()
            except StoreError as error:
                log.debug("standby.not_read", error=str(error))
            else:
                if state.revision != shown:
                    self.line.take(state)
                shown = state.revision
            await asyncio.sleep(STANDBY_LOOK_SECONDS)

    async def _lead(self, epoch: int | None) -> None:
        """Lead until cancelled, or until another instance does: one reign after the other, as the checklist changes."""
        async with CeleryFeeds(utc_now, markers=markers(self.checklist)) as feeds:
            runner = new_runner(self._realm, lambda: self.plan, feeds)
            try:
                async with asyncio.TaskGroup() as group:
                    if self.leader is not None and epoch is not None:
                        group.create_task(self.leader.keep(epoch), name="leader")
                    await self.rounds.begin()
                    while True:
                        self._adopt(self.rounds.found)
                        await self._reign(runner, epoch)
            finally:
                self.reign = None
                if self.leader is not None and epoch is not None:
                    await self.leader.release(epoch)

    async def _reign(self, runner: Runner, epoch: int | None) -> None:
        """Watch by the checklist as it is, until what is found changes it."""
        reign = Reign(self._realm, runner, certain if self.leader is None else self.leader.proof)
        await reign.begin(epoch)
        self.reign = reign
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(reign.run(), name="reign")
            await self.rounds.change(lambda found: self._checklist_of(found) is not None)
            log.info("service.checklist_changes")
            watching.cancel()

    def _adopt(self, found: Found) -> None:
        changed = self._checklist_of(found)
        if changed is not None:
            self.checklist = changed.following(self.checklist)
            self._realm = replace(self._realm, checklist=self.checklist)
            log.info("service.checklist", checks=len(self.plan.checks))

    def _checklist_of(self, found: Found) -> Checklist | None:
        """Return the checklist that these things make; None where it is the one we have."""
        try:
            changed = build_checklist(self.settings, self.stack, found)
        except UsageError as error:
            log.warning("service.checklist_not_changed", error=str(error))
            return None
        return None if changed.is_same_as(self.checklist) else changed

    def _app(self) -> "FastAPI":
        # FastAPI takes a while to import: only where it serves.
        from monitor.faces import people, public, take_hook
        from monitor.verbs import Hands
        from monitor.web.app import build_app
        from monitor.web.context import WebContext

        context = WebContext(
            stack=self.stack.name,
            version=__version__,
            watched=lambda: self.plan,
            state=lambda: self.line.state,
            history=self.store,
            metrics=self.metrics,
            now=utc_now,
            loop_ticked_at=lambda: self.watch.ticked_at,
            readiness=self._readiness,
            subscribe=self.line.subscribe,
            headings={check_id: heading(check_id) for check_id in {*CHECKS, *self.stack.checks, *self.plan.checks}},
            assessments=lambda: self.slo.assessments,
            switches={
                check_id: check.config.token
                for check_id, check in self.checklist.checks.items()
                if check.config.kind == "push"
            },
            record_push=self.store.record_push,
            take_hook=take_hook(self.settings, self.store),
            api_token=self.settings.monitor_token,
            is_local=is_loopback(self.settings.monitor_host),
            people=people(self.settings, self.stack),
            hands=Hands(self.line.apply, self._probe_now, lambda: self.reign is not None),
            public=public(self.stack),
        )
        return build_app(context)

    def _probe_now(self, check_id: str) -> None:
        if self.reign is not None:
            self.reign.scheduler.probe_now(check_id)

    async def _readiness(self) -> list[str]:
        """Return what is not ready yet."""
        if self.reign is None:
            return ["standby: another instance leads, or none yet"]
        lacking = list(self.reign.heartbeat.failed)
        if self.line.is_in_memory:
            lacking.append("the monitor's own database does not answer: going on from memory")
        elif self.line.store_failed_since is not None:
            lacking.append("the monitor's own database does not answer")
        unseen = sum(1 for check_id in self.plan.checks if not _is_seen(self.line.state, check_id))
        if unseen:
            lacking.append(f"{unseen} of {len(self.plan.checks)} checks have not been looked at yet")
        return lacking


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error in a tree of them."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _is_seen(state: State, check_id: str) -> bool:
    check = state.checks.get(check_id)
    return check is not None and check.last_started_at is not None
