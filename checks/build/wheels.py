"""`build.wheels`: what the requirements come to on the platform, from wheels alone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from checks.base import IO, Check, CheckConfig
from checks.build.findings import Finding, verdict_of_findings
from checks.build.known_pairs import broken_pairs
from checks.build.plans import Install, installs, next_python
from checks.build.resolver import Resolution, has_resolver, pins_of, resolve
from checks.result import Fact, Reason, Verdict, unknown

AT_ONCE = 8
"""So many resolvers run at the same time when pins are asked one by one."""


class BuildWheelsConfig(CheckConfig):
    """Where the repository is."""

    kind: str = "build.wheels"
    id: str = "build.wheels"
    service: str = "render"
    interval_seconds: float = 86_400.0
    timeout_seconds: float = 600.0
    path: Path = Path()
    """The repository's root."""
    created_on: date | None = None
    """When the services were created: it decides the Python of those without a pin. None is today."""


@dataclass(frozen=True, slots=True)
class Built:
    """What one list came to."""

    install: Install
    from_wheels: Resolution
    pins: Mapping[str, str]
    """What would be installed; where there is no solution, the exact pins of the list itself."""
    without_wheel: tuple[str, ...] = ()
    """Pins that have no wheel for this Python."""
    next_python: str | None = None
    without_next_wheel: tuple[str, ...] = ()
    """Pins that have no wheel for the next Python."""


@dataclass(frozen=True, slots=True)
class WheelsSeen:
    """What all lists came to."""

    built: tuple[Built, ...]
    problem: str = ""
    """Why nothing could be asked."""


class BuildWheels(Check[BuildWheelsConfig, WheelsSeen]):
    """Resolve every list of the repository for its Python, wheels only."""

    Config = BuildWheelsConfig

    async def measure(self, io: IO) -> WheelsSeen:
        """Ask the resolver; several lists at the same time."""
        path = self.config.path
        found = await asyncio.to_thread(installs, path, self.config.created_on)
        if not has_resolver():
            return WheelsSeen((), "uv is not installed: nothing was resolved")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_build(one, path), name=f"build {one.name}") for one in found]
        return WheelsSeen(tuple(task.result() for task in tasks))

    def judge(self, seen: WheelsSeen, now: datetime, before: Sequence[WheelsSeen] = ()) -> Verdict:
        """Failed without a solution or a wheel; degraded for what will break next, or breaks only when it runs."""
        if seen.problem:
            return unknown(Reason.NOT_CONFIGURED, seen.problem, hint="Install uv beside nexus-monitor.")
        if not seen.built:
            return unknown(
                Reason.NOT_CONFIGURED,
                "no requirements found",
                hint="Name them in render.yaml (`pip install -r …`), or put requirements.txt at the root.",
            )
        unreachable = [built.install.name for built in seen.built if built.from_wheels.is_unreachable]
        if unreachable:
            return unknown(
                Reason.UNREACHABLE,
                f"no package registry could be reached: {', '.join(unreachable)} not resolved",
                hint="Run it where the registry can be reached.",
                excerpt=next(built.from_wheels.problem for built in seen.built if built.from_wheels.is_unreachable),
            )
        findings = [finding for built in seen.built for finding in wheel_findings(built)]
        facts = [Fact(built.install.name, _said(built)) for built in seen.built]
        names = ", ".join(built.install.name for built in seen.built)
        return verdict_of_findings(findings, f"every pin has a wheel: {names}", *facts, reason=Reason.VERSION)


def wheel_findings(built: Built) -> list[Finding]:
    """Return what is wrong with one list. Pure."""
    install, wheels = built.install, built.from_wheels
    findings: list[Finding] = []

    def found(rule: str, message: str, fix: str, *, is_error: bool) -> None:
        findings.append(Finding(rule, "error" if is_error else "warning", install.file, 0, message, fix))

    python = f"Python {install.python}{'' if install.is_pinned else ' (the default: none is pinned)'}"
    if built.without_wheel:
        message = f"no wheel for {python}: {', '.join(built.without_wheel)}"
        found("no-wheel", message, "pin a Python that has them, or versions that have wheels for it", is_error=True)
    elif wheels.problem:
        found("no-solution", f"no solution: {wheels.problem}", "change one of the two", is_error=True)
    if built.without_next_wheel:
        found(
            "next-python",
            f"no wheel for Python {built.next_python}: {', '.join(built.without_next_wheel)}",
            f"upgrade them before Python {built.next_python}",
            is_error=False,
        )
    pins = built.pins
    for pair in broken_pairs({**pins, "python": install.python}):
        versions = f"{pair.one}=={pins.get(pair.one)} with {pair.other} {pins.get(pair.other, install.python)}"
        found("broken-pair", f"{versions}: {pair.what}", f"{pair.fix} ({pair.source})", is_error=False)
    for yanked in wheels.yanked:
        found("yanked", f"{yanked} was withdrawn by its authors", "take another version", is_error=False)
    return findings


async def _build(install: Install, path: Path) -> Built:
    folder = (path / install.file).parent
    wheels = await resolve(install.requirements, install.python, folder)
    pins = wheels.pins or pins_of(install.requirements)
    if wheels.is_unreachable:
        return Built(install, wheels, pins)
    following = next_python(install.python)
    without: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    if wheels.problem:
        without = await _without_wheels(pins, install.python, folder)
        # What the list does not name itself but needs: uv says which one stopped it.
        without = tuple(dict.fromkeys((*without, *wheels.without_wheel)))
    elif following:
        later = await _without_wheels(pins, following, folder)
    return Built(install, wheels, pins, without, following, later)


async def _without_wheels(pins: Mapping[str, str], python: str, folder: Path) -> tuple[str, ...]:
    """Return the pins that have no wheel for this Python: all at once first, one by one where that fails."""
    lines = [f"{name}=={version}" for name, version in pins.items()]
    if not lines or not (await _alone("\n".join(lines), python, folder)).problem:
        return ()
    room = asyncio.Semaphore(AT_ONCE)

    async def is_without(line: str) -> bool:
        async with room:
            answer = await _alone(line, python, folder)
        return bool(answer.problem) and not answer.is_unreachable

    async with asyncio.TaskGroup() as group:
        tasks = {line: group.create_task(is_without(line), name=f"wheel of {line}") for line in lines}
    return tuple(line for line, task in tasks.items() if task.result())


async def _alone(requirements: str, python: str, folder: Path) -> Resolution:
    return await resolve(requirements, python, folder, with_dependencies=False)


def _said(built: Built) -> str:
    if not built.from_wheels.problem:
        return f"{len(built.from_wheels.pins)} packages, all from wheels"
    return f"{len(built.without_wheel)} packages without a wheel" if built.without_wheel else "no solution"
