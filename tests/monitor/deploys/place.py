"""A stack on a Render of its own, with a real engine and a real store, and a clock that tests move by the second."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from checks.platform.client import RenderApi
from checks.platform.deploys import PlatformDeploysConfig
from checks.result import Fact, Reason, Result, Verdict, degraded, failed, ok, unknown
from demo.renderapi.account import Account, Held, Json
from demo.renderapi.server import RenderServer
from monitor.delivery.entities import Rendered
from monitor.delivery.notes import note_of
from monitor.deploys.markers import MarkerRefusedError
from monitor.deploys.records import Records
from monitor.deploys.render import RenderDeploys
from monitor.deploys.rolling_back import RollingBack
from monitor.deploys.watch import DeployWatch
from monitor.deploys.world import World
from monitor.engine.deploy_record import DeployRecord
from monitor.engine.model import Chat, CheckPolicy, CheckStatus, Event, Looked, Plan, Rules, State, Tick
from monitor.engine.step import step
from monitor.store.deploy_rows import Hook
from monitor.store.store import Store

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OLD, NEW, NEWER = "0a1b2c3d4e5f", "abc1234def56", "fed4321cba65"
KEY = SecretStr("rnd_" + "k" * 28)
URL = "http://render.test/v1"
OPS = "telegram:ops"
GOOD = ok("as it should be")
BAD = failed(Reason.HTTP_STATUS, "500 from /tasks", hint="read the log")
BLIND = unknown(Reason.VANTAGE, "not judged: our own network is down")
SLOW = degraded(Reason.SLOW, "took 1.2 s", hint="wait")


def _policy(check_id: str, service: str, *parents: str) -> CheckPolicy:
    return CheckPolicy(check_id, service, 10.0, 5.0, 5.0, hard_parents=parents)


PLAN = Plan(
    {
        one.id: one
        for one in (
            _policy("redis.ping", "nexus-redis"),
            _policy("api.health", "nexus-api", "redis.ping"),
            _policy("api.routers", "nexus-api", "api.health"),
            _policy("api.version", "nexus-api"),
            _policy("bot.ingress", "nexus-bot"),
            _policy("postgres.migrations", "nexus-postgres"),
            _policy("slo.api", "nexus-api"),
        )
    },
    chats=(Chat(OPS), Chat("telegram:lead", is_escalation=True)),
    rules=Rules(deploy_settle_seconds=10.0, deploy_observe_seconds=30.0),
)
LOOKED_AT = tuple(check_id for check_id in PLAN.checks if not check_id.startswith("slo."))


class SimpleLine:
    """The engine, without a store of its own."""

    def __init__(self, now: Any) -> None:
        self.state = State()
        self.events: list[Event] = []
        self._now = now

    async def apply(self, *events: Event) -> None:
        for event in events:
            if not isinstance(event, Looked | Tick):
                self.events.append(event)
            self.state = step(PLAN, self.state, event, self._now()).state


@dataclass
class FakeMarkers:
    """Notes what was left; fails as often as told."""

    names: tuple[str, ...] = ()
    failures: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)

    def wanted(self, record: DeployRecord) -> tuple[str, ...]:
        return tuple(name for name in self.names if record.is_judged and name not in record.marked)

    async def leave(self, where: str, record: DeployRecord) -> None:
        if self.failures:
            self.failures -= 1
            raise MarkerRefusedError("status 503")
        self.left.append((where, record.id))


@dataclass
class Counts:
    """What was counted."""

    judged: list[tuple[str, str]] = field(default_factory=list)
    live: dict[str, datetime] = field(default_factory=dict)

    def deploy_live(self, service: str, at: datetime) -> None:
        self.live[service] = at

    def deploy_judged(self, service: str, verdict: str) -> None:
        self.judged.append((service, verdict))


class Place:
    """Two services on Render; every check is looked at each ten seconds, and when it is asked for."""

    def __init__(self, store: Store, *, mode: str = "off", on_render: bool = True) -> None:
        self.at = START
        self.store = store
        self.mode = mode
        self.on_render = on_render
        self.account = Account(lambda: self.at)
        self.api = self.account.add_service("nexus-api", commit=OLD)
        self.bot = self.account.add_service("nexus-bot", commit=OLD)
        self.server = RenderServer(self.account, KEY.get_secret_value())
        self.app = self.server.app()
        self.account.on_event = self._hook
        self.hooks: list[Hook] = []
        self.has_webhook = True
        self.line = SimpleLine(lambda: self.at)
        self.says: dict[str, Verdict] = dict.fromkeys(LOOKED_AT, GOOD)
        self.silent: set[str] = set()
        """Checks whose looks do not come back."""
        self.probed: list[str] = []
        self.markers = FakeMarkers()
        self.counts = Counts()
        self.rediscovered = 0
        self.epoch: int | None = None
        self.begin()

    def begin(self) -> None:
        """Build what follows deploys anew, as a restart does: only the store remembers."""

        def no_sleep(seconds: float) -> Any:
            raise AssertionError(f"the budget is used up for {seconds} s")

        client = RenderApi(URL, KEY, self._http, self._monotonic, sleep=no_sleep)
        names = ("nexus-api", "nexus-bot")
        config = PlatformDeploysConfig(id="platform.deploys", api_key=KEY, api_url=URL, names=names)
        render = RenderDeploys(client, config, self._monotonic) if self.on_render else None
        records = Records(self.store, lambda: self.at, self.epoch)
        self.records = records
        self.rolling_back = RollingBack(records, render, lambda: self.line.state, [OPS], self.mode, lambda: self.at)
        self.watch = DeployWatch(
            World(
                records=records,
                line=self.line,
                plan=PLAN,
                limits=dict.fromkeys(LOOKED_AT, 5.0),
                rolling_back=self.rolling_back,
                markers=self.markers,
                counts=self.counts,
                probe_now=self.probed.append,
                on_live=self._rediscover,
                now=lambda: self.at,
                render=render,
                has_webhook=self.has_webhook,
                dashboard_url="https://monitor.example",
            )
        )

    async def start(self) -> None:
        """Take up what the store knows, and see everything well."""
        await self.watch.begin()
        await self.run(30)

    async def restart(self) -> None:
        """Forget everything but the store and the engine's state, which the store keeps too."""
        self.begin()
        await self.watch.begin()

    async def run(self, seconds: int) -> None:
        """Let so many seconds pass."""
        for _ in range(seconds):
            self.at += timedelta(seconds=1)
            due = LOOKED_AT if self.at.second % 5 == 0 else tuple(dict.fromkeys(self.probed))
            self.probed.clear()
            for check_id in due:
                if check_id in self.silent:
                    continue
                await self.line.apply(Looked(Result(check_id, self.says[check_id], self.at, 0.25)))
            await self.line.apply(Tick())
            for hook in self.hooks:
                await self.store.record_hook(hook)
            self.hooks.clear()
            await self.watch.hear()
            await self.watch.advance()

    def deploy(self, held: Held, commit: str = NEW, trigger: str = "new_commit") -> Json:
        """Begin a deploy on Render."""
        return self.account.begin_deploy(held, commit, "Make it faster", trigger)

    def version(self, **commits: str) -> None:
        """Have services name their commits."""
        facts = (Fact(f"nexus-{name}", f"{commit[:12]} at /version") for name, commit in commits.items())
        self.says["api.version"] = ok("commits", *facts)

    def schema(self, revision: str) -> None:
        """Have the database's migration be seen."""
        self.says["postgres.migrations"] = ok("there", Fact("revision", revision))

    async def told(self) -> list[Rendered]:
        """Return what waits in the outbox, oldest first, and send it."""
        told: list[Rendered] = []
        await self.store.ensure_chats({OPS: "1", "telegram:lead": "2"})
        while (row := await self.store.claim_message(self.at)) is not None:
            assert row.body is not None
            assert row.chat_id == OPS
            told.append(note_of(row.body))
            await self.store.commit([(_sent(row.key), self.at)], self.line.state, self.line.state, [], self.at)
        return told

    async def titles(self) -> list[str]:
        """Return the first line of each."""
        return [one.text.partition("\n")[0] for one in await self.told()]

    async def verdicts(self) -> list[tuple[str, str | None]]:
        """Return service and verdict of each deploy, oldest first."""
        records = await self.store.deploy_records(50)
        return [(one.service, one.verdict and one.verdict.value) for one in reversed(records)]

    def status(self, check_id: str) -> CheckStatus:
        """Return where a check stands."""
        return self.line.state.checks[check_id].status

    def window_ids(self) -> list[str]:
        """Return the deploys of which the engine knows."""
        return sorted(self.line.state.deploys)

    def _rediscover(self) -> None:
        self.rediscovered += 1

    def _hook(self, held: Held, event: Json) -> None:
        if self.has_webhook:
            self.hooks.append(Hook(event["id"], event["type"], held.id, event["id"], self.at))

    def _monotonic(self) -> float:
        return (self.at - START).total_seconds()

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
            yield client


def _sent(key: str) -> Event:
    from monitor.engine.model import Delivered, DeliveryOutcome, MessageKind

    return Delivered(0, OPS, MessageKind.DEPLOY, key, DeliveryOutcome.DELIVERED, message_id=7)


def buttons(rendered: Rendered) -> Sequence[str]:
    """Return the texts of a message's buttons."""
    return [button.text for row in rendered.buttons for button in row]
