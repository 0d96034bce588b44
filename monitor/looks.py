"""Looks outside the running service: one check, some, or the whole checklist once, exactly as the service looks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from checks.base import Check, Push
from checks.result import Result
from monitor.config.checklist import Checklist
from monitor.config.rows import heading
from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.log import configure_logging
from monitor.probing.feeds import CeleryFeeds
from monitor.probing.loop_watch import LoopWatch
from monitor.probing.render import Recorder, RenderClients
from monitor.probing.runner import Runner
from monitor.reign import certain, markers, new_io, utc_now
from monitor.smoke.report import Finding, Report, lines_of, with_causes
from monitor.smoke.run import Walk, walk
from monitor.store.store import Store


async def look_once(check_id: str, settings: Settings, checklist: Checklist, *, record: Path | None = None) -> Result:
    """Run one check exactly as the service does. Log lines of the run are redacted, and only errors.

    `record` is a folder for the answers of Render's API, redacted.
    """
    configure_logging("error")

    @asynccontextmanager
    async def own_store() -> AsyncIterator[Store]:
        store = await Store.open(settings.monitor_database_url.get_secret_value(), now=utc_now)
        try:
            yield store
        finally:
            await store.close()

    async def prove_store() -> None:
        async with own_store() as store:
            await store.prove()

    async def last_push(asked_id: str) -> Push | None:
        async with own_store() as store:
            return await store.last_push(asked_id)

    async with CeleryFeeds(utc_now, markers=markers(checklist)) as feeds:
        make_io = partial(
            new_io,
            feeds=feeds,
            own_store=prove_store,
            loop_lag_seconds=lambda: 0.0,
            last_push=last_push,
            render=RenderClients(time.monotonic, record=None if record is None else Recorder(record)),
        )
        return await Runner(make_io, utc_now, time.monotonic).run(checklist.checks[check_id])


async def look_at(checks: Sequence[Check[Any, Any]]) -> list[Result]:
    """Run checks that need nothing of a running monitor, one after the other."""
    configure_logging("error")

    async def no_push(check_id: str) -> Push | None:
        return None

    async with CeleryFeeds(utc_now) as feeds:
        make_io = partial(new_io, feeds=feeds, own_store=certain, loop_lag_seconds=lambda: 0.0, last_push=no_push)
        runner = Runner(make_io, utc_now, time.monotonic)
        return [await runner.run(check) for check in checks]


async def walk_once(
    settings: Settings,
    stack: Stack,
    checklist: Checklist,
    wanted: Sequence[str],
    covered: Sequence[tuple[str, tuple[str, ...], str]],
    how: Walk,
    progress: Callable[[Finding], None],
) -> Report:
    """Walk the checklist once, with the same looks as the service, and nothing stored."""
    configure_logging("error")
    started_at, started = utc_now(), time.monotonic()
    watch = LoopWatch(utc_now, time.monotonic)

    async def prove_store() -> None:
        store = await Store.open(settings.monitor_database_url.get_secret_value(), now=utc_now)
        try:
            await store.prove()
        finally:
            await store.close()

    async with CeleryFeeds(utc_now, markers=markers(checklist)) as feeds, asyncio.TaskGroup() as group:
        watching = group.create_task(watch.run(), name="loop watch")
        make_io = partial(new_io, feeds=feeds, own_store=prove_store, loop_lag_seconds=watch.lag_seconds)
        runner = Runner(make_io, utc_now, time.monotonic)
        checks = {check_id: checklist.checks[check_id] for check_id in wanted}
        found = await walk(checks, runner.run, how, heading, progress, monotonic=time.monotonic)
        watching.cancel()
    findings = with_causes(found, {name: policy.hard_parents for name, policy in checklist.plan.checks.items()})
    lines = lines_of(covered, {finding.check_id: finding for finding in findings})
    return Report(stack.name, started_at, time.monotonic() - started, findings, lines)
