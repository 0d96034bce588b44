"""Asks Render's API: one shared, remembered answer for each question, within a budget, pauses honoured."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr

from checks.platform.budget import Bucket
from checks.redaction import MASK, redact

API_URL = "https://api.render.com/v1"
CALLS_PER_MINUTE = 60.0
"""Render allows 400 GET a minute for all that the user of the key does."""
LOG_CALLS_PER_MINUTE = 10.0
"""Render allows 30."""
WRITES_PER_MINUTE = 5.0
LONGEST_WAIT_SECONDS = 8.0
"""A call that would have to wait longer for the budget is not made."""
USUAL_PAUSE_SECONDS = 60.0
"""After a 429 that does not say for how long."""
PAGE_ITEMS = 100
KEPT_ANSWERS = 512

Parameters = Sequence[tuple[str, str]]
Record = Callable[[str, str, int, Any], None]
"""Given method, path with query, status and redacted body of every answer."""


class RenderApiError(Exception):
    """Render's API did not give an answer that could be used. Its text is safe to show."""


class RenderLimitedError(RenderApiError):
    """Too many calls: Render's word, or our own budget."""


class RenderRefusedError(RenderApiError):
    """The key is wrong, has expired, or may not do this."""


class RenderMissingError(RenderApiError):
    """What was asked for is not there, or the key may not see it."""


class RenderFaultError(RenderApiError):
    """Render's API itself failed, or answered with something else than JSON."""


class RenderApi:
    """One account's view of Render, shared by all who look."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        http: Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]],
        monotonic: Callable[[], float],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        record: Record | None = None,
    ) -> None:
        """`http` opens a client for one call; `record` is handed every answer, redacted."""
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._http = http
        self._monotonic = monotonic
        self._sleep = sleep
        self._record = record
        self._reads, self._logs = Bucket(CALLS_PER_MINUTE), Bucket(LOG_CALLS_PER_MINUTE)
        self._writes = Bucket(WRITES_PER_MINUTE)
        self._answers: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}

    async def get(self, path: str, parameters: Parameters = (), *, max_age_seconds: float = 10.0) -> Any:
        """Return the JSON answer, at most `max_age_seconds` old. Who asks the same at once shares one call.

        Raises RenderApiError, or what httpx raises.
        """
        question = path + (f"?{urlencode(parameters)}" if parameters else "")
        lock = self._asking.setdefault(question, asyncio.Lock())
        try:
            async with lock:
                known = self._answers.get(question)
                if known is not None and self._monotonic() - known[0] <= max_age_seconds:
                    return known[1]
                answer = await self._call("GET", question, self._logs if path.startswith("/logs") else self._reads)
                self._keep(question, answer)
                return answer
        finally:
            if not lock.locked():
                self._asking.pop(question, None)

    async def all(
        self, path: str, parameters: Parameters = (), *, max_age_seconds: float = 10.0, most_pages: int = 5
    ) -> list[Any]:
        """Return the items of a list, page after page by its cursor. Raises as `get` does."""
        items: list[Any] = []
        cursor = ""
        for _ in range(most_pages):
            asked = [*parameters, ("limit", str(PAGE_ITEMS)), *([("cursor", cursor)] if cursor else [])]
            page = await self.get(path, asked, max_age_seconds=max_age_seconds)
            if not isinstance(page, list):
                raise RenderFaultError(f"GET {path}: not a list")
            items += page
            last = page[-1] if page else None
            cursor = str(last.get("cursor") or "") if isinstance(last, dict) else ""
            if len(page) < PAGE_ITEMS or not cursor:
                break
        return items

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Change something: answers remembered so far are forgotten. Raises as `get` does."""
        self._answers.clear()
        return await self._call("POST", path, self._writes, json.dumps(body).encode())

    def forget(self) -> None:
        """Remember nothing: something has just changed."""
        self._answers.clear()

    async def _call(self, method: str, question: str, bucket: Bucket, content: bytes | None = None) -> Any:
        shown = f"{method} {question.partition('?')[0]}"
        while (seconds := bucket.wait_seconds(self._monotonic())) > 0:
            if seconds > LONGEST_WAIT_SECONDS:
                raise RenderLimitedError(f"{shown}: not asked, the budget is used up for {seconds:.0f} s")
            await self._sleep(seconds)
        headers = {"authorization": f"Bearer {self._key.get_secret_value()}", "accept": "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        async with self._http() as client:
            answer = await client.request(method, self._base_url + question, headers=headers, content=content)
        body = _json(answer)
        if self._record is not None:
            self._record(method, question, answer.status_code, redacted(body))
        if answer.status_code == 429:
            pause = _seconds(answer.headers.get("retry-after", ""))
            bucket.close(self._monotonic() + pause)
            raise RenderLimitedError(f"{shown}: 429, again in {pause:.0f} s")
        if answer.status_code in (401, 403):
            raise RenderRefusedError(f"{shown}: {answer.status_code}{_words(body)}")
        if answer.status_code == 404:
            raise RenderMissingError(f"{shown}: 404{_words(body)}")
        if not answer.is_success or (body is None and answer.content):
            raise RenderFaultError(f"{shown}: {answer.status_code}{_words(body)}")
        return body

    def _keep(self, question: str, answer: Any) -> None:
        self._answers[question] = (self._monotonic(), answer)
        self._answers.move_to_end(question)
        while len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)


def redacted(body: Any) -> Any:
    """Return a JSON value with every text in it redacted, and those whole whose name says that they are secret."""
    if isinstance(body, dict):
        return {key: MASK if _is_secret(key, value) else redacted(value) for key, value in body.items()}
    if isinstance(body, list):
        return [redacted(value) for value in body]
    return redact(body) if isinstance(body, str) else body


def _is_secret(name: str, value: Any) -> bool:
    return isinstance(value, str) and redact(f"{name}={value}") == f"{name}={MASK}"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _words(body: Any) -> str:
    """Return what an error's body says, in a few words."""
    message = body.get("message") if isinstance(body, dict) else None
    return f": {redact(message)[:100]}" if isinstance(message, str) and message else ""


def _seconds(retry_after: str) -> float:
    try:
        return min(3600.0, max(1.0, float(retry_after)))
    except ValueError:
        return USUAL_PAUSE_SECONDS
