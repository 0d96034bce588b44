"""The truth: services that depend on one another, what breaks when, and what else goes wrong around the monitor."""

from dataclasses import dataclass, field, replace

from monitor.engine.model import Chat, CheckPolicy, Plan, Rules, Severity
from tests.simulation.dice import between, chance, choose

EGRESS = "vantage.egress"
OPS, BOSS, MAIL = "telegram:ops", "telegram:boss", "apprise:fallback"
NAMES = ("ada", "o'brien <b>", "𝕬𝖉𝖆 👩‍👩‍👧‍👦" * 9, "\u202e\u0000", "é" * 300)
"""Of people and services: 60 characters and more, in two units each, backwards, with markup."""
QUIET_SECONDS = 3000.0
"""After the last fault: longer than a gate, a deploy window's rest and the peace that ends flapping."""
LONG_SECONDS = 5500.0
"""Longer than an ack lasts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One check's own trouble for a while: down, flaky (a share of looks fails), degraded, blip, mute (unknown)."""

    check_id: str
    mode: str
    from_s: float
    to_s: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    from_s: float
    to_s: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that will happen, fixed by the seed before it begins."""

    seed: int
    kind: str
    plan: Plan
    faults: tuple[Fault, ...]
    end_s: float
    down: dict[str, list[tuple[float, float]]]
    """When each check truly fails, its parents' faults included."""
    blind: tuple[Span, ...] = ()
    """Our own network is out."""
    telegram: tuple[Span, ...] = ()
    """Trouble of the Bot API: 429, 5xx, refuse, blocked, and time-outs before and after delivery."""
    crashes: tuple[Span, ...] = ()
    jumps: tuple[tuple[float, float], ...] = ()
    """At this time the wall clock moves by so many seconds."""
    people: tuple[tuple[float, str, str, float], ...] = ()
    """(when, what, about whom, for how long)."""
    aborts: float = 0.0
    """Share of commits that fail or whose answer is lost."""
    lag: dict[str, float] = field(default_factory=dict)
    has_standby: bool = False
    """A second instance waits to lead."""
    pauses: tuple[Span, ...] = ()
    """The leading process is stopped, and goes on afterwards as if nothing had been."""
    stuck: tuple[Span, ...] = ()
    """No look that begins now comes back before the end of it."""
    author: str = "ada"

    def is_down(self, check_id: str, at_s: float) -> bool:
        return any(start <= at_s < end for start, end in self.down[check_id])

    def in_span(self, spans: tuple[Span, ...], at_s: float) -> str:
        for span in spans:
            if span.from_s <= at_s < span.to_s:
                return span.kind or "yes"
        return ""

    def end_of(self, spans: tuple[Span, ...], at_s: float) -> float | None:
        """Return when the span ends that lasts now."""
        return next((span.to_s for span in spans if span.from_s <= at_s < span.to_s), None)

    def mode_of(self, check_id: str, at_s: float) -> tuple[str, float]:
        for fault in self.faults:
            if fault.check_id == check_id and fault.from_s <= at_s < fault.to_s:
                return fault.mode, fault.share
        return "", 0.0


