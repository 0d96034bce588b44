"""What one row of the matrix says, and when it is right."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault, or a pair of them, from its injection to all being up again."""

    name: str
    says: str
    expected: str
    """The check that should be named; the two of a pair with a plus between them."""
    severity: str
    found_by: str = ""
    """The roots of the incidents it opened."""
    named: str = ""
    """The root that its first message names."""
    first_message_seconds: float | None = None
    """From the injection on."""
    openings: int = 0
    """New messages that open an incident."""
    messages: int = 0
    """All new messages, recoveries included."""
    resolved_seconds: float | None = None
    """From the repair until all is up and the recovery told; None: it did not come."""
    also_told: str = ""
    """Other warnings that are true beside it."""
    false_messages: int = 0
    """Openings that speak of something else, and those after the repair."""
    is_named_right: bool = False
    is_right: bool = False
    """Found, root right, as loud as it should be, one opening message, recovery told, nothing false."""
    note: str = ""
    """What was not as it should be."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return what `to_json` gave."""
        return cls(**values)
