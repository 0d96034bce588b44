"""Where the time of one look went, as shares of a bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

WIDTH = 600.0


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of the bar."""

    name: str
    seconds: float
    x: float
    width: float


def phases_of(values: Mapping[str, float]) -> tuple[Phase, ...]:
    """Return the phases in their order; none where fewer than two were measured."""
    known = {
        name: values[key]
        for name, key in (("DNS", "dns_seconds"), ("connect", "connect_seconds"), ("TLS", "tls_seconds"))
        if key in values
    }
    if "first_byte_seconds" in values:
        known["waiting"] = values["first_byte_seconds"] - sum(known.values())
        known["body"] = values.get("latency_seconds", 0.0) - values["first_byte_seconds"]
    elif "query_seconds" in values:
        known["query"] = values["query_seconds"]
    parts = {name: max(0.0, seconds) for name, seconds in known.items()}
    total = sum(parts.values())
    if len(parts) < 2 or total <= 0:
        return ()
    widths = [WIDTH * seconds / total for seconds in parts.values()]
    starts = accumulate(widths, initial=0.0)
    return tuple(
        Phase(name, seconds, round(x, 1), round(width, 1))
        for (name, seconds), x, width in zip(parts.items(), starts, widths, strict=False)
    )
