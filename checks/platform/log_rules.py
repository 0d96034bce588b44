"""The words in build and application logs that mean something, and what to do about each."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checks.platform.shapes import LogLine
from checks.redaction import redact
from checks.result import Outcome
from checks.wording import shortened


@dataclass(frozen=True, slots=True)
class LogRule:
    """One thing to find in a log line."""

    id: str
    pattern: re.Pattern[str]
    hint: str
    outcome: Outcome = Outcome.DEGRADED
    at_start_only: bool = False
    """Counts as failed only soon after an instance began; else it is degraded."""


def _rule(
    name: str, pattern: str, hint: str, outcome: Outcome = Outcome.DEGRADED, *, at_start_only: bool = False
) -> LogRule:
    return LogRule(name, re.compile(pattern), hint, outcome, at_start_only)


BUILD_RULES = (
    _rule(
        "cargo-read-only",
        r"Read-only file system \(os error 30\)",
        "A wheel is missing, so it is compiled, and cargo may not write. Pin PYTHON_VERSION to one that has wheels "
        "for every pin; CARGO_HOME is no fix. `nexus-monitor preflight` names the pin.",
    ),
    _rule(
        "no-wheel",
        r"No matching distribution found",
        "No wheel for this Python: change the pin or PYTHON_VERSION; `nexus-monitor preflight` says which.",
    ),
    _rule(
        "default-python",
        r"Using Python version \S+ \(default\)",
        'Nothing pins Python: set PYTHON_VERSION: "3.11.11" (full, quoted) on this service and sync the Blueprint.',
    ),
    _rule(
        "python-version",
        r"PYTHON_VERSION must provide a major, minor, and patch version",
        'Write PYTHON_VERSION in full and in quotes: "3.11.11".',
    ),
    _rule(
        "compiled",
        r"Building wheel for (?!.*none-any)|Running .*maturin|Compiling \S+ v\d",
        "A package is compiled: slow, and it may fail tomorrow. Use pins with wheels for this Python.",
    ),
    _rule(
        "pip-warning", r"^\s*(WARNING:|DEPRECATION:)", "pip warns: read the line, and mend the requirement it names."
    ),
    _rule("npm-warning", r"npm (warn|WARN) deprecated", "A deprecated package of the Mini App: `npm outdated`."),
)
"""First the worst: one line counts for the first rule it meets."""

APP_RULES = (
    _rule(
        "out-of-memory",
        r"Out of memory",
        "It used more than its plan has: lower the worker's concurrency, or take a larger plan.",
        Outcome.FAILED,
    ),
    _rule(
        "exited",
        r"Exited with status [1-9]",
        "The process ended with an error: read the lines before it.",
        Outcome.FAILED,
    ),
    _rule(
        "import",
        r"\b(ImportError|ModuleNotFoundError)\b",
        "A module is missing or broken in this deploy: compare its requirements with those of the last good one.",
        Outcome.FAILED,
        at_start_only=True,
    ),
    _rule(
        "traceback",
        r"Traceback \(most recent call last\)",
        "It failed while starting: read the lines after it, and roll back if the deploy brought it.",
        Outcome.FAILED,
        at_start_only=True,
    ),
    _rule("port", r"No open ports detected|Port scan timeout", "It must listen on 0.0.0.0:$PORT.", at_start_only=True),
    _rule(
        "telegram-conflict",
        r"TelegramConflictError|terminated by other getUpdates",
        "Two processes take the bot's updates: end the one that polls, or set the webhook again.",
    ),
    _rule(
        "database-connections",
        r"too many connections|remaining connection slots",
        "Lower pool sizes or raise the database's plan; postgres.capacity names who holds them.",
    ),
    _rule(
        "redis-writes", r"OOM command not allowed|MISCONF", "Redis refuses writes: see redis.write and redis.memory."
    ),
    _rule(
        "deprecation", r"\w*DeprecationWarning|PydanticDeprecatedSince|PydanticUserError", "Mend it before upgrading."
    ),
    _rule(
        "slow",
        r"(?i)slow (request|query|callback)|took (?:[5-9]|\d\d+)(?:\.\d+)? ?s\b|\btook \d{4,} ?ms",
        "Something takes its time: which request or query? api.routers and postgres.capacity tell more.",
    ),
    _rule("error", r"\b(ERROR|CRITICAL)\b", "A new error: read the lines around it on Render."),
)
"""First the worst."""

ASKED_OF_RENDER = (
    "/(Traceback|ImportError|ModuleNotFoundError|Out of memory|Exited with status [1-9]|ERROR|CRITICAL)/",
    "/(DeprecationWarning|PydanticDeprecated|PydanticUserError|Conflict|getUpdates|No open ports|Port scan timeout)/",
    "/(too many connections|connection slots|OOM command|MISCONF|[Ss]low (request|query|callback)|took )/",
)
"""What Render is asked to send, so that a talkative service does not fill the answer."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Lines that met one rule with one signature."""

    rule: LogRule
    signature: str
    lines: tuple[LogLine, ...]

    @property
    def example(self) -> str:
        """Return the newest line, fit to be shown."""
        return shortened(self.lines[-1].message, 160)


def hits(lines: Iterable[LogLine], rules: Sequence[LogRule]) -> tuple[Hit, ...]:
    """Return what was found: in the order of the rules, then of the first line."""
    found: dict[tuple[str, str], list[LogLine]] = {}
    by_id = {rule.id: rule for rule in rules}
    for line in lines:
        rule = next((rule for rule in rules if rule.pattern.search(line.message)), None)
        if rule is not None:
            found.setdefault((rule.id, signature(line.message)), []).append(line)
    order = list(by_id)
    listed = sorted(found.items(), key=lambda item: order.index(item[0][0]))
    return tuple(Hit(by_id[name], words, tuple(met)) for (name, words), met in listed)


_NOISE = re.compile(
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b0x[0-9a-fA-F]+\b|\b(?=[a-f]*\d)[0-9a-f]{7,}\b|\d+"
)


def signature(message: str) -> str:
    """Return a line without what differs each time: numbers, ids, instants. Redacted, and cut."""
    return _NOISE.sub("#", " ".join(redact(message[:400]).split()))[:120]