def make_world(seed: int, *, extra_check: bool = False, is_reversed: bool = False) -> World:
    """Build the world of this seed. The two options must change nothing of what people are told."""
    kind = ("single", "chaos", "storm", "chaos", "blips", "chaos", "quiet", "chaos", "single", "chaos")[seed % 10]
    policies = _policies(seed, kind)
    if extra_check:
        policies.append(CheckPolicy("extra.healthy", "extra", 30.0, 5.0, 10.0))
    if is_reversed:
        policies.reverse()
    if kind == "chaos" and chance(seed, "ring") < 0.1:
        _close_ring(seed, policies)
    chats = [Chat(OPS)]
    if chance(seed, "boss") < 0.5:
        chats.append(Chat(BOSS, is_escalation=True))
    if kind == "chaos" and chance(seed, "mail") < 0.4:
        chats.append(Chat(MAIL, "apprise", is_fallback=True))
    plan = Plan({one.id: one for one in policies}, tuple(chats), Rules())
    names = sorted(one.id for one in policies if one.id not in (EGRESS, "extra.healthy"))
    active_s = between(900, 2400, seed, "active")
    faults = _faults(seed, kind, names, active_s)
    lag = {name: between(0, 40, seed, "lag", name) for name in plan.checks}
    down = _down(plan, faults, lag)
    last_s = max([active_s, *(one.to_s for one in faults), *(end for spans in down.values() for _, end in spans)])
    world = World(seed, kind, plan, faults, last_s + QUIET_SECONDS, down, lag=lag)
    return _with_trouble(world, names, active_s) if kind in ("chaos", "quiet") else world


def _close_ring(seed: int, policies: list[CheckPolicy]) -> None:
    """Let two checks hang on each other: a mistake that loading would refuse."""
    numbers = sorted(
        (number for number, one in enumerate(policies) if one.id not in (EGRESS, "extra.healthy")),
        key=lambda number: policies[number].id,
    )
    first = choose(numbers, seed, "ring first")
    second = choose([number for number in numbers if number != first], seed, "ring second")
    for number, other in ((first, second), (second, first)):
        policy = policies[number]
        if policies[other].id not in policy.hard_parents:
            policies[number] = replace(policy, hard_parents=(*policy.hard_parents, policies[other].id))


def _is_long(seed: int) -> bool:
    return chance(seed, "long") < 0.12


def _policies(seed: int, kind: str) -> list[CheckPolicy]:
    count = 9 if kind == "storm" else 4 + int(chance(seed, "count") * 7)
    policies = [CheckPolicy(EGRESS, "vantage", 30.0, 5.0, 10.0, is_vantage=True)]
    for number in range(count):
        name = f"s{number % 4}.c{number}"
        parents = [EGRESS]
        earlier = [one.id for one in policies[1:]]
        wanted = int(chance(seed, "parents", number) * 2.5) if earlier and kind != "storm" else 0
        for draw in range(wanted):
            parent = choose(earlier, seed, "parent", number, draw)
            if parent not in parents:
                parents.append(parent)
        is_warning = kind == "chaos" and chance(seed, "warning", number) < 0.15
        service = name.split(".")[0]
        if kind != "single" and chance(seed, "strange") < 0.3:
            service = choose(NAMES, seed, "service", service)
        policies.append(
            CheckPolicy(
                name,
                service,
                choose([15.0, 30.0, 30.0, 60.0], seed, "interval", number),
                choose([3.0, 5.0, 10.0], seed, "timeout", number),
                10.0,
                severity=Severity.WARNING if is_warning else Severity.PAGE,
                hard_parents=tuple(parents),
                soft_parents=(choose(earlier, seed, "soft", number),) if earlier and kind != "single" else (),
            )
        )
    return policies


def _faults(seed: int, kind: str, names: list[str], active_s: float) -> tuple[Fault, ...]:
    if kind == "quiet":
        return ()
    if kind == "storm":
        return tuple(Fault(name, "down", 300.0, between(700, 1200, seed, "storm", name)) for name in names)
    if kind == "single":
        start = between(200, 400, seed, "start")
        return (Fault(choose(names, seed, "root"), "down", start, start + between(300, 900, seed, "long")),)
    faults = []
    if kind == "chaos" and _is_long(seed):
        faults.append(Fault(names[0], "down", 130.0, 130.0 + LONG_SECONDS))
    for number in range(2 + int(chance(seed, "faults") * 5)):
        start = between(120, active_s, seed, "start", number)
        name = choose(names, seed, "who", number)
        if kind == "blips":
            mode, lasts, share = "blip", between(1, 9, seed, "lasts", number), 1.0
            if any(fault.check_id == name and abs(fault.from_s - start) < 600 for fault in faults):
                continue
        else:
            mode = choose(["down", "down", "down", "flaky", "degraded", "blip", "mute"], seed, "mode", number)
            lasts = {"blip": 15.0, "degraded": 900.0}.get(mode, between(20, 900, seed, "lasts", number))
            share = between(0.2, 0.6, seed, "share", number) if mode == "flaky" else 1.0
            if mode == "down" and chance(seed, "flaps", number) < 0.2:
                faults += [Fault(name, "down", start + turn * 240, start + turn * 240 + 90) for turn in range(5)]
                continue
        faults.append(Fault(name, mode, start, start + lasts, share))
    return tuple(faults)


