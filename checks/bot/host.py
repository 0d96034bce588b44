"""What a network error on the way to the bot's own web server means, and where to look."""

from checks.base import Secret
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict
from checks.wording import address


def host_fact(url: Secret) -> Fact:
    """Return the host alone: the path of a webhook may be secret."""
    return Fact("host", address(url.get_secret_value()))


def told_of_host(verdict: Verdict, subject: str, service: str, url: Secret) -> Verdict:
    """Return `verdict` with `subject` in front, and a hint that names the service on Render."""
    hints = {
        Reason.CONNECTION_REFUSED: f"Render → {service} → Events: crashed, or deploying? Does it bind $PORT?",
        Reason.TIMEOUT: f"Render → {service} → Logs: a blocked loop or a handler that waits; restart it.",
        Reason.CONNECTION_RESET: f"Render → {service} → Events: it may have crashed or restarted (out of memory?).",
        Reason.DNS_FAILURE: f"Was {service} renamed or deleted on Render?",
    }
    return told_as(verdict, subject, hints, host_fact(url))
