"""Every kind of check there is: kind → class."""

from collections.abc import Mapping
from typing import Any

from checks.api.health import ApiHealth
from checks.base import Check
from checks.beat.alive import BeatAlive
from checks.bot.ingress import BotIngress
from checks.bot.webhook import BotWebhook
from checks.data.postgres import PostgresConnect
from checks.data.redis import RedisPing, RedisWrite
from checks.miniapp.auth import MiniappAuth
from checks.miniapp.auth_guard import MiniappAuthGuard
from checks.miniapp.button import MiniappButton
from checks.miniapp.calls import MiniappCalls
from checks.miniapp.page import MiniappPage
from checks.miniapp.render import MiniappRender
from checks.miniapp.sdk import MiniappSdk
from checks.vantage.dns import VantageDns
from checks.vantage.egress import VantageEgress
from checks.vantage.loop import VantageLoop
from checks.vantage.store import VantageStore
from checks.vantage.telegram import TelegramApi
from checks.worker.canary import WorkerCanary
from checks.worker.online import WorkerOnline

CHECKS: Mapping[str, type[Check[Any, Any]]] = {
    # Can we see at all?
    "vantage.loop": VantageLoop,
    "vantage.dns": VantageDns,
    "vantage.egress": VantageEgress,
    "vantage.store": VantageStore,
    "telegram.api": TelegramApi,
    # The targets, in the order of the post-deploy checklist.
    "api.health": ApiHealth,
    "postgres.connect": PostgresConnect,
    "redis.ping": RedisPing,
    "redis.write": RedisWrite,
    "bot.webhook": BotWebhook,
    "bot.ingress": BotIngress,
    "worker.online": WorkerOnline,
    "worker.canary": WorkerCanary,
    "beat.alive": BeatAlive,
    "miniapp.page": MiniappPage,
    "miniapp.sdk": MiniappSdk,
    "miniapp.auth": MiniappAuth,
    "miniapp.auth_guard": MiniappAuthGuard,
    "miniapp.calls": MiniappCalls,
    "miniapp.button": MiniappButton,
    "miniapp.render": MiniappRender,
}
