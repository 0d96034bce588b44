"""Brings updates to webhooks: in order within a chat, again and again until taken, as Telegram does."""

import asyncio
import errno
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from demo.botapi.errors import ApiError
from demo.botapi.inboxes import Inbox, Update, Webhook
from demo.botapi.parameters import parse_body
from demo.botapi.people import Json

TIMEOUT_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"

_NOT_BY_REPLY = re.compile(r"get.*|setwebhook|deletewebhook|close|logout")


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt to bring an update went."""

    is_taken: bool
    error: str = ""
    """What getWebhookInfo will say; empty when the peer closed the connection without a word."""
    retry_after_seconds: float | None = None


class Courier:
    """Delivers the updates of all bots; one task for each chat that has some."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        client: httpx.AsyncClient,
        perform: Callable[[int, str, Json], None],
        *,
        speed: float,
        jitter: random.Random,
    ) -> None:
        """Use `perform(bot_id, method, parameters)` for methods in answers; `speed` divides every pause."""
        self._group = group
        self._client = client
        self._perform = perform
        self._speed = speed
        self._jitter = jitter
        self._lanes: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._slots: dict[int, asyncio.Semaphore] = {}

    def wake(self, inbox: Inbox) -> None:
        """See that every chat with updates has its task."""
        if not inbox.webhook.url:
            return
        for lane in {update.lane for update in inbox.pending()}:
            key = (inbox.bot_id, lane)
            if key not in self._lanes:
                self._lanes[key] = self._group.create_task(self._drain(inbox, lane), name=f"botapi.webhook {key}")

    def restart(self, inbox: Inbox) -> None:
        """Forget pauses: a changed webhook is tried at once."""
        for key in [key for key in self._lanes if key[0] == inbox.bot_id]:
            self._lanes.pop(key).cancel()
        self._slots[inbox.bot_id] = asyncio.Semaphore(inbox.webhook.max_connections)
        self.wake(inbox)

    def stop(self) -> None:
        """End all deliveries."""
        for task in self._lanes.values():
            task.cancel()

    async def _drain(self, inbox: Inbox, lane: str) -> None:
        failures = 0
        try:
            while inbox.webhook.url and (update := inbox.first(lane)) is not None:
                async with self._slots[inbox.bot_id]:
                    attempt = await self._bring(inbox.bot_id, inbox.webhook, update)
                if attempt.is_taken:
                    inbox.done(update.id)
                    failures = 0
                    continue
                if attempt.error:
                    inbox.failed(attempt.error)
                await asyncio.sleep(self.pause_seconds(failures, attempt.retry_after_seconds) / self._speed)
                failures += 1
        finally:
            if self._lanes.get((inbox.bot_id, lane)) is asyncio.current_task():
                del self._lanes[inbox.bot_id, lane]

    def pause_seconds(self, failures: int, retry_after_seconds: float | None = None) -> float:
        """Return the pause after the failure number `failures`, from 0: 0, 2, 4, 8 … up to 60–120 s.

        Source: tdlib/telegram-bot-api, WebhookActor.cpp.
        """
        if retry_after_seconds is not None:
            return min(retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS)
        if failures == 0:
            return 0.0
        return float(min(2.0 ** min(failures, 10), self._jitter.uniform(60, 120)))

    async def _bring(self, bot_id: int, webhook: Webhook, update: Update) -> Attempt:
        headers = {SECRET_HEADER: webhook.secret_token} if webhook.secret_token else {}
        timeout = max(TIMEOUT_SECONDS / self._speed, 1.0)
        try:
            answer = await self._client.post(webhook.url, json=update.body, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            return Attempt(is_taken=False, error=describe_failure(error))
        if not answer.is_success:
            reason = f"{answer.status_code} {answer.reason_phrase}".strip()
            wait = answer.headers.get("Retry-After", "")
            return Attempt(
                is_taken=False,
                error=f"Wrong response from the webhook: {reason}",
                retry_after_seconds=float(wait) if wait.isdigit() else None,
            )
        self._carry_out(bot_id, answer)
        return Attempt(is_taken=True)

    def _carry_out(self, bot_id: int, answer: httpx.Response) -> None:
        """Perform the method in an answer's body, if there is one; its result is never known to the bot."""
        try:
            parameters = parse_body(answer.headers.get("Content-Type", ""), answer.content)
        except ApiError:
            return
        method = parameters.pop("method", None)
        if isinstance(method, str) and method and not _NOT_BY_REPLY.fullmatch(method.lower()):
            self._perform(bot_id, method, parameters)


def describe_failure(error: httpx.HTTPError) -> str:
    """Return what Telegram writes into last_error_message for a failed exchange; "" where it writes nothing."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return "Connection refused"
        if isinstance(cause, OSError) and cause.errno == errno.ECONNRESET:
            return "Connection reset by peer"
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return "SSL error {error:0A000086:SSL routines::certificate verify failed}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return "Connection timed out"
    if isinstance(error, httpx.WriteTimeout):
        return "Write timeout expired"
    if isinstance(error, httpx.TimeoutException):
        return "Read timeout expired"
    if isinstance(error, httpx.RemoteProtocolError):
        return ""
    # All attempts to connect fail in one group when a name has several addresses.
    return "Connection refused" if isinstance(error, httpx.ConnectError) else "Connection closed"
