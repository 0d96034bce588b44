"""Speaks with a bot of the monitor's own that only asks the watched bot in a group: three methods, no more."""

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

from checks.base import IO, Secret
from checks.http import exchange
from checks.telegram_api import Answer, answer_of

Method = Literal["sendMessage", "getUpdates", "deleteMessages"]
"""The allow-list. They are for the prober's token alone: with a watched bot's they would take its updates away."""


async def call(io: IO, token: Secret, method: Method, parameters: Mapping[str, Any], *, api_base_url: str) -> Answer:
    """Call one method. Raises ValueError for a method that is not allowed, else network errors."""
    if method not in get_args(Method):
        raise ValueError(f"Bot API method {method} is not allowed with the prober's token")
    url = f"{api_base_url.rstrip('/')}/bot{token.get_secret_value()}/{method}"
    body = json.dumps(parameters).encode()
    return answer_of(await exchange(io, "POST", url, headers={"content-type": "application/json"}, content=body))
