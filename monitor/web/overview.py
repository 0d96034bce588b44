"""Chooses what the overview shows: every check while there are few, else the first of each heading, bad ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.engine.check_state import Shown, status_of
from monitor.engine.model import CheckState, Plan, State
from monitor.web.views import WORST_FIRST

ROWS_MAX = 240
"""So many rows are one page."""


@dataclass(frozen=True, slots=True)
class Group:
    """What one heading shows."""

    heading: str
    shown: tuple[str, ...]
    """Check ids."""
    total: int
    counts: tuple[tuple[Shown, int], ...]
    """Worst first, without those that are none."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All headings, and how every check stands."""

    groups: tuple[Group, ...]
    statuses: Mapping[str, Shown]
    is_whole: bool
    """Every check has its row, whatever happens."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the checks that have a row."""
        return tuple(name for group in self.groups for name in group.shown)


def overview_of(plan: Plan, state: State, headings: Mapping[str, str]) -> Overview:
    """Return the choice. A check without a heading stands under its service."""
    statuses = statuses_of(plan, state)
    groups: dict[str, list[str]] = {}
    for policy in plan.checks.values():
        groups.setdefault(headings.get(policy.id, policy.service), []).append(policy.id)
    is_whole = len(plan.checks) <= ROWS_MAX
    share = max(1, ROWS_MAX // max(1, len(groups)))
    made = []
    for heading, names in list(groups.items())[:ROWS_MAX]:
        shown = names if is_whole else sorted(names, key=lambda name: WORST_FIRST.index(statuses[name]))[:share]
        made.append(Group(heading, tuple(shown), len(names), counts_of([statuses[name] for name in names])))
    return Overview(tuple(made), statuses, is_whole)


def statuses_of(plan: Plan, state: State) -> dict[str, Shown]:
    """Return how each check of the plan stands, and nothing more: there may be thousands."""
    known = state.checks
    return {
        name: status_of(check) if (check := known.get(name)) is not None else status_of(CheckState(name))
        for name in plan.checks
    }


def counts_of(statuses: Sequence[Shown]) -> tuple[tuple[Shown, int], ...]:
    """Return how many there are of each status, worst first."""
    counts = Counter(statuses)
    return tuple((status, counts[status]) for status in WORST_FIRST if counts[status])
