"""Every kind of check there is: kind → class."""

from collections.abc import Mapping
from typing import Any

from checks.api.health import ApiHealth
from checks.api.routers import ApiRouters
from checks.api.tls import ApiTls
from checks.api.version import ApiVersion
from checks.base import Check
from checks.beat.alive import BeatAlive
from checks.beat.config import BeatConfig
from checks.beat.schedule import BeatSchedule
from checks.beat.single import BeatSingle
from checks.bot.commands import BotCommands
from checks.bot.delivery import BotDelivery
from checks.bot.guard import BotGuard
from checks.bot.identity import BotIdentity
from checks.bot.ingress import BotIngress
from checks.bot.modules import BotModules
from checks.bot.reply import BotReply
from checks.bot.reply_telegram import BotReplyTelegram
from checks.bot.webhook import BotWebhook
from checks.build.blueprint import BuildBlueprint
from checks.build.wheels import BuildWheels
from checks.custom.dns import Dns
from checks.custom.http import Http
from checks.custom.push import PushSwitch
from checks.custom.tcp import Tcp
from checks.data.capacity import PostgresCapacity
from checks.data.memory import RedisMemory
from checks.data.migrations import PostgresMigrations
from checks.data.postgres import PostgresConnect
from checks.data.redis import RedisPing, RedisWrite
from checks.miniapp.auth import MiniappAuth
from checks.miniapp.auth_guard import MiniappAuthGuard
from checks.miniapp.button import MiniappButton
from checks.miniapp.calls import MiniappCalls
from checks.miniapp.page import MiniappPage
from checks.miniapp.render import MiniappRender
from checks.miniapp.sdk import MiniappSdk
from checks.platform.build_logs import PlatformBuildLogs
from checks.platform.commit import PlatformCommit
from checks.platform.deploys import PlatformDeploys
from checks.platform.events import PlatformEvents
from checks.platform.instances import PlatformInstances
from checks.platform.resources import PlatformResources
from checks.platform.runtime_logs import PlatformRuntimeLogs
from checks.platform.service import PlatformService
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
    "api.routers": ApiRouters,
    "api.version": ApiVersion,
    "api.tls": ApiTls,
    "postgres.connect": PostgresConnect,
    "postgres.capacity": PostgresCapacity,
    "postgres.migrations": PostgresMigrations,
    "redis.ping": RedisPing,
    "redis.write": RedisWrite,
    "bot.identity": BotIdentity,
    "redis.memory": RedisMemory,
    "bot.webhook": BotWebhook,
    "bot.ingress": BotIngress,
    "bot.delivery": BotDelivery,
    "bot.guard": BotGuard,
    "bot.commands": BotCommands,
    "bot.modules": BotModules,
    "bot.reply": BotReply,
    "bot.reply_telegram": BotReplyTelegram,
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
    "beat.single": BeatSingle,
    "beat.schedule": BeatSchedule,
    "beat.config": BeatConfig,
    "miniapp.page": MiniappPage,
    # What Render says.
    "platform.service": PlatformService,
    "platform.deploys": PlatformDeploys,
    "platform.build_logs": PlatformBuildLogs,
    "platform.runtime_logs": PlatformRuntimeLogs,
    "platform.events": PlatformEvents,
    "platform.resources": PlatformResources,
    "platform.instances": PlatformInstances,
    "platform.commit": PlatformCommit,
    # Would this deploy build? Looked at by `preflight`.
    "build.wheels": BuildWheels,
    "build.blueprint": BuildBlueprint,
    # Whatever a user gives by hand.
    "http": Http,
    "tcp": Tcp,
    "dns": Dns,
    "push": PushSwitch,
    "miniapp.sdk": MiniappSdk,
    "miniapp.auth": MiniappAuth,
    "miniapp.auth_guard": MiniappAuthGuard,
    "miniapp.calls": MiniappCalls,
    "miniapp.button": MiniappButton,
    "miniapp.render": MiniappRender,
}
