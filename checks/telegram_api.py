"""Asks the Bot API read-only questions with a watched bot's token; any other method is refused."""

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from checks.base import IO, Secret
from checks.http import Exchange, exchange
from checks.result import Fact
from checks.wording import shortened

Method = Literal["getMe", "getWebhookInfo", "getMyCommands", "getChatMenuButton"]
"""The allow-list. A watched bot's updates and webhook are its own: getUpdates, setWebhook and others break it."""

API_BASE_URL = "https://api.telegram.org"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the Bot API answered."""

    status: int
    is_ok: bool
    result: Any
    """The method's result; None unless `is_ok`."""
    description: str
    """Telegram's words for an error; empty when there are none."""
    retry_after_seconds: float | None
    latency_seconds: float

    def facts(self) -> tuple[Fact, ...]:
        """Return status, latency and Telegram's words."""
        facts = [Fact("telegram status", self.status), Fact("latency", round(self.latency_seconds, 4), "s")]
        if self.description:
            facts.append(Fact("telegram says", self.description))
        if self.retry_after_seconds is not None:
            facts.append(Fact("retry after", self.retry_after_seconds, "s"))
        return tuple(facts)


async def ask(io: IO, token: Secret, method: Method, *, api_base_url: str = API_BASE_URL) -> Answer:
    """Call one method without parameters. Raises ValueError for a method that is not allowed, else network errors."""
    if method not in get_args(Method):
        raise ValueError(f"Bot API method {method} is not allowed with a watched token")
    return answer_of(await exchange(io, "GET", f"{api_base_url.rstrip('/')}/bot{token.get_secret_value()}/{method}"))


def answer_of(answer: Exchange) -> Answer:
    """Read the Bot API's JSON; what is none counts as not ok."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    fields = content if isinstance(content, dict) else {}
    is_ok = answer.is_success and fields.get("ok") is True
    parameters = fields.get("parameters")
    retry_after = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return Answer(
        status=answer.status,
        is_ok=is_ok,
        result=fields.get("result") if is_ok else None,
        description=shortened(str(fields.get("description", ""))),
        retry_after_seconds=float(retry_after) if isinstance(retry_after, int | float) else None,
        latency_seconds=answer.phases.total_seconds,
    )
