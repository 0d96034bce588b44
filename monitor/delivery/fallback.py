"""The way out when Telegram is: plain text through apprise to mail, Slack, SMS and a hundred others."""

import asyncio
import logging
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered
from monitor.engine.model import DeliveryOutcome
from monitor.errors import UsageError

if TYPE_CHECKING:
    from apprise import NotifyBase

TIMEOUT_SECONDS = 20.0
"""Of one message to all addresses; less than half the lease of a message in the outbox."""

MOST_STUCK = 4
"""So many messages may hang in a library that does not return before no further one is begun."""

TITLE_UNITS = 200


class FallbackChannel:
    """Sends to every address; one that takes the message is enough. There is nothing to edit.

    apprise blocks, and says no more than yes or no. So each message has a thread of its own and a hard time-out, and
    a no is tried again: rather twice than never.
    """

    def __init__(self, addresses: Sequence[SecretStr], *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Raise `UsageError` for an address that apprise does not understand."""
        self._services = open_services(addresses)
        self._timeout_seconds = timeout_seconds
        self._running: set[threading.Thread] = set()

    async def send(self, target: str, rendered: Rendered, *, reply_to: int | None, is_silent: bool) -> Sent:
        self._running = {thread for thread in self._running if thread.is_alive()}
        if len(self._running) >= MOST_STUCK:
            return Sent(DeliveryOutcome.RETRY, detail=f"{len(self._running)} earlier messages still hang")
        title, body = _title_and_body(rendered)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                taken = await self._in_thread(lambda: self._notify(title, body))
        except TimeoutError:
            return Sent(DeliveryOutcome.AMBIGUOUS, detail=f"no answer within {self._timeout_seconds:g} s")
        said = f"{taken} of {len(self._services)} addresses took it"
        return Sent(DeliveryOutcome.DELIVERED if taken else DeliveryOutcome.RETRY, detail=said)

    async def edit(self, target: str, message_id: int, rendered: Rendered) -> Sent:
        return Sent(DeliveryOutcome.DELIVERED, message_id)

    def _notify(self, title: str, body: str) -> int:
        """Return how many addresses took it. Blocks."""
        return sum(_takes(service, title, body) for service in self._services)

    async def _in_thread(self, call: Callable[[], int]) -> int:
        """Run in a daemon thread: one that hangs for ever holds up neither the loop nor its end."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()

        def settle(taken: int) -> None:
            if not done.done():
                done.set_result(taken)

        def run() -> None:
            taken = call()
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, taken)

        thread = threading.Thread(target=run, daemon=True, name="fallback")
        self._running.add(thread)
        thread.start()
        return await done


def open_services(addresses: Sequence[SecretStr]) -> "tuple[NotifyBase, ...]":
    """Return apprise's services. Raises `UsageError`, which names an address by its place: it may hold a password.

    Imports apprise and hundreds of its plugins: not to be called while the loop turns.
    """
    with warnings.catch_warnings():
        # Its plugins try modules that Python is about to drop; that is no news for who runs the monitor.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _open(addresses)


def _open(addresses: Sequence[SecretStr]) -> "tuple[NotifyBase, ...]":
    from apprise import Apprise, AppriseAsset

    # It prints addresses when they fail, with more of them the lower the level.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asset = AppriseAsset(app_id="Nexus Monitor", app_desc="Nexus Monitor", async_mode=False)
    services = [Apprise.instantiate(address.get_secret_value(), asset=asset) for address in addresses]
    unknown = [number for number, service in enumerate(services, 1) if service is None]
    if unknown:
        places = ", ".join(map(str, unknown))
        raise UsageError(f"MONITOR_FALLBACK_URLS: apprise does not understand address {places} of {len(services)}")
    return tuple(service for service in services if service is not None)


def _takes(service: "NotifyBase", title: str, body: str) -> bool:
    try:
        return bool(service.notify(title=title, body=body))
    except Exception:  # noqa: BLE001  # the guard of a thread: plugins raise what they like, addresses in the text
        return False


def _title_and_body(rendered: Rendered) -> tuple[str, str]:
    """Return the first line and the rest; a message of one line is a body alone. Links are written out."""
    links = [f"{button.text}: {button.url}" for row in rendered.buttons for button in row if button.url is not None]
    title, _, rest = rendered.text.partition("\n")
    body = "\n".join(part for part in (rest.strip("\n"), *links) if part)
    if not body or len(title) > TITLE_UNITS:
        return "", "\n".join((rendered.text, *links))
    return title, body
