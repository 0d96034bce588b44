"""Stories in letters: one letter a minute of what is true, and one for each message that people then read.

    redis             ...xxxxxx......     what is true of each check, minute by minute
    worker < redis    ...xxxxxx......     `<` names its parents
    people            .....a.........     what people and machines do
    -> redis          ...O.....R.....     what is said, in the minute it is said, and of whom

A check: `.` well  `x` down  `b` one look fails  `i` one look in five fails, by chance  `d` degraded  `s` slow
         `?` undecided  `_` no look comes back
People:  `a` somebody takes every open incident  `[` and `]` a silence of everything begins and ends
         `D` a deploy starts  `L` it is live  `F` it fails  `K` the monitor is dead for this minute
         `T` another monitor takes over
Said:    `O` open  `R` resolved  `A` again (reopened)  `^` more urgent  `r` reminder  `E` escalated  `S` told late
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zlib import crc32

from checks.result import Outcome, Reason, Result, Verdict
from monitor.engine.model import (
    Acked,
    Chat,
    CheckPolicy,
    DeployEnded,
    DeployStarted,
    Event,
    MessageKind,
    Plan,
    ProbeNow,
    Severity,
    Silenced,
    SilenceEnded,
    State,
)
from monitor.probing.sight import blind
from monitor.scenario.timetable import Timetable
from tests.monitor.engine.story import OPS, START

MINUTE = 60.0
TICK_SECONDS = 5.0
SERVICE = "shop"
"""All checks of a story speak about one service, so that a silence or a deploy concerns all of them."""

SAID = {
    MessageKind.OPEN: "O",
    MessageKind.RESOLVE: "R",
    MessageKind.REOPEN: "A",
    MessageKind.RISE: "^",
    MessageKind.REMIND: "r",
    MessageKind.ESCALATE: "E",
    MessageKind.SUMMARY: "S",
}

_OUTCOMES = {
    "x": (Outcome.FAILED, Reason.TIMEOUT),
    "d": (Outcome.DEGRADED, Reason.DRIFT),
    "?": (Outcome.UNKNOWN, Reason.VANTAGE),
}
_ROW = re.compile(r"(?P<name>[\w.]+)(?P<warning> \(warning\))?(?: < (?P<parents>[\w., ]+?))?\s{2,}(?P<letters>\S+)")
_WORDS = "people"


class Change(Enum):
    """What happens to the monitor itself."""

    DIES = "dies"
    STARTS = "starts"
    TAKEN_OVER = "taken over"


@dataclass(frozen=True, slots=True)
class Letters:
    """One story."""

    plan: Plan
    truth: Mapping[str, str]
    people: str
    said: Mapping[str, str]

    @property
    def minutes(self) -> int:
        return len(next(iter(self.truth.values())))


def read_letters(text: str) -> Letters:
    """Read a story. Raises ValueError for what is no story: a test that tells nothing is worse than none."""
    policies: dict[str, CheckPolicy] = {}
    truth: dict[str, str] = {}
    said: dict[str, str] = {}
    people = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        row = _ROW.fullmatch(line.removeprefix("-> "))
        if row is None:
            raise ValueError(f"not a row of a story: {line}")
        name, letters = row["name"], row["letters"]
        if line.startswith("-> "):
            said[name] = letters
        elif name == _WORDS:
            people = letters
        else:
            truth[name] = letters
            policies[name] = CheckPolicy(
                name,
                SERVICE,
                30.0,
                10.0,
                10.0,
                severity=Severity.WARNING if row["warning"] else Severity.PAGE,
                hard_parents=tuple((row["parents"] or "").replace(",", " ").split()),
                is_vantage=name.startswith("vantage."),
                slow_ceiling_seconds=5.0,
            )
    letters_of_people = people or "." * max(map(len, truth.values()))
    rows = (*truth.values(), *said.values(), letters_of_people)
    if len({len(row) for row in rows}) != 1:
        raise ValueError(f"the rows of a story are of different length: {[len(row) for row in rows]}")
    if stray := set("".join(truth.values())) - set(".xbids?_") | set(letters_of_people) - set(".a[]DLFKT"):
        raise ValueError(f"no such letter: {sorted(stray)}")
    return Letters(Plan(policies, (Chat(OPS),)), truth, letters_of_people, said)


class Telling:
    """Plays a story: what happens to the monitor, in order."""

    def __init__(self, letters: Letters, state: Callable[[], State]) -> None:
        """`state` is the newest of whoever plays it."""
        self._letters = letters
        self._state = state
        self._looks: Counter[tuple[str, int]] = Counter()
        self._timetable = Timetable(letters.plan, START, self._look, state, tick_seconds=TICK_SECONDS)

    def probe_now(self, effect: ProbeNow, now: datetime) -> None:
        self._timetable.probe_now(effect, now)

    def happenings(self) -> Iterator[tuple[datetime, Event | Change]]:
        """Yield each event with its instant. Whoever takes one applies it before the next."""
        for minute in range(self._letters.minutes):
            begins = MINUTE * minute
            at = START + timedelta(seconds=begins)
            letter = self._letters.people[minute]
            if letter == "K":
                yield at, Change.DIES
                yield at + timedelta(seconds=MINUTE), Change.STARTS
                self._timetable.start_looking(begins + MINUTE)
                continue
            if letter == "T":
                yield at, Change.TAKEN_OVER
                self._timetable.start_looking(begins)
            for event in self._acts(letter, at):
                yield at, event
            yield from self._timetable.events(begins, begins + MINUTE)

    def _acts(self, letter: str, at: datetime) -> list[Event]:
        state = self._state()
        match letter:
            case "a":
                return [Acked(incident.id, "olivia") for incident in state.incidents.values() if incident.is_live]
            case "[":
                return [Silenced(f"service:{SERVICE}", at + timedelta(hours=1), "olivia", "planned work")]
            case "]":
                return [SilenceEnded(silence, "olivia") for silence in state.silences]
            case "D":
                return [DeployStarted("d1", SERVICE, "0123abc")]
            case "L" | "F":
                return [DeployEnded("d1", is_live=letter == "L")]
        return []

    def _look(self, name: str, at: datetime) -> Result | None:
        minute = int((at - START).total_seconds() // MINUTE)
        letter = self._letters.truth[name][minute]
        self._looks[name, -1] += 1
        self._looks[name, minute] += 1
        is_first = self._looks[name, minute] == 1
        if letter == "_":
            return None
        is_unlucky = crc32(b"%d" % self._looks[name, -1]) % 5 == 0
        is_bad = letter == "x" or (letter == "b" and is_first) or (letter == "i" and is_unlucky)
        outcome, reason = _OUTCOMES.get("x" if is_bad else letter, (Outcome.OK, None))
        if not name.startswith("vantage.") and blind(self._letters.plan, self._state(), name):
            outcome, reason = _OUTCOMES["?"]
        verdict = Verdict(outcome, f"{name} is {outcome.value}", reason)
        return Result(name, verdict, at, 9.0 if letter == "s" else 0.1)


class Notebook:
    """Writes down what people read, as a story does."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._rows: dict[str, list[str]] = defaultdict(lambda: ["."] * minutes)

    def write(self, at: datetime, root: str, kind: MessageKind) -> None:
        """Note one message; two of one root in one minute are shown as `#`."""
        row, minute = self._rows[root], int((at - START).total_seconds() // MINUTE)
        row[minute] = SAID[kind] if row[minute] == "." else "#"

    def said(self) -> dict[str, str]:
        return {root: "".join(row) for root, row in self._rows.items()}
