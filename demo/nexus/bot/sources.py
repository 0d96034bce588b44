"""Where the bot's answers come from: nexus-api for numbers, nexus-worker for reports. Each call is bounded."""

import asyncio
from typing import Any, Protocol

import aiohttp
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

CALL_SECONDS = 5.0
REPORT_SECONDS = 20.0
_POLL_SECONDS = 0.2


class SourceError(Exception):
    """A source that does not answer; the message is one line for the person who asked."""


class Numbers(Protocol):
    """Where /stats reads."""

    async def read(self) -> dict[str, int]:
        """Return the numbers by name. Raises `SourceError`."""
        ...


class Reports(Protocol):
    """Who makes reports."""

    async def enqueue(self) -> str:
        """Ask for a report and return its task's id. Raises `SourceError`."""
        ...

    async def wait(self, task_id: str) -> dict[str, int]:
        """Return the report when it is made. Raises `SourceError` when it fails or takes too long."""
        ...


class ApiNumbers:
    """The numbers of nexus-api."""

    def __init__(self, api_url: str) -> None:
        self._url = f"{api_url}/stats"

    async def read(self) -> dict[str, int]:
        """Read /stats."""
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._url) as response:
                response.raise_for_status()
                body: dict[str, int] = await response.json()
                return body
        except (aiohttp.ClientError, TimeoutError):
            raise SourceError("the API does not answer") from None


class CeleryReports:
    """Reports made by a Celery worker. Celery blocks, so each call runs in a thread, with hard socket timeouts."""

    def __init__(self, redis_url: str) -> None:
        self._app = Celery("nexus-bot", broker=redis_url, backend=redis_url, set_as_current=False)
        # Celery's own defaults would hold a thread for 20 s and more when Redis is out.
        self._app.conf.update(
            task_publish_retry=False,
            broker_connection_retry=False,
            broker_connection_timeout=2,
            broker_transport_options={"socket_timeout": 3, "socket_connect_timeout": 2, "retry_on_timeout": False},
            redis_socket_timeout=3,
            redis_socket_connect_timeout=2,
            redis_retry_on_timeout=False,
            result_backend_transport_options={"retry_policy": {"timeout": 2.0, "max_retries": 0}},
        )

    async def enqueue(self) -> str:
        """Send the task to the queue `reports`."""

        def send() -> str:
            return str(self._app.send_task("nexus.report", queue="reports", expires=REPORT_SECONDS).id)

        return str(await self._call(send))

    async def wait(self, task_id: str) -> dict[str, int]:
        """Look at the result until it is there, at most 20 s."""

        def look() -> dict[str, Any]:
            meta: dict[str, Any] = self._app.backend.get_task_meta(task_id, cache=False)
            return meta

        try:
            async with asyncio.timeout(REPORT_SECONDS):
                while True:
                    meta = await self._call(look)
                    if meta["status"] == "SUCCESS":
                        result: dict[str, int] = meta["result"]
                        return result
                    if meta["status"] in ("FAILURE", "REVOKED"):
                        raise SourceError("the worker could not make it")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise SourceError(f"no worker answered within {REPORT_SECONDS:.0f} s") from None

    @staticmethod
    async def _call(function: Any) -> Any:
        try:
            return await asyncio.to_thread(function)
        # kombu and the result backend name one fault in four ways.
        except (OperationalError, RedisError, RuntimeError, OSError):
            raise SourceError("the queue does not answer") from None
