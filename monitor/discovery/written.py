"""Writes what was found as a commented `monitor.yaml`: a file to read, to change and to keep. Never a secret."""

from collections.abc import Iterator, Mapping
from datetime import date

import yaml

from checks.redaction import redact
from checks.wording import address
from monitor.config.checklist import Checklist
from monitor.config.found import ABOUT, Sight, Thing
from monitor.config.learned import LEARNED
from monitor.config.rows import ROWS
from monitor.discovery.blueprint import Blueprint

_HEAD = """\
# monitor.yaml, written by `nexus-monitor discover` on {day}. Every key: docs/configuration.md.
# Addresses and secrets stay in the environment. What is commented out was found, is looked for again every hour,
# and is used as it stands: take its # away to pin it.
"""


def file_of(checklist: Checklist, blueprint: Blueprint, stack_name: str, api_url: str | None, day: date) -> str:
    """Return the text of the file."""
    parts = [_HEAD.format(day=day.isoformat()), _flow({"name": stack_name})[1:-1]]
    if blueprint.services:
        parts += ["", "# From render.yaml.", yaml.safe_dump({"services": dict(blueprint.services)}).rstrip()]
    parts += ["", *_checks(checklist, blueprint, api_url)]
    lacking = list(_lacking(checklist))
    if lacking:
        parts += ["", "# Not found:", *(f"# {line}" for line in lacking)]
    return "\n".join(parts).rstrip() + "\n"


def _checks(checklist: Checklist, blueprint: Blueprint, api_url: str | None) -> Iterator[str]:
    own: dict[str, str] = {}
    if blueprint.health_path and api_url and "api.health" in checklist.checks:
        own["api.health"] = f"  api.health: {_flow({'url': api_url + blueprint.health_path})}  # from render.yaml"
    if own:
        yield "checks:"
        yield from own.values()
    learned = [
        line for row in ROWS if row.id not in own for line in _learned(checklist, row.id, LEARNED.get(row.id, {}))
    ]
    if learned and not own:
        yield "# checks:"
    yield from (f"  # {line}" if own else f"#   {line}" for line in learned)
    for name in ("webhook_url", "miniapp_url"):
        thing = checklist.found.thing(name)
        if thing.value:
            yield f"# {ABOUT[name].title}: at {address(thing.value)}, from {thing.how}; {name.upper()} would pin it"


def _learned(checklist: Checklist, check_id: str, wanted: Mapping[str, str]) -> Iterator[str]:
    known = {key: thing for key, thing in wanted.items() if checklist.found.thing(thing).values}
    if check_id not in checklist.checks or not known:
        return
    values = {
        key: checklist.found.thing(thing).value if ABOUT[thing].is_one else list(checklist.found.thing(thing).values)
        for key, thing in known.items()
    }
    line = f"{check_id}: {_flow(values)}"
    if redact(line) == line:
        how = ", ".join(dict.fromkeys(checklist.found.thing(thing).how for thing in known.values()))
        yield f"{line}  # {redact(how)}"


def _lacking(checklist: Checklist) -> Iterator[str]:
    for name, thing in checklist.found.things().items():
        if thing.sight is not Sight.FOUND and not thing.values:
            yield f"{ABOUT[name].title}: {redact(thing.why)}{_remedy(thing)}"


def _remedy(thing: Thing) -> str:
    return f" → {thing.setting}" if thing.setting else ""


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False).strip()
