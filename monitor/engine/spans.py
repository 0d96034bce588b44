"""Tiles time for uptime: which seconds of a check were up, down, unknown or maintenance. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from monitor.engine.model import CheckState, CheckStatus, Plan, Silence, State
from monitor.engine.silences import covers_check, in_maintenance


class SpanKind(StrEnum):
    """The four classes of seconds."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


MEASURED = (SpanKind.UP, SpanKind.DOWN)
"""Looks decided these: only such seconds are judged anew when an outage or a recovery is confirmed."""


@dataclass(frozen=True, slots=True)
class Span:
    """One tile: a stretch of one kind. Without an end it goes on."""

    started_at: datetime
    ended_at: datetime | None
    kind: SpanKind


@dataclass(frozen=True, slots=True)
class SpanChange:
    """From now on a check is `kind`."""

    check_id: str
    kind: SpanKind
    since_at: datetime
    """Measured seconds from here on are this kind: the first failed look of an outage, the first ok of a recovery."""
    known_at: datetime
    """Here unknown seconds or maintenance end, where those ran on until now."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A state, and when it was so: maintenance begins and ends by the clock alone."""

    state: State
    at: datetime


def span_changes(plan: Plan, before: Moment | None, after: Moment) -> tuple[SpanChange, ...]:
    """Return what changed from one step to the next; everything when there is no earlier moment."""
    silences = _maintenance(after.state)
    earlier_silences = _maintenance(before.state) if before is not None else ()
    can_skip = not silences and not earlier_silences
    if can_skip and before is not None and before.state.checks is after.state.checks:
        return ()
    changes = []
    for check_id, check in after.state.checks.items():
        earlier = before.state.checks.get(check_id) if before is not None else None
        if can_skip and earlier is check:
            continue
        kind = _kind(plan, silences, check, after.at)
        if before is not None and earlier is not None:
            earlier_kind = _kind(plan, earlier_silences, earlier, before.at)
            if kind is earlier_kind:
                continue
            was_maintained = earlier_kind is SpanKind.MAINTENANCE
        else:
            was_maintained = False
        since_at = _since(plan, silences, check, kind, after.at)
        ended = (
            _end_of(plan, (*earlier_silences, *silences), check_id, after.at)
            if was_maintained
            else check.last_started_at
        )
        changes.append(SpanChange(check_id, kind, since_at, max(ended or since_at, since_at)))
    if before is not None:
        gone = before.state.checks.keys() - after.state.checks.keys()
        changes += [SpanChange(check_id, SpanKind.UNKNOWN, after.at, after.at) for check_id in sorted(gone)]
    return tuple(changes)


def retile(tiles: Sequence[Span], changes: Sequence[SpanChange]) -> list[Span]:
    """Return one check's tiles after the changes, in order.

    `tiles` begin with the one in which the earliest change falls; the last one has no end.
    """
    result = list(tiles)
    for change in changes:
        result = _merged([part for tile in result for part in _judged(tile, change)])
        if not result:
            result = [Span(change.since_at, None, change.kind)]
    return result


def _judged(tile: Span, change: SpanChange) -> list[Span]:
    """Return the tile, cut where the change falls into it."""
    if tile.kind in MEASURED:
        cut_at = change.since_at
    elif tile.ended_at is None:
        cut_at = change.known_at
    else:
        return [tile]
    if tile.ended_at is not None and tile.ended_at <= cut_at:
        return [tile]
    if cut_at <= tile.started_at:
        return [replace(tile, kind=change.kind)]
    return [replace(tile, ended_at=cut_at), Span(cut_at, tile.ended_at, change.kind)]


def _merged(tiles: Sequence[Span]) -> list[Span]:
    result: list[Span] = []
    for tile in tiles:
        if result and result[-1].kind is tile.kind:
            result[-1] = replace(result[-1], ended_at=tile.ended_at)
        else:
            result.append(tile)
    return result


def _maintenance(state: State) -> tuple[Silence, ...]:
    return tuple(silence for silence in state.silences.values() if silence.is_maintenance)


def _kind(plan: Plan, silences: tuple[Silence, ...], check: CheckState, at: datetime) -> SpanKind:
    if silences and in_maintenance(plan, silences, check.id, at):
        return SpanKind.MAINTENANCE
    if check.is_stale or check.unknown_since is not None or check.status is CheckStatus.PENDING:
        return SpanKind.UNKNOWN
    return SpanKind.DOWN if check.status in (CheckStatus.DOWN, CheckStatus.RECOVERING) else SpanKind.UP


def _since(plan: Plan, silences: tuple[Silence, ...], check: CheckState, kind: SpanKind, now: datetime) -> datetime:
    match kind:
        case SpanKind.MAINTENANCE:
            return min(silence.starts_at for silence in silences if covers_check(plan, silence, check.id, now))
        case SpanKind.DOWN:
            since_at = check.down_since
        case SpanKind.UP:
            since_at = check.up_since
        case _:
            since_at = check.unknown_since
    return since_at or check.last_started_at or now


def _end_of(plan: Plan, silences: tuple[Silence, ...], check_id: str, now: datetime) -> datetime:
    """Return when the maintenance that covered the check was over: `silences` as they were, then as they are."""
    ends: dict[int, datetime] = {}
    for silence in silences:
        end = min((instant for instant in (silence.ended_at, silence.ends_at) if instant is not None), default=now)
        if end <= now and covers_check(plan, replace(silence, ended_at=None, ends_at=None), check_id, now):
            ends[silence.id] = end
    return max(ends.values(), default=now)
