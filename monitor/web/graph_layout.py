"""Places the dependency graph in columns: what others depend on stands on the left. Pure, and the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.engine.model import Plan

CHECKS_MAX = 120
"""Beyond this the picture shows services instead of checks, and beyond as many services there is none."""
NODE_WIDTH = 168
NODE_HEIGHT = 26
GAP_X = 62
GAP_Y = 8
_SWEEPS = 6
_MARGIN = 12


@dataclass(frozen=True, slots=True)
class Place:
    """One box; x and y are its upper left corner."""

    name: str
    checks: tuple[str, ...]
    """The one check, or all checks of a service."""
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from what is depended on to what depends on it."""

    parent: str
    child: str
    path: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture, without the statuses."""

    places: tuple[Place, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


def layout_of(plan: Plan) -> Layout | None:
    """Return the picture of the plan's checks, or of its services; None where there would be too many boxes."""
    if len(plan.checks) <= CHECKS_MAX:
        members: dict[str, tuple[str, ...]] = {name: (name,) for name in plan.checks}
        parents = {
            name: tuple(parent for parent in policy.hard_parents if parent in plan.checks)
            for name, policy in plan.checks.items()
        }
    else:
        of_service: dict[str, list[str]] = {}
        for policy in plan.checks.values():
            of_service.setdefault(policy.service, []).append(policy.id)
        if len(of_service) > CHECKS_MAX:
            return None
        members = {service: tuple(names) for service, names in of_service.items()}
        parents = _between_services(plan, members)
    return _placed(members, _reduced(parents))


def _between_services(plan: Plan, members: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return which services each depends on; of two that depend on each other the first named is the parent."""
    order = {service: number for number, service in enumerate(members)}
    found: dict[str, dict[str, None]] = {service: {} for service in members}
    for policy in plan.checks.values():
        for parent in policy.hard_parents:
            if parent in plan.checks:
                found[policy.service][plan.checks[parent].service] = None
    return {
        service: tuple(parent for parent in parents if order[parent] < order[service])
        for service, parents in found.items()
    }


def _reduced(parents: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Leave out an edge where a longer way says the same."""
    above: dict[str, frozenset[str]] = {}

    def ancestors(name: str) -> frozenset[str]:
        if name not in above:
            above[name] = frozenset(parents[name]).union(*(ancestors(parent) for parent in parents[name]))
        return above[name]

    return {
        name: tuple(one for one in own if not any(one in ancestors(other) for other in own if other != one))
        for name, own in parents.items()
    }


def _placed(members: Mapping[str, tuple[str, ...]], parents: Mapping[str, Sequence[str]]) -> Layout:
    columns = _columns(parents)
    children: dict[str, list[str]] = {name: [] for name in parents}
    for name, own in parents.items():
        for parent in own:
            children[parent].append(name)
    tallest = max((len(column) for column in columns), default=0)
    ys = _heights(columns, tallest)
    for sweep in range(_SWEEPS):
        towards = parents if sweep % 2 == 0 else children
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=lambda name: _middle([ys[one] for one in towards[name]], ys[name]))
        ys = _heights(columns, tallest)
    xs = {name: _MARGIN + level * (NODE_WIDTH + GAP_X) for level, column in enumerate(columns) for name in column}
    places = tuple(Place(name, members[name], xs[name], ys[name]) for column in columns for name in column)
    edges = tuple(
        Edge(parent, name, _curve(xs[parent] + NODE_WIDTH, ys[parent], xs[name], ys[name]))
        for name, own in parents.items()
        for parent in own
    )
    return Layout(
        places,
        edges,
        2 * _MARGIN + len(columns) * (NODE_WIDTH + GAP_X) - GAP_X,
        2 * _MARGIN + tallest * (NODE_HEIGHT + GAP_Y) - GAP_Y,
    )


def _columns(parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    levels: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in levels:
            levels[name] = 1 + max((level(parent) for parent in parents[name]), default=-1)
        return levels[name]

    columns: list[list[str]] = [[] for _ in range(max(map(level, parents), default=-1) + 1)]
    for name in parents:
        columns[level(name)].append(name)
    return columns


def _heights(columns: Sequence[Sequence[str]], tallest: int) -> dict[str, float]:
    """Spread each column over the whole height."""
    return {
        name: _MARGIN + (NODE_HEIGHT + GAP_Y) * ((number + 0.5) * tallest / len(column) - 0.5)
        for column in columns
        for number, name in enumerate(column)
    }


def _middle(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    y1, y2, bend = y1 + NODE_HEIGHT / 2, y2 + NODE_HEIGHT / 2, max(GAP_X, (x2 - x1) / 2)
    return f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
