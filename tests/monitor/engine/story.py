"""A story told to the engine: looks, people and deliveries on a clock that the test moves."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from checks.result import Outcome, Reason, Result, Verdict
from monitor.engine.model import (
    Chat,
    CheckPolicy,
    CheckState,
    Delivered,
    DeliveryOutcome,
    Effect,
    Event,
    Incident,
    InsertMessage,
    Looked,
    MessageKind,
    Plan,
    ProbeNow,
    Rules,
    Severity,
    State,
    Tick,
)
from monitor.engine.step import step

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OPS = "telegram:ops"
BOSS = "telegram:boss"


def policy(name: str, *parents: str, service: str = "", **changes: object) -> CheckPolicy:
    """Return a check with the default numbers."""
    base = CheckPolicy(name, service or name.split(".")[0], 30.0, 10.0, 10.0, hard_parents=parents)
    return replace(base, **changes)  # type: ignore[arg-type]


def plan_of(*policies: CheckPolicy, chats: Iterable[Chat] = (Chat(OPS),), rules: Rules | None = None) -> Plan:
    return Plan({one.id: one for one in policies}, tuple(chats), rules or Rules())


def result_of(
    name: str, outcome: Outcome, at: datetime, *, certain: bool = False, duration_seconds: float = 0.1
) -> Result:
    reason = None if outcome is Outcome.OK else Reason.TIMEOUT
    verdict = Verdict(outcome, outcome.value, reason, certain=certain)
    return Result(name, verdict, at, duration_seconds)


class Story:
    """The engine, its state, a clock, and everything it asked for."""

    def __init__(self, *policies: CheckPolicy, chats: Iterable[Chat] = (Chat(OPS),), rules: Rules | None = None):
        self.plan = plan_of(*policies, chats=chats, rules=rules)
        self.state = State()
        self.now = START
        self.effects: list[Effect] = []
        self.last: tuple[Effect, ...] = ()
        self.outbox: list[InsertMessage] = []
        self.sent: list[InsertMessage] = []
        self.message_id = 100

    def apply(self, event: Event) -> tuple[Effect, ...]:
        made = step(self.plan, self.state, event, self.now)
        self.state, self.last = made.state, made.effects
        self.effects.extend(made.effects)
        self.outbox.extend(effect for effect in made.effects if isinstance(effect, InsertMessage))
        return made.effects

    def wait(self, seconds: float) -> None:
        """Let time pass without a tick."""
        self.now += timedelta(seconds=seconds)

    def tick(self, seconds: float = 1.0) -> tuple[Effect, ...]:
        self.wait(seconds)
        return self.apply(Tick())

    def look(self, name: str, outcome: Outcome, *, certain: bool = False, seconds: float = 0.1) -> tuple[Effect, ...]:
        return self.apply_result(result_of(name, outcome, self.now, certain=certain, duration_seconds=seconds))

    def apply_result(self, result: Result) -> tuple[Effect, ...]:
        return self.apply(Looked(result))

    def ok(self, *names: str) -> None:
        for name in names:
            self.look(name, Outcome.OK)

    def fail(self, *names: str) -> None:
        for name in names:
            self.look(name, Outcome.FAILED)

    def unknown(self, *names: str) -> None:
        for name in names:
            self.look(name, Outcome.UNKNOWN)

    def drop(self, *names: str) -> None:
        """Three failures, ten seconds apart: confirmed down."""
        looked_at = {self.state.checks[name].last_started_at for name in names if name in self.state.checks}
        for index in range(3):
            if index or self.now in looked_at:
                self.wait(10)
            self.fail(*names)

    def recover(self, *names: str) -> None:
        """Three successes, ten seconds apart: confirmed up."""
        for _ in range(3):
            self.wait(10)
            self.ok(*names)

    def deliver(self, outcome: DeliveryOutcome = DeliveryOutcome.DELIVERED) -> list[MessageKind]:
        """Give every queued message this outcome; return the kinds."""
        kinds = []
        while self.outbox:
            message = self.outbox.pop(0)
            kinds.append(message.kind)
            self.sent.append(message)
            self.deliver_one(message, outcome)
        return kinds

    def deliver_one(self, message: InsertMessage, outcome: DeliveryOutcome = DeliveryOutcome.DELIVERED) -> None:
        self.message_id += 1
        incident = self.state.incidents.get(message.incident_id)
        self.apply(
            Delivered(
                message.incident_id,
                message.chat_id,
                message.kind,
                message.dedupe_key,
                outcome,
                self.message_id if outcome is DeliveryOutcome.DELIVERED else None,
                incident.revision if incident else 0,
            )
        )

    def check(self, name: str) -> CheckState:
        return self.state.checks[name]

    @property
    def incidents(self) -> Mapping[int, Incident]:
        return self.state.incidents

    def live_roots(self) -> list[tuple[str, Severity]]:
        return [(one.root, one.severity) for one in self.state.incidents.values() if one.is_live]

    def probes(self) -> list[ProbeNow]:
        """What the last event asked to look at."""
        return [effect for effect in self.last if isinstance(effect, ProbeNow)]
