"""What was said against what was expected, as a diff that a person can read. Pure."""

from collections.abc import Sequence

from monitor.scenario.play import Said, spell
from monitor.scenario.script import Expected


def differences(said: Sequence[Said], expected: Sequence[Expected]) -> list[str]:
    """Return no line when all that was expected was said, and nothing else; else the whole conversation as a diff.

    A line with `-` was expected and not said, one with `+` was said and not expected.
    """
    left = list(said)
    rows: list[tuple[float, str]] = []
    is_equal = True
    for want in sorted(expected, key=lambda one: one.at):
        found = next((one for one in left if _answers(one, want)), None)
        if found is None:
            is_equal = False
            rows.append((want.at, f"- {_row(want.at, want.chat or 'any', want.kind, want.check)}"))
        else:
            left.remove(found)
            rows.append((found.at_seconds, f"  {_row(found.at_seconds, found.chat, found.kind, found.check)}"))
    rows += [(one.at_seconds, f"+ {_row(one.at_seconds, one.chat, one.kind, one.check)}") for one in left]
    return [] if is_equal and not left else [text for _, text in sorted(rows, key=lambda row: row[0])]


def _answers(said: Said, want: Expected) -> bool:
    return (
        said.kind == want.kind
        and said.check == want.check
        and want.chat in (None, said.chat)
        and abs(said.at_seconds - want.at) <= want.within
    )


def _row(at: float, chat: str, kind: str, check: str) -> str:
    return f"{spell(at):>8}  {chat:<10}  {kind:<9} {check}"
