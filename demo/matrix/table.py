"""The matrix as people read it: a line for each fault while it runs, and docs/fault-matrix.md."""

from collections.abc import Sequence
from statistics import median

from demo.matrix.outcome import Outcome

HEAD = ("fault", "found by", "named root", "first message", "messages", "resolved", "false")


def line_of(outcome: Outcome) -> str:
    """Return one line for the terminal."""
    sign = "ok " if outcome.is_right else "BAD"
    cells = _cells(outcome)
    note = f"  ← {outcome.note}" if outcome.note else ""
    return f"{sign} {outcome.name:<44} {cells[2]:<32} {cells[3]:>7} {cells[4]:>3} {cells[5]:>7} {cells[6]:>2}{note}"


def page_of(faults: Sequence[Outcome], pairs: Sequence[Outcome], quiet: Sequence[Outcome]) -> str:
    """Return docs/fault-matrix.md."""
    lines = [
        "# The fault matrix",
        "",
        "Written by `make faults`; do not edit. Each fault is done to the real parts of the demo (`nexus-monitor demo"
        " faults` lists them, `break NAME` and",
        "`repair NAME` do them by hand), watched by the real monitor, told to a real Bot API server. The demo looks"
        " every 5 seconds, at Render every 15 to 30, so times are shorter than",
        "with the usual settings.",
        "",
        *_summary(faults, pairs, quiet),
        "",
        "| fault | what is done | found by | named root | first message | messages | resolved | false |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(outcome) for outcome in faults),
        "",
        "*first message*: seconds from the injection to the message in Telegram; *messages*: all new ones, the"
        " recovery included; *resolved*: seconds from the",
        "repair until everything was up and said so; *false*: messages about anything else. A fault marked ⚠ is a"
        " warning: told silently. *also*: a warning that is true beside it, as of tasks that failed for want of the"
        " database and have not run since.",
    ]
    if pairs:
        lines += [
            "",
            "## Two at once",
            "",
            "The last ones hide each other: the second is told when the first is repaired.",
            "",
            "| faults | named roots | first message | messages | resolved | false |",
            "|---|---|---|---|---|---|",
            *(_pair_row(outcome) for outcome in pairs),
        ]
    if quiet:
        lines += ["", "## No fault", "", *(_quiet_line(outcome) for outcome in quiet)]
    wrong = [outcome for outcome in (*faults, *pairs, *quiet) if not outcome.is_right]
    if wrong:
        lines += ["", "## Not as it should be", "", *(f"- `{one.name}`: {one.note}" for one in wrong)]
    return "\n".join(lines) + "\n"


def _summary(faults: Sequence[Outcome], pairs: Sequence[Outcome], quiet: Sequence[Outcome]) -> list[str]:
    if not faults:
        return []
    named = sum(outcome.is_named_right for outcome in faults)
    found = sum(bool(outcome.found_by) for outcome in faults)
    single = sum(bool(outcome.found_by) and outcome.openings <= 1 for outcome in faults)
    false = sum(outcome.false_messages for outcome in faults)
    times = [one.first_message_seconds for one in faults if one.first_message_seconds is not None]
    said = [
        f"**{len(faults)} faults**: {found} found, {named} with the right root ({named / len(faults):.1%}),"
        f" {single} with one opening message, {false} false messages;"
        f" the first message after {median(times):.0f} s (median), {max(times):.0f} s at most."
    ]
    if pairs:
        right = sum(outcome.is_right for outcome in pairs)
        said.append(f"{len(pairs)} pairs: {right} as they should be.")
    return said


def _cells(outcome: Outcome) -> tuple[str, ...]:
    first = "–" if outcome.first_message_seconds is None else f"{outcome.first_message_seconds:.1f} s"
    resolved = "no" if outcome.resolved_seconds is None else f"{outcome.resolved_seconds:.1f} s"
    named = outcome.named or "–"
    return (
        outcome.name,
        outcome.found_by or "–",
        named,
        first,
        str(outcome.messages),
        resolved,
        str(outcome.false_messages),
    )


def _row(outcome: Outcome) -> str:
    name, found_by, named, *rest = _cells(outcome)
    mark = " ⚠" if outcome.severity == "warning" else ""
    wrong = "" if outcome.is_right else " ✗"
    if outcome.also_told:
        named += f" (also {outcome.also_told})"
    cells = (f"`{name}`{mark}{wrong}", outcome.says, found_by, named, *rest)
    return f"| {' | '.join(cells)} |"


def _pair_row(outcome: Outcome) -> str:
    name, _, named, *rest = _cells(outcome)
    wrong = "" if outcome.is_right else " ✗"
    return f"| {' | '.join((f'`{name}`{wrong}', named, *rest))} |"


def _quiet_line(outcome: Outcome) -> str:
    said = "nothing was told" if outcome.is_right else f"{outcome.messages} messages: {outcome.note}"
    return f"{outcome.says[0].upper()}{outcome.says[1:]}: {said}."
