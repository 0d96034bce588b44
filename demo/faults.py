"""Named faults, done to the real parts of the demo: signals, kills, configuration, network, data."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.botapi.config import NEXUS_TOKEN
from demo.stack import DemoStack

CALL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which the stack breaks."""

    name: str
    says: str
    """What is done, in one line."""
    root: str
    """The check that names it."""
    inject: Callable[[DemoStack], None]
    repair: Callable[[DemoStack], None]


def _call(url: str, body: dict[str, Any] | None = None, method: str = "POST") -> None:
    """Send JSON to one of the demo's own servers. Raises OSError when it does not take it."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=CALL_SECONDS):  # noqa: S310  our own loopback addresses
        pass


def _sql(stack: DemoStack, *statements: str) -> None:
    async def run() -> None:
        import asyncpg

        connection = await asyncpg.connect(stack.postgres.url, timeout=CALL_SECONDS, command_timeout=CALL_SECONDS)
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def _telegram(stack: DemoStack, method: str, parameters: dict[str, Any]) -> None:
    _call(f"{stack.chat_url}/bot{NEXUS_TOKEN}/{method}", parameters)


def _entry_chunk(stack: DemoStack) -> Path:
    """Return the script that index.html starts, wherever it was moved."""
    name = next(iter((stack.dist / "assets").glob("index-*.js*")))
    return name.with_name(name.name.removesuffix(".gone"))


def _restart_bot(stack: DemoStack, secret: str, *, keeps_webhook: bool) -> None:
    bot = stack.parts["nexus-bot"]
    bot.stop()
    bot.environment |= {"WEBHOOK_SECRET": secret, "KEEP_WEBHOOK": "1" if keeps_webhook else ""}
    bot.start()


def _set_webhook(stack: DemoStack) -> None:
    url = stack.parts["nexus-bot"].environment["WEBHOOK_URL"]
    _telegram(stack, "setWebhook", {"url": url, "secret_token": stack.secret})


_ALL = (
    Fault(
        "api-down",
        "nexus-api is killed",
        "api.health",
        lambda stack: stack.parts["nexus-api"].kill(),
        lambda stack: stack.parts["nexus-api"].start(),
    ),
    Fault(
        "api-500",
        "the table that /health reads is renamed, so nexus-api answers 500",
        "api.health",
        lambda stack: _sql(stack, "ALTER TABLE settings RENAME TO settings_moved"),
        lambda stack: _sql(stack, "ALTER TABLE settings_moved RENAME TO settings"),
    ),
    Fault(
        "api-slow",
        "the table that /health reads becomes a view that takes 1.2 s",
        "api.health",
        lambda stack: _sql(
            stack,
            "ALTER TABLE settings RENAME TO settings_fast",
            "CREATE VIEW settings AS SELECT settings_fast.* FROM settings_fast, pg_sleep(1.2)",
        ),
        lambda stack: _sql(stack, "DROP VIEW settings", "ALTER TABLE settings_fast RENAME TO settings"),
    ),
    Fault(
        "postgres-down",
        "PostgreSQL is killed",
        "postgres.connect",
        lambda stack: stack.postgres.kill(),
        lambda stack: stack.postgres.start(),
    ),
    Fault(
        "postgres-paused",
        "PostgreSQL is frozen: it takes connections and never answers",
        "postgres.connect",
        lambda stack: stack.postgres.pause(),
        lambda stack: stack.postgres.resume(),
    ),
    Fault(
        "redis-down",
        "Redis is killed",
        "redis.ping",
        lambda stack: stack.valkey.kill(),
        lambda stack: stack.valkey.start(),
    ),
    Fault(
        "redis-paused",
        "Redis is frozen: it takes connections and never answers",
        "redis.ping",
        lambda stack: stack.valkey.pause(),
        lambda stack: stack.valkey.resume(),
    ),
    Fault(
        "worker-killed",
        "the Celery worker and its children are killed",
        "worker.online",
        lambda stack: stack.parts["nexus-worker"].kill(),
        lambda stack: stack.parts["nexus-worker"].start(),
    ),
    Fault(
        "worker-paused",
        "the Celery worker and its children are frozen",
        "worker.canary",
        lambda stack: stack.parts["nexus-worker"].pause(),
        lambda stack: stack.parts["nexus-worker"].resume(),
    ),
    Fault(
        "beat-killed",
        "Celery beat is killed",
        "beat.alive",
        lambda stack: stack.parts["nexus-beat"].kill(),
        lambda stack: stack.parts["nexus-beat"].start(),
    ),
    Fault(
        "webhook-deleted",
        "somebody calls deleteWebhook with the bot's token",
        "bot.webhook",
        lambda stack: _telegram(stack, "deleteWebhook", {}),
        _set_webhook,
    ),
    Fault(
        "webhook-secret-wrong",
        "nexus-bot is started with another webhook secret than Telegram has",
        "bot.ingress",
        lambda stack: _restart_bot(stack, "another-secret", keeps_webhook=True),
        lambda stack: _restart_bot(stack, stack.secret, keeps_webhook=False),
    ),
    Fault(
        "miniapp-chunk-missing",
        "the script that the Mini App's page starts is gone from the server",
        "miniapp.page",
        lambda stack: _move(_entry_chunk(stack), ".gone"),
        lambda stack: _move_back(_entry_chunk(stack), ".gone"),
    ),
    Fault(
        "telegram-down",
        "Telegram's Bot API closes every connection without an answer",
        "telegram.api",
        lambda stack: _call(f"{stack.chat_url}/_/faults", {"kind": "refuse"}),
        lambda stack: _call(f"{stack.chat_url}/_/faults/refuse", method="DELETE"),
    ),
)


def _move(path: Path, suffix: str) -> None:
    path.rename(path.with_name(path.name + suffix))


def _move_back(path: Path, suffix: str) -> None:
    path.with_name(path.name + suffix).rename(path)


FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
