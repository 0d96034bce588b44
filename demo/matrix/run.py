"""One fault, or a pair of them, from injection to recovery."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from demo.faults import Fault
from demo.matrix.outcome import Outcome
from demo.matrix.watch import Message, Watch, now, until
from demo.stack import DemoStack

CALM_SECONDS = 120.0
FIND_SECONDS = 75.0
RESOLVE_SECONDS = 120.0
LINGER_SECONDS = 5.0
"""How long a second, false message is waited for after the first."""
AFTERMATH = frozenset({"beat.schedule", "worker.failures"})
"""Runs that an outage has cost stay missed until the next one: their warnings are true, and come late, even after the
next fault has begun. They are told apart in the table, and counted where nothing is broken."""
QUIET_STEP_SECONDS = 5.0
NOT_WATCHED = "is not among the checks"


def run_fault(stack: DemoStack, fault: Fault) -> Outcome:
    """Do one fault to a calm demo, repair it, and return what was told."""
    return _run(stack, fault.name, fault.says, (fault,), is_masked=False)


def run_pair(stack: DemoStack, first: Fault, second: Fault, *, is_masked: bool) -> Outcome:
    """Do two faults at once. `is_masked`: the first explains the second, which is told once the first is repaired."""
    says = f"{first.says}; and {second.says}"
    return _run(stack, f"{first.name} + {second.name}", says, (first, second), is_masked=is_masked)


def _run(stack: DemoStack, name: str, says: str, faults: Sequence[Fault], *, is_masked: bool) -> Outcome:
    watch = Watch(stack)
    expected = " + ".join(fault.root for fault in faults)
    blank = Outcome(name, says, expected, " + ".join(fault.severity for fault in faults))
    missing = [fault.root for fault in faults if fault.root not in watch.status().checks]
    if missing:
        return _with(blank, note=f"{', '.join(missing)} {NOT_WATCHED}")
    if troubled := watch.calm(CALM_SECONDS):
        return _with(blank, note=f"not calm before it began: {troubled}")
    began = now()
    note, repaired_at, seconds = _break_and_repair(stack, watch, faults, began, is_masked=is_masked)
    return _judged(blank, faults, watch, began, repaired_at, seconds, note)


def _break_and_repair(
    stack: DemoStack, watch: Watch, faults: Sequence[Fault], began: datetime, *, is_masked: bool
) -> tuple[str, datetime, float | None]:
    """Return what went wrong, when the last repair began, and how long recovery took after it."""
    told_at_first = faults[:1] if is_masked else faults
    for fault in reversed(faults):  # of a pair the hidden one first: the other may stand in its way
        fault.inject(stack)
    note = "" if until(_all_told(watch, told_at_first, began), FIND_SECONDS) else "not told in time"
    time.sleep(LINGER_SECONDS)
    for number, fault in enumerate(faults):
        if is_masked and number:
            if not until(_all_told(watch, faults, began), FIND_SECONDS):
                note = note or "what was masked is not told"
            time.sleep(LINGER_SECONDS)
        repaired_at = now()
        fault.repair(stack)
    started = time.monotonic()
    if any(fault.is_lasting for fault in faults):
        return note, repaired_at, None
    is_over = until(lambda: watch.status().is_calm and _is_all_told_over(watch.messages(began)), RESOLVE_SECONDS)
    seconds = time.monotonic() - started if is_over else None
    if not is_over:
        note = note or f"not over: {watch.status().troubled or 'its end is not told'}"
    return note, repaired_at, seconds


def _all_told(watch: Watch, faults: Sequence[Fault], began: datetime) -> Callable[[], bool]:
    def look() -> bool:
        told = {message.root for message in watch.messages(began) if message.kind in ("open", "again")}
        opened = {one["root"] for one in watch.incidents(began)}
        for fault in faults:
            roots = {fault.root, *fault.also}
            if not roots & (told if fault.is_told else opened):
                return False
        return True

    return look


def _is_all_told_over(messages: Sequence[Message]) -> bool:
    openings = [one.root for one in messages if one.kind in ("open", "again")]
    ends = [one.root for one in messages if one.kind == "resolved"]
    return sorted(openings) == sorted(ends)


def _judged(
    blank: Outcome,
    faults: Sequence[Fault],
    watch: Watch,
    began: datetime,
    repaired_at: datetime,
    resolved_seconds: float | None,
    note: str,
) -> Outcome:
    messages = watch.messages(began)
    roots = {root for fault in faults for root in (fault.root, *fault.also)}
    beside = {root for fault in faults for root in fault.beside} | AFTERMATH
    told = [fault for fault in faults if fault.is_told]
    openings = [one for one in messages if one.kind in ("open", "again") and one.root not in beside - roots]
    right = [one for one in openings if one.root in roots]
    false = [
        one for one in openings if one.root not in roots or (len(told) == len(faults) == 1 and one.at > repaired_at)
    ]
    false += [one for one in messages if one.kind == "other"]
    found_by = list(dict.fromkeys(one["root"] for one in watch.incidents(began)))
    covered = all(any(one.root in (fault.root, *fault.also) for one in right) for fault in told)
    untold = all({fault.root, *fault.also} & set(found_by) for fault in faults if not fault.is_told)
    # Only what rings pages; a pair may be of both kinds.
    louder = [one for one in messages if one.kind == "louder"]
    loudness = {"page": False, "warning": True}
    as_loud = len(faults) > 1 or not told or all(one.is_silent == loudness[faults[0].severity] for one in right[:1])
    is_named_right = covered and untold and (not openings or openings[0].root in roots)
    notes = [
        note,
        "" if as_loud else f"told {'silently' if right[0].is_silent else 'loudly'}",
        f"told louder: {louder[0].root}" if louder else "",
        "; ".join(f"false: {one.title}" for one in false[:3]),
        "; ".join(f"again: {one.title}" for one in right[len(faults) : len(faults) + 2]),
    ]
    most = len(faults)
    is_over = resolved_seconds is not None or any(fault.is_lasting for fault in faults)
    is_right = is_named_right and as_loud and len(openings) <= most and not false and is_over
    return _with(
        blank,
        found_by=", ".join(found_by),
        named=" + ".join(dict.fromkeys(one.root for one in openings[:most])) or ("" if told else found_by[0]),
        first_message_seconds=round((openings[0].at - began).total_seconds(), 1) if openings else None,
        openings=len(openings),
        messages=len(messages),
        resolved_seconds=None if resolved_seconds is None else round(resolved_seconds, 1),
        also_told=", ".join(sorted({one.root for one in messages if one.root in beside - roots})),
        false_messages=len(false),
        is_named_right=is_named_right,
        is_right=is_right and not note,
        note="; ".join(filter(None, notes)),
    )


def run_quiet(stack: DemoStack, seconds: float) -> Outcome:
    """Do nothing to a calm demo for so long, and return what was told all the same."""
    watch = Watch(stack)
    blank = Outcome("(no fault)", f"nothing is done for {seconds / 60:g} minutes", "", "")
    if troubled := watch.calm(CALM_SECONDS):
        return _with(blank, note=f"not calm before it began: {troubled}")
    began = now()
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, QUIET_STEP_SECONDS))
    messages = watch.messages(began)
    opened = [str(one["root"]) for one in watch.incidents(began)]
    return _with(
        blank,
        found_by=", ".join(opened),
        messages=len(messages),
        false_messages=len(messages),
        resolved_seconds=0.0,
        is_named_right=not opened,
        is_right=not messages and not opened,
        note="; ".join(one.title for one in messages[:3]),
    )


def _with(outcome: Outcome, **changes: object) -> Outcome:
    return Outcome.from_json(outcome.to_json() | changes)
