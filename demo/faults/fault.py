"""What a fault is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from demo.stack import DemoStack

Severity = Literal["page", "warning"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which the stack breaks."""

    name: str
    says: str
    """What is done, in one line."""
    root: str
    """The check that names it."""
    inject: Callable[[DemoStack], None]
    repair: Callable[[DemoStack], None]
    """Makes everything as it was, however far `inject` got; may be called twice."""
    severity: Severity = "page"
    """How loudly it is told."""
    also: tuple[str, ...] = ()
    """Other checks that may rightly be called the root: two that see the same thing."""
    beside: tuple[str, ...] = ()
    """Checks whose own warnings are true beside it: what it leaves behind, or a second thing that is wrong."""
    is_lasting: bool = False
    """It is counted over minutes, so that its end is told long after the repair."""
    tuning: Mapping[str, Any] = field(default_factory=dict)
    """What the matrix lays over its settings of the monitor for this fault."""
    is_told: bool = True
    """It can be told while it is in force; Telegram's own outage cannot."""
    is_possible: Callable[[DemoStack], bool] = lambda stack: True
    """Say whether this system lets it happen."""
