"""Colours the dependency graph: how each box stands, which one is a root, and the lines its fault runs along."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from monitor.engine.check_state import Shown
from monitor.web.graph_layout import Layout, Place
from monitor.web.views import overall


@dataclass(frozen=True, slots=True)
class Box:
    """One box as drawn."""

    place: Place
    status: Shown
    is_root: bool
    href: str


@dataclass(frozen=True, slots=True)
class Wire:
    """One line as drawn."""

    path: str
    is_hot: bool
    """Both its ends belong to a live incident."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float
    label: str


def picture_of(layout: Layout, statuses: Mapping[str, Shown], roots: Collection[str], hot: Collection[str]) -> Picture:
    """Return the picture; `hot` are the checks that are part of a live incident."""
    boxes = tuple(
        Box(
            place,
            overall(statuses.get(name, "pending") for name in place.checks),
            any(name in roots for name in place.checks),
            f"/checks/{place.name}" if place.checks == (place.name,) else f"/checks?service={place.name}",
        )
        for place in layout.places
    )
    warm = {place.name for place in layout.places if any(name in hot for name in place.checks)}
    wires = tuple(Wire(edge.path, edge.parent in warm and edge.child in warm) for edge in layout.edges)
    of_roots = ", ".join(sorted(box.place.name for box in boxes if box.is_root))
    says = f"root of what is wrong: {of_roots}" if of_roots else "nothing is wrong"
    return Picture(
        boxes,
        tuple(sorted(wires, key=lambda wire: wire.is_hot)),
        layout.width,
        layout.height,
        f"What depends on what, {len(boxes)} boxes; {says}",
    )
