"""Service level objectives: how much of the time checks are to be up, and how fast the error budget burns. Pure.

Who is told of what stands in docs/slo.md. A burning objective is a check of its own, `slo.<name>`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from monitor.engine.check_state import is_downish
from monitor.engine.plan import CheckPolicy, Severity
from monitor.engine.spans import Span, SpanKind
from monitor.engine.state import State
from monitor.engine.timers import after
from monitor.engine.uptime import BURN_RULES, BurnRule, Uptime, burn_rate, burning, uptime_of

PREFIX = "slo."
EVERY_SECONDS = 60.0
"""How often an objective is judged."""
RECOVER_SECONDS = 300.0
"""It must have stopped burning for so long, so that a rate at the edge is one incident."""

_WORST = (SpanKind.DOWN, SpanKind.UNKNOWN, SpanKind.MAINTENANCE, SpanKind.UP)


@dataclass(frozen=True, slots=True)
class Objective:
    """All of `checks` up for `target` of the time (0 < target < 1), over `window_seconds`."""

    name: str
    service: str
    checks: tuple[str, ...]
    target: float
    window_seconds: float

    @property
    def check_id(self) -> str:
        return PREFIX + self.name


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an objective stands at an instant."""

    objective: Objective
    uptime: Uptime
    """Over the objective's window."""
    rates: Mapping[float, float | None]
    """Burn rate by length of the window in seconds: 1 uses up the budget exactly."""
    rule: BurnRule | None
    """The loudest burn rule that holds."""
    outages: int
    """How many separate ones lie in that rule's long window."""

    @property
    def budget_left(self) -> float | None:
        """Return the share of the error budget that is left; below zero when it is overdrawn."""
        rate = burn_rate(self.uptime, self.objective.target)
        return None if rate is None else 1.0 - rate


def policy_of(objective: Objective, policies: Mapping[str, CheckPolicy]) -> CheckPolicy:
    """Return the check that stands for the objective.

    It rings only where none of its checks did: who was paged for each outage is not paged again for their sum.
    """
    has_rung = any(policies[name].severity is Severity.PAGE for name in objective.checks)
    return CheckPolicy(
        objective.check_id,
        objective.service,
        EVERY_SECONDS,
        EVERY_SECONDS / 2,
        EVERY_SECONDS,
        confirm_failures=1,
        confirm_span_seconds=0.0,
        recover_successes=round(RECOVER_SECONDS / EVERY_SECONDS),
        recover_span_seconds=RECOVER_SECONDS - EVERY_SECONDS,
        severity=Severity.WARNING if has_rung else Severity.PAGE,
        hard_parents=objective.checks,
    )


def assess(objective: Objective, spans: Mapping[str, Sequence[Span]], now: datetime) -> Assessment:
    """Return how the objective stands, from the tiles of its checks."""
    from_at = after(now, -max(objective.window_seconds, *(rule.long_seconds for rule in BURN_RULES)))
    tiles = combine([spans.get(name, ()) for name in objective.checks], from_at, now)
    rule = burning(tiles, objective.target, now)
    lengths = sorted({seconds for one in BURN_RULES for seconds in (one.long_seconds, one.short_seconds)})
    return Assessment(
        objective,
        uptime_of(tiles, after(now, -objective.window_seconds), now),
        {seconds: burn_rate(uptime_of(tiles, after(now, -seconds), now), objective.target) for seconds in lengths},
        rule,
        0 if rule is None else _outages(tiles, after(now, -rule.long_seconds)),
    )


def combine(of_checks: Sequence[Sequence[Span]], from_at: datetime, now: datetime) -> list[Span]:
    """Return one row of tiles: down where any is, else unknown where any is, else maintenance, else up."""
    cuts = {from_at, now}
    for tiles in of_checks:
        for tile in tiles:
            cuts |= {at for at in (tile.started_at, tile.ended_at) if at is not None and from_at < at < now}
    ordered = sorted(cuts)
    result: list[Span] = []
    places = [0] * len(of_checks)
    for start, end in pairwise(ordered):
        kinds = set()
        for index, tiles in enumerate(of_checks):
            while places[index] < len(tiles) and (tiles[places[index]].ended_at or now) <= start:
                places[index] += 1
            is_covered = places[index] < len(tiles) and tiles[places[index]].started_at <= start
            kinds.add(tiles[places[index]].kind if is_covered else SpanKind.UNKNOWN)
        kind = next(kind for kind in _WORST if kind in kinds)
        if result and result[-1].kind is kind:
            result[-1] = Span(result[-1].started_at, end, kind)
        else:
            result.append(Span(start, end, kind))
    return result


def is_judged(objective: Objective, state: State) -> bool:
    """Return whether to judge it now: an outage that goes on has its own incident, which says more."""
    return not any(is_downish(state.checks.get(name)) for name in objective.checks)


def verdict_of(assessment: Assessment) -> Verdict:
    """Return what a look at the objective says. One outage alone was told by its own incident."""
    objective, rule = assessment.objective, assessment.rule
    target = f"{objective.target * 100:g} %"
    facts = [
        Fact("availability", assessment.uptime.text()),
        Fact("target", target),
        Fact("budget left", None if assessment.budget_left is None else round(100 * assessment.budget_left, 1), "%"),
    ]
    if rule is None or assessment.outages < 2:
        return ok(f"{objective.name}: {assessment.uptime.text()} of {target}", *facts)
    summary = (
        f"{objective.name}: {assessment.outages} outages in {hours(rule.long_seconds)} burn the error budget"
        f" of {target} more than {rule.factor:g} times too fast"
    )
    hint = "Each outage was short and is over: look for what they have in common."
    facts.append(Fact("outages", assessment.outages))
    say = failed if rule.severity is Severity.PAGE else degraded
    return say(Reason.BUDGET_BURNING, summary, *facts, hint=hint)


def _outages(tiles: Sequence[Span], from_at: datetime) -> int:
    return sum(1 for tile in tiles if tile.kind is SpanKind.DOWN and (tile.ended_at is None or tile.ended_at > from_at))


def hours(seconds: float) -> str:
    """Return the length of a window as a label: `5m`, `6h`."""
    return f"{seconds / 3600:g}h" if seconds >= 3600 else f"{seconds / 60:g}m"
