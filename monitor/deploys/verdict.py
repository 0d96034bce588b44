"""What a deploy has done to its service: what is broken since, what was broken before, what has another cause. Pure."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from checks.result import Outcome, Reason
from monitor.engine.deploy_record import DeployRecord, DeployVerdict, Trouble
from monitor.engine.model import CheckState, CheckStatus, Plan, State

FAILING = (CheckStatus.SUSPECT, CheckStatus.DOWN, CheckStatus.RECOVERING)


def judged(record: DeployRecord, state: State, plan: Plan, looked_at: Collection[str], now: datetime) -> DeployRecord:
    """Return the record with its verdict, as the checks stand now. `looked_at` are the checks that are really run."""
    broken: list[Trouble] = []
    before: list[Trouble] = []
    degraded: list[Trouble] = []
    passed = unseen = 0
    for check_id in sorted(looked_at):
        policy = plan.checks.get(check_id)
        if policy is None or policy.service != record.service:
            continue
        check = state.checks.get(check_id) or CheckState(check_id)
        said = check.last_result
        if check.status in FAILING:
            trouble = trouble_of(check, state, plan, record.service)
            is_new = trouble.since >= record.started_at and not trouble.because_of
            (broken if is_new else before).append(trouble)
        elif said is None or _is_not_seen(check, record.ran_at):
            unseen += said is None or said.verdict.reason is not Reason.NOT_CONFIGURED
        elif check.is_degraded or said.verdict.outcome is Outcome.DEGRADED:
            since = check.degraded_since or check.first_degraded_at or said.started_at
            degraded.append(Trouble(check_id, since, said.verdict.summary))
        else:
            passed += 1
    if broken:
        verdict = DeployVerdict.BROKEN
    elif before:
        verdict = DeployVerdict.BROKEN_BEFORE
    elif passed + len(degraded) > unseen:
        verdict = DeployVerdict.PASSED
    else:
        verdict = DeployVerdict.UNDECIDED
    return replace(
        record,
        judged_at=now,
        verdict=verdict,
        passed=passed,
        unseen=unseen,
        broken=tuple(broken),
        broken_before=tuple(before),
        degraded=tuple(degraded),
        elsewhere=_elsewhere(record, state, plan),
    )


def trouble_of(check: CheckState, state: State, plan: Plan, service: str) -> Trouble:
    """Return since when a failing check fails, what it says, and what of another service explains it."""
    seen = check.last_failure or check.last_result
    since = check.down_since or check.first_bad_at
    assert seen is not None, "a check fails by a look"
    because_of = _because_of(check.id, state, plan, service)
    return Trouble(check.id, since or seen.started_at, seen.verdict.summary, because_of)


def _because_of(check_id: str, state: State, plan: Plan, service: str) -> str:
    for name in sorted(plan.graph.ancestors.get(check_id, ())):
        above = state.checks.get(name)
        if above is not None and above.status in FAILING and plan.checks[name].service != service:
            return name
    return ""


def _is_not_seen(check: CheckState, ran_at: datetime | None) -> bool:
    said = check.last_result
    if said is None or check.is_stale or check.status is CheckStatus.PENDING:
        return True
    return said.verdict.outcome is Outcome.UNKNOWN or (ran_at is not None and said.started_at < ran_at)


def _elsewhere(record: DeployRecord, state: State, plan: Plan) -> tuple[str, ...]:
    """Return what of other services went down while it was made and observed."""
    found = (
        (check.down_since, name)
        for name, check in state.checks.items()
        if check.status is CheckStatus.DOWN
        and check.down_since is not None
        and check.down_since >= (record.live_at or record.started_at)
        and name in plan.checks
        and plan.checks[name].service != record.service
    )
    return tuple(name for _, name in sorted(found))
