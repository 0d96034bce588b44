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
from checks.miniapp.page import MiniappPage
from checks.vantage.dns import VantageDns
from checks.vantage.egress import VantageEgress
from checks.vantage.loop import VantageLoop
from checks.vantage.store import VantageStore
from checks.vantage.telegram import TelegramApi
from checks.worker.canary import WorkerCanary
from checks.worker.consumers import QueueNoConsumer
from checks.worker.depth import QueueDepth
from checks.worker.each import WorkerEach
from checks.worker.failures import WorkerFailures
from checks.worker.online import WorkerOnline
from checks.worker.orphans import QueueOrphans
from checks.worker.restarts import WorkerRestarts
from checks.worker.skew import ClockSkew
from checks.worker.stalled import QueueStalled
from checks.worker.stuck import WorkerStuckTasks
from checks.worker.tasks import WorkerTasks

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
    "worker.each": WorkerEach,
    "worker.stuck_tasks": WorkerStuckTasks,
    "worker.tasks": WorkerTasks,
    "worker.failures": WorkerFailures,
    "worker.restarts": WorkerRestarts,
    "queue.depth": QueueDepth,
    "queue.stalled": QueueStalled,
    "queue.no_consumer": QueueNoConsumer,
    "queue.orphans": QueueOrphans,
    "clock.skew": ClockSkew,
    "beat.alive": BeatAlive,
    "miniapp.page": MiniappPage,
}
