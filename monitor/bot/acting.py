"""Commands that change something: /ack, /silence, /maintenance. For operators."""

from datetime import datetime
from functools import partial

from monitor.bot.access import Right
from monitor.bot.asking import Ask, Command, Commands, House
from monitor.bot.incidents import live_incidents
from monitor.bot.lines import Line, rendered, said
from monitor.bot.wishes import WishError, incident_number, read_wish
from monitor.delivery.entities import Rendered, Span
from monitor.delivery.wording import moment, sentence, tag
from monitor.engine.model import Incident, IncidentStatus, Silence, Silenced

REASON = "asked for in Telegram"
WISH = "CHECK|SERVICE|all 30m|2h|1d|until 09:00 [why]"


def acting(house: House) -> Commands:
    """Return the commands."""
    return {
        "ack": Command("take an incident", partial(_ack, house), Right.OPERATE, "[ID]"),
        "silence": Command(
            "tell nothing for a while", partial(_silence, house), Right.OPERATE, f"ID|{WISH}, ID until resolved, off N"
        ),
        "maintenance": Command(
            "the same, and it does not count as down time", partial(_maintenance, house), Right.OPERATE, WISH
        ),
    }


async def _ack(house: House, ask: Ask) -> Rendered:
    live = live_incidents(house.state())
    if ask.words:
        number = incident_number(ask.words[0])
        incident = None if number is None else house.state().incidents.get(number)
        if incident is None:
            return said(f"There is no open incident {ask.words[0][:40]!r}. /incidents lists them.")
        return await _taken(house, ask, incident)
    waiting = [incident for incident in live if incident.status is not IncidentStatus.ACKED]
    if not waiting:
        return said("There is nothing to take: " + ("all incidents are taken." if live else "no incident is open."))
    if len(waiting) > 1:
        return said(f"Which one? /ack {waiting[0].id}, … There are {', '.join(tag(one) for one in waiting[:20])}.")
    return await _taken(house, ask, waiting[0])


async def _taken(house: House, ask: Ask, incident: Incident) -> Rendered:
    return said(await house.verbs.ack(incident, ask.author))


async def _silence(house: House, ask: Ask) -> Rendered:
    if ask.words and ask.words[0].casefold() == "off":
        return await _off(house, ask)
    return await _hush(house, ask, is_maintenance=False)


async def _maintenance(house: House, ask: Ask) -> Rendered:
    return await _hush(house, ask, is_maintenance=True)


async def _hush(house: House, ask: Ask, *, is_maintenance: bool) -> Rendered:
    if not ask.words:
        return silences_message(house)
    try:
        wish = read_wish(ask.words, house.plan, house.now())
    except WishError as error:
        return said(str(error))
    incident_id = wish.selector.removeprefix("incident:")
    if incident_id == wish.selector:
        return said(
            await house.verbs.silence(
                Silenced(wish.selector, wish.ends_at, ask.author, wish.reason or REASON, is_maintenance)
            )
        )
    if is_maintenance:
        return said("Maintenance is of a check, a service, a subtree or all. An incident is silenced: /silence.")
    incident = house.state().incidents.get(int(incident_id))
    if incident is None:
        return said(f"There is no open incident #{incident_id}. /incidents lists them.")
    until = wish.ends_at
    return said(await house.verbs.silence_incident_until(incident, until, ask.author, wish.reason or REASON))


async def _off(house: House, ask: Ask) -> Rendered:
    word = ask.words[1].removeprefix("#") if len(ask.words) > 1 else ""
    if not (word.isascii() and word.isdigit() and len(word) < 19):
        return said("Which one? /silence lists them with their numbers; then /silence off 3.")
    return said(await house.verbs.end_silence(int(word), ask.author))


def silences_message(house: House) -> Rendered:
    """Return the silences that run, with the numbers by which they are ended."""
    now = house.now()
    running = [silence for _, silence in sorted(house.state().silences.items()) if silence.ended_at is None]
    if not running:
        return said("Nothing is silenced. For example: /silence redis.ping 2h moving to a new plan")
    lines: list[Line] = [[Span("Silenced", "bold")]]
    for silence in running:
        lines += [[Span("")], *_lines_of(silence, now)]
    return rendered([*lines, [Span("")], [Span(f"/silence off {running[0].id} ends one")]])


def _lines_of(silence: Silence, now: datetime) -> list[Line]:
    end = [Span("until it is resolved")] if silence.ends_at is None else [Span("until "), moment(silence.ends_at, now)]
    word = "🛠 maintenance of" if silence.is_maintenance else "🔕"
    return [
        [Span(f"{silence.id}. {word} "), Span(sentence(silence.selector, 100), "code"), Span(" "), *end],
        [Span(f"{sentence(silence.author, 60)}: {sentence(silence.reason, 200)}")],
    ]
