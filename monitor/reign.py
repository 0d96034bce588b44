"""What only the leader runs: the looks, the line, the clock, the telling. It begins with the lead and ends with it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog
from pydantic import SecretStr

from checks.base import IO, Feeds, Push, RenderReader
from checks.result import Result
from monitor.config.checklist import Checklist
from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.delivery.emergency import EmergencyOutbox
from monitor.deploys.build import following
from monitor.engine.model import Effect, Looked, Plan, ProbeNow, State, Tick
from monitor.engine.step import fresh_start
from monitor.heartbeat import Heartbeat
from monitor.line import Line
from monitor.metrics import Metrics
from monitor.probing.io import real_io
from monitor.probing.loop_watch import LoopWatch
from monitor.probing.render import RenderClients
from monitor.probing.runner import Runner
from monitor.probing.scheduler import Scheduler
from monitor.probing.sight import blind
from monitor.slo import SloWatch
from monitor.store.errors import StoreError
from monitor.store.spool import Spool
from monitor.store.store import Store
from monitor.telling import telling_loops

TICK_SECONDS = 1.0
RETENTION_SECONDS = 6 * 3600.0
COMMIT_WAIT_SECONDS = 5.0
"""A look waits so long for its commit before the next may start; its result stays in the line all the same."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Realm:
    """What outlives a reign: built once, used by each."""

    settings: Settings
    stack: Stack
    checklist: Checklist
    store: Store
    line: Line
    metrics: Metrics
    watch: LoopWatch
    slo: SloWatch
    spool: Spool
    render: RenderClients
    on_deploy: Callable[[], object] = lambda: None
    """Called when a deploy went live."""


class Reign:
    """One time of leading."""

    def __init__(self, realm: Realm, runner: Runner, proof: Callable[[], Awaitable[None]]) -> None:
        """`proof` returns once it is certain that we still lead."""
        plan, line, watch = realm.checklist.plan, realm.line, realm.watch
        self._realm = realm
        self._proof = proof
        self.scheduler = Scheduler(
            realm.checklist.checks, plan.checks, runner.run, self._hand_on, lambda: line.state, time.monotonic
        )
        self.heartbeat = Heartbeat(
            realm.settings.monitor_heartbeat_url,
            plan,
            lambda: line.state,
            utc_now,
            time.monotonic,
            looks=lambda: (self.scheduler.looks_due, self.scheduler.looks_run),
            loop_lag_p99_seconds=watch.lag_p99_seconds,
            on_beat=realm.metrics.heartbeat,
        )
        self.outbox_oldest_seconds = 0.0
        self._epoch: int | None = None

    async def begin(self, epoch: int | None) -> None:
        """Take the state over from the store. Raises `StoreError`."""
        store, self._epoch = self._realm.store, epoch
        await store.ensure_chats(self._realm.checklist.chat_targets)
        state = await adopted(store, self._realm.spool, await store.load(), epoch)
        checklist = self._realm.checklist
        self._realm.line.take(fresh_start(state, utc_now()), epoch, checklist.plan)
        self._realm.metrics.take(checklist.plan)
        self._realm.slo.take(checklist.objectives)
        self._realm.line.on_probe = self._probe

    async def run(self) -> None:
        """Run every part until cancelled. The line ends last, so that nothing handed to it is lost."""
        line = self._realm.line
        try:
            async with AsyncExitStack() as opened, asyncio.TaskGroup() as group:
                loops = self._loops(opened)
                writing = group.create_task(line.run(), name="line")
                try:
                    async with asyncio.TaskGroup() as others:
                        for name, loop in loops.items():
                            others.create_task(loop, name=name)
                finally:
                    writing.cancel()
        finally:
            self._keep_unwritten()

    def _keep_unwritten(self) -> None:
        """Leave to the next process what the database did not take."""
        unwritten = self._realm.line.unwritten
        if unwritten is not None:
            try:
                self._realm.spool.write(unwritten)
            except OSError as error:
                log.warning("spool.not_written", path=str(self._realm.spool.path), error=error.strerror)

    def _loops(self, opened: AsyncExitStack) -> dict[str, Coroutine[None, None, None]]:
        """Return what runs beside the line, by name; what must be closed after it is given to `opened`."""
        realm = self._realm
        outbox = EmergencyOutbox(realm.store, realm.line, realm.spool, realm.checklist.chat_targets, self._proof)
        deploys = following(
            realm.settings,
            realm.stack,
            realm.checklist,
            realm.store,
            realm.line,
            realm.metrics,
            realm.render,
            epoch=self._epoch,
            probe_now=self.scheduler.probe_now,
            on_live=realm.on_deploy,
            now=utc_now,
            monotonic=time.monotonic,
        )
        telling = telling_loops(
            realm.settings,
            realm.stack,
            realm.checklist.plan,
            realm.line,
            realm.store,
            outbox,
            realm.metrics,
            self.scheduler.probe_now,
            utc_now,
            opened,
            self._proof,
            deploys.rolling_back.press,
        )
        return telling | {
            "scheduler": self.scheduler.run(),
            "ticker": self._tick(),
            "deploys": deploys.watch.run(),
            "outbox age": self._measure_outbox(),
            "retention": self._forget(),
            "slo": realm.slo.run(),
            "heartbeat": self.heartbeat.run(),
        }

    async def _hand_on(self, result: Result) -> None:
        self._realm.metrics.observe(result)
        try:
            async with asyncio.timeout(COMMIT_WAIT_SECONDS):
                await self._realm.line.apply(Looked(result))
        except TimeoutError:
            log.warning("look.not_committed_yet", check=result.check_id)
        except Exception as error:  # noqa: BLE001  the guard of the looks: the line has logged it
            log.warning("look.not_taken", check=result.check_id, error=type(error).__name__)

    def _probe(self, effect: ProbeNow) -> None:
        self.scheduler.probe_now(effect.check_id, effect.after_seconds)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._realm.line.apply(Tick(), wait=False)

    async def _measure_outbox(self) -> None:
        while True:
            try:
                self.outbox_oldest_seconds = await self._realm.store.outbox_oldest_seconds(utc_now())
            except StoreError as error:
                log.warning("outbox.not_measured", error=str(error))
            await asyncio.sleep(5 * TICK_SECONDS)

    async def _forget(self) -> None:
        while True:
            try:
                forgotten = await self._realm.store.forget(utc_now())
                log.info("retention.done", **{name: getattr(forgotten, name) for name in forgotten.__slots__})
            except StoreError as error:
                log.warning("retention.failed", error=str(error))
            await asyncio.sleep(RETENTION_SECONDS)