def _down(plan: Plan, faults: tuple[Fault, ...], lag: dict[str, float]) -> dict[str, list[tuple[float, float]]]:
    """Close the faults over the dependencies: a child fails with its parent, and follows it a little late."""
    down: dict[str, list[tuple[float, float]]] = {}
    for name in sorted(plan.checks, key=lambda one: (len(plan.graph.ancestors[one]), one)):
        own = [(one.from_s, one.to_s) for one in faults if one.check_id == name and one.mode in ("down", "blip")]
        for parent in plan.graph.ancestors[name]:
            own += [
                (one.from_s, one.to_s + (lag[name] if one.mode == "down" else 0.0))
                for one in faults
                if one.check_id == parent and one.mode in ("down", "blip")
            ]
        down[name] = sorted(own)
    return down


def _with_trouble(world: World, names: list[str], active_s: float) -> World:
    seed = world.seed

    def some(what: str, most: int, shortest: float, longest: float, kinds: tuple[str, ...] = ("",)) -> tuple[Span, ...]:
        spans = []
        for number in range(int(chance(seed, what) * (most + 1))):
            start = between(60, active_s, seed, what, "from", number)
            lasts = between(shortest, longest, seed, what, "for", number)
            spans.append(Span(start, start + lasts, choose(kinds, seed, what, "kind", number)))
        return tuple(spans)

    people = []
    if _is_long(seed):
        what = choose(["ack", "maintenance"], seed, "long person")
        people.append((700.0, what, names[0], 240.0))
    for number in range(int(chance(seed, "people") * 7)):
        what = choose(["ack", "silence", "maintenance", "end", "deploy", "failed_deploy", "until"], seed, "p", number)
        about = choose(names, seed, "about", number)
        when = between(120, active_s, seed, "when", number)
        people.append((when, what, about, between(60, 1200, seed, "span", number)))
    jumps: tuple[tuple[float, float], ...] = ()
    if chance(seed, "jump") < 0.1:
        jumps = ((between(200, active_s, seed, "jump at"), between(-4000, 4000, seed, "jump by")),)
    has_standby = chance(seed, "standby") < 0.12
    kinds = ("429", "5xx", "refuse", "before", "after", "blocked")
    telegram = some("telegram", 3, 30, 900, kinds)
    pauses = some("pause", 3, 2, 120) if has_standby else ()
    if chance(seed, "paused while refused") < 0.6:
        telegram += tuple(Span(span.from_s - 90, span.to_s + 40, "refuse") for span in pauses)
    return World(
        seed,
        world.kind,
        world.plan,
        world.faults,
        world.end_s,
        world.down,
        blind=some("blind", 1, 20, 200) if world.kind == "chaos" else (),
        telegram=telegram,
        crashes=some("crash", 2, 5, 240),
        jumps=jumps,
        people=tuple(sorted(people)),
        aborts=0.02 if chance(seed, "aborts") < 0.4 else 0.0,
        lag=world.lag,
        has_standby=has_standby,
        pauses=pauses,
        stuck=some("stuck", 1, 60, 500) if chance(seed, "gets stuck") < 0.12 else (),
        author=choose(NAMES, seed, "author"),
    )
