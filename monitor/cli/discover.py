"""`nexus-monitor discover`: what is there to watch, how that was found, and what would add more."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, read

if TYPE_CHECKING:
    from monitor.config.checklist import Checklist
    from monitor.config.found import Found, Thing
    from monitor.config.settings import Settings

SHOWN = 8
"""So many values of one thing are shown; `+3` says that there are more."""
ANSWERS = {"fully": "✔", "partly": "◐", "not": "✘"}


def discover(
    config: ConfigOption = None,
    render_yaml: Annotated[
        Path | None, typer.Option("--render-yaml", help="The watched stack's Blueprint: names of its services.")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write what was found as a commented monitor.yaml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take what is there now as what should be: what vanished is not missed.")
    ] = False,
) -> None:
    """Look around in the stack and show what was found, how, and which one setting would add what was not."""
    from monitor.config.checklist import build_checklist
    from monitor.discovery.blueprint import Blueprint, read_blueprint
    from monitor.errors import UsageError
    from monitor.log import configure_logging

    configure_logging("error")
    settings, stack = read(config)
    build_checklist(settings, stack)  # a mistake is told before anybody looks around
    blueprint = read_blueprint(render_yaml) if render_yaml else Blueprint()
    if write is not None and write.exists() and not force:
        raise UsageError(f"{write}: is there already; --force writes over it")
    found = asyncio.run(_found(settings, accept=accept))
    checklist = build_checklist(settings, stack, found)
    for line in (*_things(found), *_services(blueprint.services, blueprint.others), *_lines(checklist)):
        typer.echo(line)
    if found.vanished:
        typer.echo("What vanished stays expected; `discover --accept` takes what is there now as what should be.")
    if accept:
        typer.echo("Accepted. A running monitor takes it over within half a minute.")
    if write is not None:
        from datetime import UTC, datetime

        from monitor.discovery.written import file_of

        text = file_of(checklist, blueprint, stack.name, settings.api_url, datetime.now(UTC).date())
        _write(write, text)
        typer.echo(f"Written: {write}")


async def _found(settings: "Settings", *, accept: bool) -> "Found":
    from datetime import UTC, datetime

    from monitor.config.found import accepted, joined
    from monitor.discovery.known import kept_for
    from monitor.discovery.look import discover as look_around

    found = joined(await kept_for(settings), await look_around(settings))
    if not accept:
        return found
    from monitor.store.store import Store

    def now() -> datetime:
        return datetime.now(UTC)

    found = accepted(found)
    store = await Store.open(settings.monitor_database_url.get_secret_value(), now=now)
    try:
        await store.keep_found(found)
        await store.accept_found(now())
    finally:
        await store.close()
    return found


def _things(found: "Found") -> Iterator[str]:
    from monitor.config.found import ABOUT

    width = max(len(about.title) for about in ABOUT.values())
    source = ""
    for name, thing in found.things().items():
        about = ABOUT[name]
        if about.source != source:
            source = about.source
            yield f"{source}{'' if source in found.targets else ' is not set'}"
        if source in found.targets:
            yield f"  {_sign(thing)} {about.title:<{width}}  {_said(name, thing)}"


def _sign(thing: "Thing") -> str:
    from monitor.config.found import Sight

    if thing.gone:
        return "!"
    return {Sight.FOUND: "✔", Sight.ABSENT: "✘", Sight.UNREACHED: "?", Sight.UNASKED: "✘"}[thing.sight]


def _said(name: str, thing: "Thing") -> str:
    from checks.redaction import redact
    from monitor.config.found import Sight

    words = [_shown(name, thing.values)] if thing.values else []
    if thing.gone:
        words.append(f"not there: {_shown(name, thing.gone)}")
    if thing.instead:
        words.append(f"instead: {_shown(name, thing.instead)}")
    if thing.sight is Sight.FOUND:
        words.append(f"← {thing.how}")
    else:
        words.append(f"{'not reached now: ' if thing.sight is Sight.UNREACHED else ''}{thing.why}")
    if thing.setting:
        words.append(f"→ {thing.setting}")
    return redact("  ".join(words))


def _shown(name: str, values: tuple[str, ...]) -> str:
    if name == "webhook_url":  # its path may be secret
        from checks.wording import address

        values = tuple(f"{value.partition('://')[0]}://{address(value)}/…" for value in values)
    rest = len(values) - SHOWN
    return ", ".join(values[:SHOWN]) + (f" +{rest}" if rest > 0 else "")


def _services(services: Mapping[str, str], others: tuple[str, ...]) -> Iterator[str]:
    if services or others:
        yield "render.yaml"
        yield from (f"  ✔ {role:<9}  {name}" for role, name in services.items())
        yield from (f"  ? {'?':<9}  {name}: which part is it? name it in services" for name in others)


def _lines(checklist: "Checklist") -> Iterator[str]:
    from checks.registry import CHECKS
    from monitor.config.coverage import coverage

    covered = coverage(checklist, CHECKS)
    answered = sum(1 for line in covered if line.by)
    yield f"The checklist: {answered} of {len(covered)} lines are answered by {len(checklist.checks)} checks"
    width = max(len(line.words) for line in covered)
    for line in covered:
        words = [", ".join(line.by)] if line.by else []
        words += [line.why] if line.why else []
        yield f"  {ANSWERS[line.answer]} {line.words:<{width}}  {'; '.join(words)}"


def _write(path: Path, text: str) -> None:
    from monitor.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
