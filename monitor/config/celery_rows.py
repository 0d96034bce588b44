"""Rows of the table of built-in checks that look at Celery's broker: worker, queues, clocks, beat."""

from collections.abc import Callable
from typing import Any

from monitor.config import given as given_from
from monitor.config.row import ON_RENDER, Given, Row
from monitor.config.settings import Settings
from monitor.config.stack import Stack


def _row(
    check_id: str, service: str, *, given: Callable[[Settings, Stack], Given] = given_from.broker, **more: Any
) -> Row:
    """Return a row that needs the broker's address, by whatever name it is known."""
    return Row(check_id, service, ("redis_url",), given, over_broker=True, **more)


CELERY_ROWS: tuple[Row, ...] = (
    _row(
        "worker.online",
        "worker",
        parents=("redis.ping", "redis.write"),  # the ping writes where it is to be answered
        checklist="Worker: connects to broker",
        explained_by=ON_RENDER,
    ),
    _row(
        "worker.canary",
        "worker",
        parents=("worker.online", "redis.ping", "redis.write"),
        checklist="Worker: tasks execute successfully",
    ),
    _row(
        "worker.each",
        "worker",
        parents=("worker.canary",),
        checklist="Worker: tasks execute successfully",
        is_opt_in=True,
    ),
    _row(
        "worker.stuck_tasks",
        "worker",
        parents=("worker.online",),
        checklist="Worker: tasks execute successfully",
    ),
    _row(
        "worker.tasks",
        "worker",
        parents=("worker.online",),
        checklist="Worker: tasks execute successfully",
    ),
    _row(
        "worker.failures",
        "worker",
        parents=("worker.canary", "redis.write", "postgres.connect"),
        checklist="Worker: no errors in logs",
    ),
    _row(
        "worker.restarts",
        "worker",
        parents=("worker.online",),
        checklist="Worker: connects to broker",
    ),
    _row(
        "queue.depth",
        "worker",
        parents=("worker.canary",),
        checklist="Worker: tasks execute successfully",
    ),
    _row(
        "queue.stalled",
        "worker",
        parents=("worker.canary",),
        checklist="Worker: tasks execute successfully",
    ),
    _row(
        "queue.no_consumer",
        "worker",
        parents=("worker.online", "worker.canary"),
        checklist="Worker: tasks execute successfully",
    ),
    _row(
        "queue.orphans",
        "worker",
        parents=("worker.online",),
        checklist="Worker: tasks execute successfully",
        why_not=lambda settings: (
            "RabbitMQ gives messages back as soon as their worker is gone" if settings.is_broker_rabbitmq else ""
        ),
    ),
    _row(
        "clock.skew",
        "worker",
        parents=("redis.ping",),
        checklist="Beat: scheduled tasks trigger",
    ),
    _row(
        "beat.alive",
        "beat",
        parents=("worker.canary",),
        checklist="Beat: starts",
        explained_by=ON_RENDER,
    ),
    _row(
        "beat.single",
        "beat",
        given=given_from.schedule,
        parents=("beat.alive",),
        checklist="Beat: starts",
    ),
    _row(
        "beat.schedule",
        "beat",
        given=given_from.schedule,
        parents=("beat.alive", "worker.canary", "postgres.connect"),
        checklist="Beat: scheduled tasks trigger",
    ),
    _row(
        "beat.config",
        "beat",
        given=given_from.schedule,
        parents=("worker.online", "worker.canary"),
        checklist="Beat: cron expressions work",
    ),
)
