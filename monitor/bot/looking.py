"""Commands that show how things stand: /status, /incidents, /incident, /check."""

import asyncio
from datetime import datetime
from functools import partial

from monitor.bot.asking import Ask, Command, Commands, House, Pending
from monitor.bot.checks import MOST_MEANT, check_message, meant
from monitor.bot.incidents import incident_message, incidents_message, live_incidents
from monitor.bot.lines import rendered, said
from monitor.bot.status import all_message, grouped, heading_message, status_message
from monitor.bot.wishes import incident_number
from monitor.delivery.entities import Rendered, Span
from monitor.delivery.wording import name, names, sentence
from monitor.engine.model import CheckPolicy
from monitor.verbs import NotDoneError

WAIT_MARGIN_SECONDS = 5.0
WAIT_MOST_SECONDS = 60.0
"""A look that takes longer is not waited for."""


def looking(house: House) -> Commands:
    """Return the commands."""
    return {
        "status": Command("the checklist, by its headings", partial(_status, house), usage="[heading|all]"),
        "incidents": Command("what is broken now", partial(_incidents, house)),
        "incident": Command("one incident, its history and its buttons", partial(_incident, house), usage="ID"),
        "check": Command("one check; an operator's is looked at now", partial(_check, house), usage="ID"),
    }


async def _status(house: House, ask: Ask) -> Rendered:
    plan, state = house.plan, house.state()
    if not ask.words:
        return status_message(plan, state, house.now(), house.heading)
    wanted = " ".join(ask.words)
    if wanted.casefold() == "all":
        return all_message(plan, state, house.now(), house.heading)
    message = heading_message(plan, state, wanted, house.heading)
    if message is not None:
        return message
    return said(f"There is no heading {wanted[:60]!r}. There are: {', '.join(grouped(plan.checks, house.heading))}.")


async def _incidents(house: House, ask: Ask) -> Rendered:
    return incidents_message(house.plan, house.state(), house.now())


async def _incident(house: House, ask: Ask) -> Rendered:
    state = house.state()
    live = live_incidents(state)
    if not ask.words and len(live) != 1:
        return incidents_message(house.plan, state, house.now())
    number = incident_number(ask.words[0]) if ask.words else live[0].id
    if number is None:
        return said("Which one? For example /incident 42.")
    incident = state.incidents.get(number) or await house.history.incident(number)
    if incident is None:
        return said(f"There never was an incident #{number}.")
    timeline = await house.history.timeline(number)
    return incident_message(incident, state, house.plan, timeline, house.now(), house.dashboard_url)


async def _check(house: House, ask: Ask) -> Rendered | Pending:
    if not ask.words:
        return said("Which one? For example /check redis.ping; a part of the name will do. /status lists them.")
    found = meant(ask.words[0], house.plan.checks)
    if not found:
        return said(f"There is no check {ask.words[0][:80]!r}. /status lists them.")
    if len(found) > 1:
        shown = names([name(check_id) for check_id in found], MOST_MEANT)
        return rendered([[Span("Which one? "), *shown]])
    policy = house.plan.checks[found[0]]
    if not ask.may_act:
        return check_message(policy, house.state(), house.now())
    try:
        looking = house.verbs.recheck([policy.id])
    except NotDoneError as error:
        return said(str(error))
    return Pending(said(f"🔁 {sentence(looking)}"), partial(_seen, house, policy, house.now()))


async def _seen(house: House, policy: CheckPolicy, asked_at: datetime) -> Rendered:
    """Wait for a look that started after it was asked for, and return what the check saw."""
    try:
        async with asyncio.timeout(min(WAIT_MOST_SECONDS, policy.timeout_seconds + WAIT_MARGIN_SECONDS)):
            with house.subscribe() as changes:
                while True:
                    check = house.state().checks.get(policy.id)
                    if check is not None and check.last_started_at is not None and check.last_started_at >= asked_at:
                        break
                    await changes.wait()
    except TimeoutError:
        late = check_message(policy, house.state(), house.now())
        return Rendered(f"Still looking; this is what was seen before.\n\n{late.text}")
    return check_message(policy, house.state(), house.now())
