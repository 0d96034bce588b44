"""Keeps one client of Render's API for each key, so that all who look share its budget and its answers."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from checks.platform.client import Record, RenderApi
from checks.redaction import redact
from monitor.errors import UsageError
from monitor.probing.tls import USER_AGENT, tls_context

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 10.0
"""How long one call may take."""


class RenderClients:
    """Gives the client of an account, always the same one."""

    def __init__(self, monotonic: Callable[[], float], *, record: Record | None = None) -> None:
        """`record` is handed every answer, redacted."""
        self._monotonic = monotonic
        self._record = record
        self._clients: dict[tuple[str, str], RenderApi] = {}

    def __call__(self, base_url: str, key: SecretStr) -> RenderApi:
        """Return the client for this address and key."""
        name = base_url, key.get_secret_value()
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = RenderApi(base_url, key, _http, self._monotonic, record=self._record)
        return client


class Recorder:
    """Writes every answer, redacted, to a folder: a first run with a key shows whether Render answers as we read it."""

    def __init__(self, folder: Path) -> None:
        """Make the folder. Raises UsageError, one line, where that is not possible."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--record {folder}: {error.strerror}") from None
        self._folder = folder
        self._count = 0

    def __call__(self, method: str, question: str, status: int, body: Any) -> None:
        """Write one answer."""
        self._count += 1
        path = re.sub(r"[^a-z0-9]+", "-", question.partition("?")[0].lower()).strip("-")
        record = {"method": method, "question": redact(question), "status": status, "body": body}
        file = self._folder / f"{self._count:03}-{method.lower()}-{path[:60]}.json"
        file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@asynccontextmanager
async def _http() -> "AsyncIterator[httpx.AsyncClient]":
    import httpx

    async with httpx.AsyncClient(
        trust_env=False,
        timeout=ANSWER_SECONDS,
        limits=httpx.Limits(max_keepalive_connections=0),
        verify=tls_context(),
        headers={"user-agent": USER_AGENT},
    ) as client:
        yield client
