"""The monitor under fire: real store, line, engine, delivery and channel, on a fast clock, looking at a file."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from checks.result import Outcome, Reason, Result, Verdict
from demo.botapi.config import ALERT_TOKEN
from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered
from monitor.delivery.outbox import Delivery
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import Chat, CheckPolicy, Looked, Plan, Rules, Tick
from monitor.engine.step import fresh_start, step
from monitor.line import Line
from monitor.store.store import Store

FACTOR = 30.0
"""How much faster the monitor's clock goes than ours."""

STARTED = datetime(2026, 3, 1, tzinfo=UTC)
OPS = "telegram:ops"
TIMEOUT_SECONDS = 1.0
"""Of one exchange, on our clock: 30 s on the monitor's, below the lease of 45 s."""

CHECKS = tuple(f"service-{number}.health" for number in range(60))
RULES = Rules(remind_after_seconds=(), remind_every_seconds=1e7, storm_roots=10_000)


@dataclass(frozen=True, slots=True)
class Place:
    """Where this monitor lives."""

    database_url: str
    api_url: str
    chat: str
    truth: str
    """A JSON file: the checks that are down now."""
    notes: str
    """A file to which every attempt to send is noted, its begin and its end."""
    wall_began: float
    """The instant, as seconds of the wall clock, at which the monitor's clock shows `STARTED`."""


def plan_of(checks: tuple[str, ...] = CHECKS) -> Plan:
    """Return the plan: independent checks, quick to judge; nothing is said but open and resolved."""
    policies = {
        name: CheckPolicy(
            name, name, 12.0, 6.0, 4.0, confirm_span_seconds=6.0, recover_span_seconds=6.0, confirm_m=15, confirm_k=15
        )
        for name in checks
    }
    return Plan(policies, (Chat(OPS),), RULES)


def clock(wall_began: float) -> Callable[[], datetime]:
    """Return the monitor's clock."""

    def now() -> datetime:
        passed = datetime.now(UTC).timestamp() - wall_began
        return STARTED + timedelta(seconds=FACTOR * passed)

    return now


class NotingChannel:
    """Telegram, with a note before and after each message: what a process that was killed knew."""

    def __init__(self, channel: TelegramChannel, notes: Path) -> None:
        self._channel = channel
        self._notes = notes

    async def send(self, target: str, rendered: Rendered, *, reply_to: int | None, is_silent: bool) -> Sent:
        self._note("begin", rendered.text)
        sent = await self._channel.send(target, rendered, reply_to=reply_to, is_silent=is_silent)
        self._note(sent.outcome.value, rendered.text)
        return sent

    async def edit(self, target: str, message_id: int, rendered: Rendered) -> Sent:
        return await self._channel.edit(target, message_id, rendered)

    def _note(self, what: str, text: str) -> None:
        line = {"life": os.getpid(), "at": datetime.now(UTC).timestamp(), "what": what, "text": text[:200]}
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


async def watch(place: Place) -> None:
    """Look, judge, commit and deliver until killed."""
    now, plan = clock(place.wall_began), plan_of()
    store = await Store.open(place.database_url, now=now)
    await store.ensure_chats({OPS: place.chat})
    # Whoever starts us has seen the one before us dead; its last commit may be under way in the database still.
    epoch = await store.acquire_leadership("under fire", 3600.0)
    line = Line(plan, fresh_start(await store.load(), now()), store, step, now, epoch=epoch)
    telegram = TelegramChannel(SecretStr(ALERT_TOKEN), api_url=place.api_url, timeout_seconds=TIMEOUT_SECONDS)
    channel = NotingChannel(telegram, Path(place.notes))

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / FACTOR)

    delivery = Delivery(line, store, {"telegram": channel}, plan, now, sleep)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(line.run(), name="line")
        tasks.create_task(delivery.run(), name="delivery")
        while True:
            await _look(line, plan, Path(place.truth), now())
            await sleep(4.0)


async def _look(line: Line, plan: Plan, truth: Path, at: datetime) -> None:
    failing = set(json.loads(truth.read_text(encoding="utf-8")))  # noqa: ASYNC240 (a line of a local file)
    looks = []
    for name in plan.checks:
        check = line.state.checks.get(name)
        if check is not None and name not in failing and check.last_started_at is not None:
            # As the scheduler does: quick looks while something is being found out, else one every interval.
            is_quiet = not check.failures_in_row and check.incident_id is None
            if is_quiet and (at - check.last_started_at).total_seconds() < plan.checks[name].interval_seconds:
                continue
        verdict = (
            Verdict(Outcome.FAILED, "refused", Reason.CONNECTION_REFUSED)
            if name in failing
            else Verdict(Outcome.OK, "fine")
        )
        looks.append(Looked(Result(name, verdict, at, 0.01)))
    await line.apply(*looks, Tick())


def as_json(place: Place) -> str:
    return json.dumps(asdict(place))
