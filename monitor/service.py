"""The composition root: builds every part once, runs them in one task group, and ends them in reverse."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from socket import socket
from typing import TYPE_CHECKING

import structlog

from checks.base import IO, Feeds
from checks.result import Result
from monitor import __version__
from monitor.config.checklist import Checklist
from monitor.config.rows import heading
from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.engine.model import Looked, ProbeNow, State, Tick
from monitor.engine.step import fresh_start, step
from monitor.line import Line
from monitor.listener import listen, serve_web
from monitor.log import configure_logging
from monitor.metrics import Metrics
from monitor.probing.feeds import CeleryFeeds
from monitor.probing.io import real_io
from monitor.probing.loop_watch import LoopWatch
from monitor.probing.runner import Runner
from monitor.probing.scheduler import Scheduler
from monitor.probing.sight import blind
from monitor.slo import SloWatch
from monitor.store.errors import StoreError
from monitor.store.store import Store
from monitor.telling import telling_loops

if TYPE_CHECKING:
    from fastapi import FastAPI

TICK_SECONDS = 1.0
RETENTION_SECONDS = 6 * 3600.0
COMMIT_WAIT_SECONDS = 5.0
"""A look waits so long for its commit before the next may start; its result stays in the line all the same."""

log = structlog.get_logger()


def utc_now() -> datetime:
    """Return the wall clock, aware UTC."""
    return datetime.now(UTC)


def run_service(settings: Settings, stack: Stack, checklist: Checklist) -> None:
    """Watch until SIGINT or SIGTERM. Raises UsageError for what a person can mend."""
    configure_logging(settings.monitor_log_level, json=settings.monitor_log_format == "json")
    with listen(settings.monitor_host, settings.port) as listener, asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve(settings, stack, checklist, listener))


async def look_once(check_id: str, settings: Settings, checklist: Checklist) -> Result:
    """Run one check exactly as the service does. Log lines of the run are redacted, and only errors."""
    configure_logging("error")

    async def prove_store() -> None:
        store = await Store.open(settings.monitor_database_url.get_secret_value(), now=utc_now)
        try:
            await store.prove()
        finally:
            await store.close()

    async with CeleryFeeds(utc_now, markers=markers(checklist)) as feeds:
        make_io = partial(_io, feeds=feeds, own_store=prove_store, loop_lag_seconds=lambda: 0.0)
        return await Runner(make_io, utc_now, time.monotonic).run(checklist.checks[check_id])


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # there is none for this platform
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _io(
    timeout_seconds: float,
    *,
    feeds: Feeds,
    own_store: Callable[[], Awaitable[None]],
    loop_lag_seconds: Callable[[], float],
) -> IO:
    return real_io(
        timeout_seconds=timeout_seconds,
        now=utc_now,
        monotonic=time.monotonic,
        feeds=feeds,
        own_store=own_store,
        loop_lag_seconds=loop_lag_seconds,
    )


async def _serve(settings: Settings, stack: Stack, checklist: Checklist, listener: socket) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with Service.built(settings, stack, checklist) as service:
        await service.run(listener, stopping)


class Service:
    """Every part, built. What each is given is all it knows."""

    def __init__(
        self, settings: Settings, stack: Stack, checklist: Checklist, store: Store, feeds: CeleryFeeds, state: State
    ) -> None:
        plan = checklist.plan
        self.settings, self.stack, self.plan, self.store = settings, stack, plan, store
        self.watch = LoopWatch(utc_now, time.monotonic)
        self.line = Line(plan, state, store, step, utc_now, on_probe=self._probe)
        self.slo = SloWatch(checklist.objectives, store.spans, self.line.apply, lambda: self.line.state, utc_now)
        self._outbox_oldest_seconds = 0.0
        self.metrics = Metrics(
            plan,
            lambda: self.line.state,
            version=__version__,
            loop_lag_seconds=self.watch.lag_seconds,
            outbox_oldest_seconds=lambda: self._outbox_oldest_seconds,
            assessments=lambda: self.slo.assessments,
        )
        make_io = partial(_io, feeds=feeds, own_store=store.prove, loop_lag_seconds=self.watch.lag_seconds)
        self.runner = Runner(make_io, utc_now, time.monotonic, blind=lambda name: blind(plan, self.line.state, name))
        self.scheduler = Scheduler(
            checklist.checks, plan.checks, self.runner.run, self._hand_on, lambda: self.line.state, time.monotonic
        )

    @classmethod
    @asynccontextmanager
    async def built(cls, settings: Settings, stack: Stack, checklist: Checklist) -> "AsyncIterator[Service]":
        """Open what must be open before anything runs, and close it after everything has ended."""
        async with AsyncExitStack() as opened:
            store = await Store.open(settings.monitor_database_url.get_secret_value(), now=utc_now)
            opened.push_async_callback(store.close)
            await store.ensure_chats(checklist.chat_targets)
            state = fresh_start(await store.load(), utc_now())
            feeds = await opened.enter_async_context(CeleryFeeds(utc_now, markers=markers(checklist)))
            yield cls(settings, stack, checklist, store, feeds, state)

    async def run(self, listener: socket, stopping: asyncio.Event) -> None:
        """Run every part until `stopping` is set. The line ends last, so that nothing handed to it is lost."""
        async with AsyncExitStack() as opened:
            # Before any task: a mistake of the user's found here is said in one line.
            loops = self._loops(listener, opened)
            async with asyncio.TaskGroup() as group:
                line = group.create_task(self.line.run(), name="line")
                async with asyncio.TaskGroup() as others:
                    tasks = [others.create_task(loop, name=name) for name, loop in loops.items()]
                    log.info("service.started", checks=len(self.plan.checks), port=listener.getsockname()[1])
                    await stopping.wait()
                    log.info("service.stopping")
                    for task in tasks:
                        task.cancel()
                line.cancel()

    def _loops(self, listener: socket, opened: AsyncExitStack) -> dict[str, Coroutine[None, None, None]]:
        """Return what runs beside the line, by name; what must be closed after it is given to `opened`."""
        telling = telling_loops(
            self.settings,
            self.stack,
            self.plan,
            self.line,
            self.store,
            self.metrics,
            self.scheduler.probe_now,
            utc_now,
            opened,
        )
        return telling | {
            "loop watch": self.watch.run(),
            "scheduler": self.scheduler.run(),
            "ticker": self._tick(),
            "outbox age": self._measure_outbox(),
            "retention": self._forget(),
            "slo": self.slo.run(),
            # Built here: importing and building it inside the loop would make the loop late, and the first looks vain.
            "web": serve_web(self._app(), listener),
        }

    async def _hand_on(self, result: Result) -> None:
        self.metrics.observe(result)
        try:
            async with asyncio.timeout(COMMIT_WAIT_SECONDS):
                await self.line.apply(Looked(result))
        except TimeoutError:
            log.warning("look.not_committed_yet", check=result.check_id)
        except Exception as error:  # noqa: BLE001  the guard of the looks: the line has logged it, and one bad result ends nothing
            log.warning("look.not_taken", check=result.check_id, error=type(error).__name__)

    def _probe(self, effect: ProbeNow) -> None:
        self.scheduler.probe_now(effect.check_id, effect.after_seconds)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.line.apply(Tick(), wait=False)

    async def _measure_outbox(self) -> None:
        while True:
            try:
                self._outbox_oldest_seconds = await self.store.outbox_oldest_seconds(utc_now())
            except StoreError as error:
                log.warning("outbox.not_measured", error=str(error))
            await asyncio.sleep(5 * TICK_SECONDS)

    async def _forget(self) -> None:
        while True:
            try:
                forgotten = await self.store.forget(utc_now())
                log.info("retention.done", **{name: getattr(forgotten, name) for name in forgotten.__slots__})
            except StoreError as error:
                log.warning("retention.failed", error=str(error))
            await asyncio.sleep(RETENTION_SECONDS)

    def _app(self) -> "FastAPI":
        from monitor.web.app import build_app
        from monitor.web.context import WebContext

        context = WebContext(
            stack=self.stack.name,
            version=__version__,
            plan=self.plan,
            state=lambda: self.line.state,
            history=self.store,
            metrics=self.metrics,
            now=utc_now,
            loop_ticked_at=lambda: self.watch.ticked_at,
            readiness=self._readiness,
            subscribe=self.line.subscribe,
            headings={check_id: heading(check_id) for check_id in self.plan.checks},
            assessments=lambda: self.slo.assessments,
            api_token=self.settings.monitor_token,
        )
        return build_app(context)

    async def _readiness(self) -> list[str]:
        """Return what is not ready yet."""
        lacking = []
        if self.line.store_failed_since is not None:
            lacking.append("the monitor's own database does not answer")
        unseen = sum(1 for check_id in self.plan.checks if not _is_seen(self.line.state, check_id))
        if unseen:
            lacking.append(f"{unseen} of {len(self.plan.checks)} checks have not been looked at yet")
        return lacking


def markers(checklist: Checklist) -> frozenset[str]:
    """Return what the feeds must listen for: the heartbeat marker of each beat check."""
    configs = [check.config for check in checklist.checks.values()]
    return frozenset(config.marker for config in configs if config.kind.startswith("beat."))


def _is_seen(state: State, check_id: str) -> bool:
    check = state.checks.get(check_id)
    return check is not None and check.last_started_at is not None
