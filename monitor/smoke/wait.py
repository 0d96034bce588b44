"""Waits until a commit is what answers: a 200 of the old instance proves nothing about the new one."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.errors import UsageError

POLL_SECONDS = 3.0
SIGHTINGS = 3
"""During a rolling deploy old and new answer in turn: so many answers in a row must be the new one's."""
SHORTEST_COMMIT = 7
COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "RENDER_GIT_COMMIT", "BUILDKITE_COMMIT", "CIRCLE_SHA1")


class Waited(StrEnum):
    """How the waiting ended."""

    LIVE = "live"
    TIMED_OUT = "timed out"
    DEPLOY_FAILED = "deploy failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one place said when it was asked for its commit."""

    place: str
    commit: str = ""
    """Empty where it named none."""
    error: str = ""
    failed: str = ""
    """Why its deploy will never be live, where somebody says so."""


Ask = Callable[[], Awaitable[Sequence[Sighting]]]
"""Ask every place once. Does not raise for what the network does."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended, with the sentence for the report."""

    waited: Waited
    said: str


def commit_wanted(given: str, environment: Mapping[str, str]) -> str:
    """Return the commit to wait for: as given, or for `auto` what CI or git says. Raises UsageError."""
    commit = given
    if given == "auto":
        named = next((environment[name] for name in COMMIT_VARIABLES if environment.get(name)), "")
        commit = named or _head()
        if not commit:
            raise UsageError(f"--expect-commit auto: none of {', '.join(COMMIT_VARIABLES)} is set, and git names none")
    if len(commit) < SHORTEST_COMMIT or any(sign not in "0123456789abcdef" for sign in commit.lower()):
        raise UsageError(f"--expect-commit: {commit!r} is no commit: {SHORTEST_COMMIT} or more hex digits, or auto")
    return commit.lower()


def _head() -> str:
    try:
        ended = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            env={"PATH": os.environ.get("PATH", "")},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""


def is_same(one: str, other: str) -> bool:
    """Say whether two names of a commit, either of which may be cut short, mean the same."""
    shorter, longer = sorted((one.lower(), other.lower()), key=len)
    return len(shorter) >= SHORTEST_COMMIT and longer.startswith(shorter)


async def wait_for(
    commit: str,
    ask: Ask,
    *,
    timeout_seconds: float,
    monotonic: Callable[[], float],
    progress: Callable[[str], None],
    poll_seconds: float = POLL_SECONDS,
) -> Ending:
    """Ask until every place has named the commit `SIGHTINGS` times in a row, or that cannot happen any more."""
    started = monotonic()
    in_a_row: dict[str, int] = {}
    last: Sequence[Sighting] = ()
    told = ""
    while True:
        last = await ask()
        if not last:
            return Ending(Waited.UNDECIDED, "no place names its commit: nothing to wait for")
        for place in last:
            if place.failed:
                return Ending(Waited.DEPLOY_FAILED, f"{place.place}: {place.failed}")
            in_a_row[place.place] = in_a_row.get(place.place, 0) + 1 if is_same(place.commit, commit) else 0
        if all(in_a_row[place.place] >= SIGHTINGS for place in last):
            took = monotonic() - started
            names = ", ".join(place.place for place in last)
            return Ending(Waited.LIVE, f"{commit[:12]} is live on {names} after {took:.0f} s")
        said = _said(last)
        if said != told:
            progress(f"waiting for {commit[:12]}: {said}")
            told = said
        if monotonic() - started + poll_seconds > timeout_seconds:
            undecided = all(not place.commit for place in last)
            return Ending(
                Waited.UNDECIDED if undecided and not any(place.error for place in last) else Waited.TIMED_OUT,
                f"{commit[:12]} was not live within {timeout_seconds:.0f} s: {said}",
            )
        await asyncio.sleep(poll_seconds)


def _said(places: Sequence[Sighting]) -> str:
    return "; ".join(
        f"{place.place} {('answers with ' + place.commit[:12]) if place.commit else place.error or 'names no commit'}"
        for place in places
    )
