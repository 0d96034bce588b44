"""Finds the workers on the broker and asks them: queues, tasks, and the configuration they run with."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from checks.base import IO, Secret
from checks.celery_broker import AmqpBroker, open_broker
from checks.celery_wire import BEAT_MARKER, Broker, BrokerConfig, Replies, control_channel, control_message
from checks.wording import address
from checks.worker.look import is_private
from monitor.config.found import Add, Sight, Thing

DATABASES = 16
"""A Redis server has so many by default."""
REPLY_SECONDS = 2.0
NAMES = ("nodes", "queues", "tasks", "result_backend", "schedule", "timezone", "heartbeat")


async def look_at_celery(io: IO, broker_url: Secret, add: Add) -> None:
    """Ask every worker that listens. Raises what the broker's client raises."""
    config = BrokerConfig(kind="discovery", id="monitor.discovery", service="monitor", broker_url=broker_url)
    async with open_broker(io, config, str(uuid.uuid4()), set()) as broker:
        replies = await broker.ask("active_queues", "registered", "conf", seconds=REPLY_SECONDS)
        if not replies["conf"].listening and isinstance(broker, AmqpBroker):
            why = f"no worker listens on {address(config.url)}"
            add({name: Thing(Sight.ABSENT, why=why, setting="BROKER_URL") for name in NAMES})
            return
        if not replies["conf"].listening and isinstance(broker, Broker):
            elsewhere = [
                number
                for number in range(DATABASES)
                # Nobody answers a ping without a mailbox; Redis says how many heard it.
                if number != broker.database
                and await broker.client.publish(control_channel("", number), control_message("ping", {}))
            ]
            add(_nobody(address(config.url), broker.database, elsewhere))
            return
    if not replies["active_queues"].answers:
        add(_silent(replies["active_queues"].listening))
        return
    add(_told(replies))


def _nobody(where: str, database: int, elsewhere: list[int]) -> dict[str, Thing]:
    why = f"no worker listens on database {database} of {where}"
    if elsewhere:
        why += f", but one does on database {elsewhere[0]}: is BROKER_URL that one?"
    return {name: Thing(Sight.ABSENT, why=why, setting="BROKER_URL") for name in NAMES}


def _silent(listening: int) -> dict[str, Thing]:
    why = f"{listening} worker{'s listen' if listening > 1 else ' listens'}, and none answered in {REPLY_SECONDS:g} s"
    return {name: Thing(Sight.UNREACHED, why=why) for name in NAMES}


def _told(replies: Mapping[str, Replies]) -> dict[str, Thing]:
    queues = replies["active_queues"].answers
    nodes = tuple(sorted({node for node, _ in queues}))
    things = {
        "nodes": Thing(Sight.FOUND, nodes, "inspect active_queues"),
        "queues": _set(
            {
                name
                for _, answer in queues
                for queue in _listed(answer)
                if not is_private(name := str(queue.get("name")))
            },
            "inspect active_queues",
            "the workers consume no queue",
        ),
        "tasks": _set(
            {str(task).split(" ")[0] for _, answer in replies["registered"].answers for task in _items(answer)},
            "inspect registered",
            "the workers know no task",
        ),
    }
    conf = [answer for _, answer in replies["conf"].answers if isinstance(answer, dict)]
    if not conf:
        return things | {name: Thing(Sight.UNREACHED, why="no worker answered inspect conf") for name in NAMES[3:]}
    return things | _configured(conf)


def _configured(conf: list[dict[str, Any]]) -> dict[str, Thing]:
    """Return what the workers' configuration says; the schedule of all of them together."""
    how = "inspect conf"
    backend = next((str(one["result_backend"]) for one in conf if one.get("result_backend")), "")
    entries = {
        str(name): entry
        for one in conf
        for name, entry in (one.get("beat_schedule") or {}).items()
        if isinstance(entry, dict)
    }
    names = tuple(sorted(entries))
    notes = tuple(f"{entries[name].get('task')} {entries[name].get('schedule')}" for name in names)
    marked = next((name for name in names if BEAT_MARKER in _items(entries[name].get("args"))), None)
    line = f"beat_schedule: an entry with the argument {BEAT_MARKER}"
    return {
        "result_backend": Thing(Sight.FOUND, (_backend(backend),), how)
        if backend and backend != "disabled://"
        else Thing(Sight.ABSENT, why="the workers have none", setting="result_backend of the Celery app"),
        "timezone": Thing(Sight.FOUND, (next((str(one["timezone"]) for one in conf if one.get("timezone")), "UTC"),),
                          how),
        "schedule": Thing(Sight.FOUND, names, how, notes=notes)
        if names
        else Thing(Sight.ABSENT, why="the workers' configuration has no beat_schedule", setting=line),
        "heartbeat": Thing(Sight.FOUND, (marked,), how)
        if marked
        else Thing(Sight.ABSENT, why="no entry carries the marker of a heartbeat", setting=line),
    }  # fmt: skip


def _set(values: set[str], how: str, why: str) -> Thing:
    return Thing(Sight.FOUND, tuple(sorted(values)), how) if values else Thing(Sight.ABSENT, how=how, why=why)


def _backend(url: str) -> str:
    """Return the backend without credentials: `redis://host:6379/0`, or its kind alone."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{address(url)}{parts.path}" if parts.hostname else url.split(":")[0]


def _listed(answer: Any) -> list[dict[str, Any]]:
    return [item for item in _items(answer) if isinstance(item, dict)]


def _items(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, list | tuple) else []
