"""The rules of a Blueprint about one environment variable. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.build.findings import Finding, Level
from checks.build.render_yaml import Node

SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|PRIVATE_KEY|API_KEY|ACCESS_KEY)S?$")
SECRET_VALUE = re.compile(r"^\d{8,10}:[\w-]{35}$|^rnd_\w+|^whsec_\w+|^sk-\w{16,}|^gh[pousr]_\w{20,}")
CREDENTIALS = re.compile(r"^\w+(\+\w+)?://[^:/@\s]*:[^@\s]+@")
CARGO = {"CARGO_HOME", "RUSTUP_HOME"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the file defines, for references to be held against."""

    services: frozenset[str]
    databases: frozenset[str]
    groups: frozenset[str]


def entry_rules(name: str, entry: Node, names: Names, file: str) -> Iterator[Finding]:
    """Yield every rule that one entry of `envVars` breaks; `name` is its service's."""

    def found(rule: str, line: int, message: str, fix: str, level: Level = "error") -> Finding:
        return Finding(rule, level, file, line, message, fix)

    key, value = entry.text("key"), entry.get("value")
    for field, known, what in (
        ("fromService", names.services, "service"),
        ("fromDatabase", names.databases, "database"),
        ("fromGroup", names.groups, "environment group"),
    ):
        source = entry.get(field)
        wanted = entry.text(field) or (source.text("name") if source is not None else "")
        if wanted and wanted not in known:
            yield found(
                "reference",
                entry.line_of(field),
                f"{name}{'.' if key else ''}{key}: there is no {what} {wanted!r} in this file",
                f"one of {', '.join(sorted(known)) or 'none'}, unless it exists outside of it",
                "warning",
            )
    if value is not None and entry.get("sync") is not None:
        yield found("sync", entry.line_of("sync"), f"{name}.{key}: sync: false and a value", "keep one of them")
    if value is not None and isinstance(value.value, bool):
        written = str(value.value).lower()
        yield found("quote", value.line, f"{name}.{key}: {written} is no string", f'value: "{written}"')
    if key == "PORT":
        yield found("port", entry.line, f"{name}.PORT: Render sets it, 10000 by default", "remove it", "warning")
    if key in CARGO:
        yield found(
            "cargo",
            entry.line,
            f"{name}.{key}: a writable folder for cargo does not make a missing wheel build",
            "remove it, and pin a Python for which every pin has a wheel",
            "warning",
        )
    yield from secret_rule(name, entry, file)


def secret_rule(name: str, entry: Node, file: str) -> Iterator[Finding]:
    """Yield a finding where a secret stands in the file, by its name or by its looks. The value is not told."""
    key, value = entry.text("key"), entry.text("value")
    if value and (SECRET_NAME.search(key.upper()) or SECRET_VALUE.match(value) or CREDENTIALS.match(value)):
        yield Finding(
            "secret",
            "error",
            file,
            entry.line_of("value"),
            f"{name}.{key}: a secret in clear",
            "`sync: false` or `generateValue: true`",
        )
