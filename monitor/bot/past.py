"""Commands about what was: /uptime, /deploys."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from monitor.bot.asking import Ask, Command, Commands, House
from monitor.bot.checks import MOST_MEANT, meant
from monitor.bot.lines import Line, rendered, said, title
from monitor.bot.status import grouped
from monitor.delivery.entities import Rendered, Span
from monitor.delivery.wording import moment, name, names, sentence, spell
from monitor.engine.model import DeployWindow
from monitor.engine.spans import Span as Tile
from monitor.engine.spans import SpanKind
from monitor.engine.uptime import Uptime, uptime_of

PERIODS = {"24 h": timedelta(days=1), "7 days": timedelta(days=7), "30 days": timedelta(days=30)}
WEEK = timedelta(days=7)
LISTED_DEPLOYS = 10


def past(house: House) -> Commands:
    """Return the commands."""
    return {
        "uptime": Command("how much of the time it worked", partial(_uptime, house), usage="[check]"),
        "deploys": Command("the last deploys", partial(_deploys, house)),
    }


async def _uptime(house: House, ask: Ask) -> Rendered:
    if ask.words:
        return await _uptime_of_check(house, ask.words[0])
    now = house.now()
    tiles = await house.history.spans(now - WEEK)
    lines: list[Line] = [[Span("Up in the last 7 days", "bold")]]
    for heading, check_ids in grouped(house.plan.checks, house.heading).items():
        uptimes = {check_id: uptime_of(tiles.get(check_id, ()), now - WEEK, now) for check_id in check_ids}
        lines += _heading_lines(heading, uptimes)
    return rendered([*lines, [Span("")], [Span("/uptime CHECK shows more")]])


def _heading_lines(heading: str, uptimes: dict[str, Uptime]) -> list[Line]:
    """Return a heading with the worst of its checks, and each check that was down at all."""
    known = [uptime for uptime in uptimes.values() if uptime.availability is not None]
    worst = min(known, key=lambda uptime: uptime.availability or 0.0, default=Uptime())
    lines: list[Line] = [[title(heading), Span(f" · {_words(worst)}")]]
    for check_id, uptime in sorted(uptimes.items(), key=lambda item: -item[1].down_seconds):
        if uptime.down_seconds > 0:
            down = spell(timedelta(seconds=uptime.down_seconds))
            share = f" {uptime.text()}," if uptime.is_sufficient else ""
            lines.append([Span("  "), name(check_id), Span(f"{share} down {down}")])
    return lines


async def _uptime_of_check(house: House, word: str) -> Rendered:
    found = meant(word, house.plan.checks)
    if len(found) != 1:
        which = names([name(check_id) for check_id in found], MOST_MEANT)
        return rendered([[Span("Which one? "), *which]]) if found else said(f"There is no check {word[:80]!r}.")
    now = house.now()
    longest = max(PERIODS.values())
    tiles = (await house.history.spans(now - longest, found)).get(found[0], ())
    lines: list[Line] = [[Span("Up: "), name(found[0])]]
    for period, span in PERIODS.items():
        uptime = uptime_of(tiles, now - span, now)
        lines.append([Span(f"{period}: "), Span(_words(uptime), "bold"), Span(_outages(tiles, uptime, now - span))])
    return rendered(lines)


def _words(uptime: Uptime) -> str:
    """Return the availability with its coverage; never a number that hides how little is known."""
    if uptime.availability is None:
        return "not seen yet"
    if uptime.is_sufficient:
        return uptime.text()
    return f"{uptime.text()} ({int(uptime.coverage * 1000) / 10:g} % seen)"


def _outages(tiles: Sequence[Tile], uptime: Uptime, since_at: datetime) -> str:
    count = sum(tile.kind is SpanKind.DOWN and (tile.ended_at is None or tile.ended_at > since_at) for tile in tiles)
    if not count:
        return ""
    down = spell(timedelta(seconds=uptime.down_seconds))
    return f" · {count} outage{'s' if count > 1 else ''}, {down}"


async def _deploys(house: House, ask: Ask) -> Rendered:
    windows = await house.history.deploys(LISTED_DEPLOYS)
    if not windows:
        return said("No deploy was seen yet.")
    now = house.now()
    lines: list[Line] = [[Span("Deploys", "bold")]]
    return rendered([*lines, *(_deploy_line(window, now) for window in windows)])


def _deploy_line(window: DeployWindow, now: datetime) -> Line:
    what = [Span(sentence(window.commit[:7]) or "?", "code"), Span(f" of {sentence(window.service, 60) or '?'}, ")]
    if window.is_failed:
        return [Span("🔴 "), *what, Span("failed, "), moment(window.ended_at or window.started_at, now)]
    if window.live_at is None:
        return [Span("🔵 "), *what, Span("under way since "), moment(window.started_at, now)]
    return [Span("🟢 "), *what, Span("live since "), moment(window.live_at, now)]
