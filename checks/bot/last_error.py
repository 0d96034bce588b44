"""What `last_error_message` of getWebhookInfo means, and what to do (telegram-bot-api, WebhookActor.cpp)."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """Why Telegram could not deliver."""

    what: str
    hint: str


_STATUSES: tuple[tuple[tuple[int, ...], Cause], ...] = (
    (
        (301, 302, 303, 307, 308),
        Cause("the webhook redirects", "Telegram follows no redirect: register the final URL (slash, https)."),
    ),
    (
        (401, 403),
        Cause(
            "the bot refuses the call",
            "The secret token differs between setWebhook and the process, or an IP filter or auth layer stands before "
            "it: redeploy, or set the webhook again with the secret from the environment.",
        ),
    ),
    (
        (404,),
        Cause(
            "no such path at the bot", "Path changed, not mounted, or service renamed: compare webhook URL and route."
        ),
    ),
    ((405,), Cause("the path takes no POST", "A static site or another service answers at this URL.")),
    (
        (410,),
        Cause("somebody answers Gone", "Telegram removes the webhook after 23 h of this: find who answers 410."),
    ),
    (
        (400, 422),
        Cause("the bot refuses the update's form", "The web framework's model rejects it: see the bot's log."),
    ),
    ((429,), Cause("a rate limit before the webhook", "Exempt the webhook path from the rate limiter.")),
    (
        (500,),
        Cause(
            "the handler raises",
            "See the bot's log for the traceback. Telegram sends the update again: side effects repeat.",
        ),
    ),
    (
        (502, 503, 504),
        Cause("the bot's service is not up", "Render → Events: deploying, crashed, asleep or out of memory?"),
    ),
)

_TEXTS: tuple[tuple[str, Cause], ...] = (
    (
        "read timeout expired",
        Cause("the bot does not answer within 60 s", "Answer first, work later: slow handler, blocked loop or a lock."),
    ),
    (
        "write timeout expired",
        Cause("the bot does not read the call", "Overloaded or hung: restart it, and look at CPU and memory."),
    ),
    (
        "unknown state",
        Cause("no TLS at that port", "The port of the webhook URL speaks no TLS: register the https address."),
    ),
    (
        "ssl error",
        Cause("the certificate is not accepted", "Expired, self-signed or incomplete chain: renew it, full chain."),
    ),
    (
        "failed to resolve host",
        Cause("the webhook's host does not resolve", "Service renamed or deleted, or the domain's DNS is broken."),
    ),
    ("is reserved", Cause("the webhook's address is private", "Register a public address.")),
    ("ipv6-only", Cause("the webhook's host has no IPv4 address", "Telegram delivers over IPv4: add an A record.")),
    (
        "only on ports",
        Cause("the webhook's port is not allowed", "Telegram delivers to ports 443, 80, 88 and 8443 only."),
    ),
    ("https url must be provided", Cause("the webhook is not https", "Register an https URL.")),
    (
        "connect",
        Cause("Telegram cannot connect to the bot", "Service down, wrong port or firewall: Render → Events, Logs."),
    ),
)
"""Start or part of the message in lower case → cause, the most telling first."""

UNKNOWN = Cause("Telegram could not deliver", "See the bot's log and Render → Events at the time of the error.")


def cause_of_status(status: int) -> Cause:
    """Return the cause of an HTTP status that the webhook answers with."""
    known = next((cause for statuses, cause in _STATUSES if status in statuses), None)
    if known is not None:
        return known
    return Cause(f"the webhook answers {status}", UNKNOWN.hint)


def cause_of(message: str) -> Cause:
    """Return the cause of a `last_error_message`."""
    answered = re.match(r"(?i)wrong response from the webhook:?\s*(\d{3})", message)
    if answered:
        return cause_of_status(int(answered.group(1)))
    text = message.lower()
    return next((cause for part, cause in _TEXTS if part in text), UNKNOWN)
