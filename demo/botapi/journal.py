"""Every Bot API call of the last while, without a token, for tests and for people."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from demo.botapi.people import Json

KEPT_CALLS = 10_000
HIDDEN = "***"


class Journal:
    """A bounded log of calls. Tokens and webhook secrets are taken out before a call is kept."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._secrets = tuple(tokens)
        self._calls: deque[tuple[datetime, Json]] = deque(maxlen=KEPT_CALLS)

    def note(
        self, at: datetime, bot: str, method: str, parameters: Json, answer: Json, *, via: str, fault: str | None
    ) -> None:
        """Keep one call and its answer; `via` is `http` or `webhook`, `fault` the injected fault that hit it."""
        if "secret_token" in parameters:
            parameters = parameters | {"secret_token": HIDDEN}
        call = {
            "time": at.isoformat(),
            "bot": bot,
            "method": method,
            "parameters": self._clean(parameters),
            "via": via,
            "fault": fault,
        }
        self._calls.append((at, call | self._clean(answer)))

    def _clean(self, value: Json) -> Json:
        return {name: self._hide(item) for name, item in value.items()}

    def _hide(self, value: object) -> object:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, dict):
            return self._clean(value)
        if isinstance(value, list):
            return [self._hide(item) for item in value]
        return value

    def calls(self, *, bot: str | None = None, method: str | None = None, since: datetime | None = None) -> list[Json]:
        """Return calls, oldest first, those that match every filter given; `since` is exclusive."""
        wanted_bot = bot.removeprefix("@").lower() if bot else None
        return [
            call
            for at, call in self._calls
            if (wanted_bot is None or call["bot"].lower() == wanted_bot)
            and (method is None or call["method"].lower() == method.lower())
            and (since is None or at > since)
        ]

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