async def adopted(store: Store, spool: Spool, state: State, epoch: int | None) -> State:
    """Write what a process that ended without its database left in the spool, and return the state after it.

    What was left is let go when another instance has written since.
    """
    left = await asyncio.to_thread(spool.read)
    if left is None:
        return state
    if state.revision in left.follows:
        effects: tuple[Effect, ...] = (*left.messages, *left.drops, *left.timeline)
        await store.commit(left.delivered, state, left.after, effects, left.at, spans=left.spans, epoch=epoch)
        state = left.after
        log.info("spool.adopted", written_at=left.at.isoformat())
    else:
        log.warning("spool.let_go", written_at=left.at.isoformat(), revision=state.revision, follows=left.follows)
    await asyncio.to_thread(spool.clear)
    return state


def utc_now() -> datetime:
    """Return the wall clock, aware UTC."""
    return datetime.now(UTC)


async def certain() -> None:
    """Return at once: there is no other instance, and nothing to prove."""


def new_io(
    timeout_seconds: float,
    *,
    feeds: Feeds,
    own_store: Callable[[], Awaitable[None]],
    loop_lag_seconds: Callable[[], float],
    last_push: Callable[[str], Awaitable[Push | None]] | None = None,
    render: Callable[[str, SecretStr], RenderReader] | None = None,
) -> IO:
    """Return the real world for one look."""
    return real_io(
        timeout_seconds=timeout_seconds,
        now=utc_now,
        monotonic=time.monotonic,
        feeds=feeds,
        own_store=own_store,
        loop_lag_seconds=loop_lag_seconds,
        last_push=last_push,
        render=render,
    )


def new_runner(realm: Realm, plan: Callable[[], Plan], feeds: Feeds) -> Runner:
    """Return a runner for any number of reigns: it remembers what the checks have seen."""
    make_io = partial(
        new_io,
        feeds=feeds,
        own_store=realm.store.prove,
        loop_lag_seconds=realm.watch.lag_seconds,
        last_push=realm.store.last_push,
        render=realm.render,
    )
    return Runner(make_io, utc_now, time.monotonic, blind=lambda name: blind(plan(), realm.line.state, name))


def markers(checklist: Checklist) -> frozenset[str]:
    """Return what the feeds must listen for: the heartbeat marker of each beat check."""
    configs = [check.config for check in checklist.checks.values()]
    return frozenset(config.marker for config in configs if config.kind.startswith("beat."))
