"""Decides what a canary says about the workers of its queue: from flight and remote control to one finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checks.celery_wire import Replies
from checks.result import Outcome, Reason
from checks.wording import duration
from checks.worker.broker import Flight
from checks.worker.look import workers as _workers

HUNG_SECONDS = 300.0
"""From this age of the oldest running task on, full slots are called hung, not busy."""


@dataclass(frozen=True, slots=True)
class Node:
    """One worker node that answered after a canary was lost."""

    name: str
    queues: frozenset[str]
    running: int
    """Tasks in its slots now."""
    held: int
    """Tasks taken and not started."""
    ids: frozenset[str]
    """The ids of both."""
    slots: int
    oldest_seconds: float
    """How long the oldest running task has run; 0 when none does."""
    started: int
    """Tasks it started since just before the canary."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The worker nodes after a canary was lost."""

    listening: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one canary says."""

    outcome: Outcome
    reason: Reason | None
    words: str
    """What was seen, to be read after `queue NAME: `."""
    hint: str = ""


def workers_of(before: Mapping[str, Replies], after: Mapping[str, Replies], epoch_seconds: float) -> Workers:
    """Join the answers to `active_queues` and `stats` before a canary with `active`, `reserved` and `stats` after it.

    A node counts as answering when it answered all three questions after the canary.
    """
    active, reserved, stats = (after[name].by_node for name in ("active", "reserved", "stats"))
    queues, earlier = before["active_queues"].by_node, before["stats"].by_node
    nodes = []
    for name in sorted(active.keys() & reserved.keys() & stats.keys()):
        starts = [float(task["time_start"]) for task in active[name] if task.get("time_start")]
        nodes.append(
            Node(
                name,
                frozenset(str(queue["name"]) for queue in queues.get(name, ())),
                running=len(active[name]),
                held=len(reserved[name]),
                ids=frozenset(str(task["id"]) for task in (*active[name], *reserved[name])),
                slots=int(stats[name].get("pool", {}).get("max-concurrency") or 1),
                oldest_seconds=max(0.0, epoch_seconds - min(starts, default=epoch_seconds)),
                started=_started(stats[name]) - _started(earlier.get(name, stats[name])),
            )
        )
    return Workers(max(replies.listening for replies in after.values()), tuple(nodes))


def _started(stats: Mapping[str, Any]) -> int:
    return sum(int(count) for count in stats.get("total", {}).values())


def classify(flight: Flight, workers: Workers | None, answered: int, *, has_events: bool) -> Finding:
    """Decide about one flight.

    `workers` is None when every canary was answered. `answered` counts the canaries of the same look that came
    back (their starts are not the queue's progress). `has_events` says that workers were told to send events.
    """
    if flight.proof and not flight.is_right:
        return Finding(
            Outcome.FAILED,
            Reason.BODY_MISMATCH,
            f"the canary task ended as {flight.status}, or with another result than it was sent",
            "Tasks run and end wrong: read the worker's log for celery.accumulate; look at custom task classes,"
            " signals and the serializer.",
        )
    if flight.proof == "event" and flight.wants_result:
        return Finding(
            Outcome.DEGRADED,
            Reason.NO_RESULT_BACKEND,
            f"the task ran in {duration(flight.seconds)}, but its result did not come to where the monitor looks",
            "Seen by its event only. If the app has no result backend, or another server for it, this is fine;"
            " otherwise look at result_backend and task_ignore_result.",
        )
    if flight.proof:
        return Finding(Outcome.OK, None, f"answered in {duration(flight.seconds)}")
    assert workers is not None
    return _lost(flight, workers, answered, has_events)


def _lost(flight: Flight, workers: Workers, answered: int, has_events: bool) -> Finding:
    late = f"no answer in {duration(flight.seconds)}"
    silent = workers.listening - len(workers.nodes)
    if workers.listening == 0:
        return Finding(
            Outcome.FAILED,
            Reason.NO_CONSUMER,
            "no worker is connected to the broker",
            "Read the worker's log from its last start: an import error, VersionMismatch, or a wrong broker URL.",
        )
    if not workers.nodes and flight.alive:
        return Finding(
            Outcome.FAILED,
            Reason.PROTOCOL_ERROR,
            f"{late}; {_workers(flight.alive)} alive by heartbeat, and no answer to any message: content is refused",
            "Add json to accept_content of the app: without it a worker refuses all our messages, and those of"
            " others that send JSON.",
        )
    if not workers.nodes:
        return Finding(
            Outcome.FAILED,
            Reason.STUCK,
            f"{late}; {_workers(silent)} connected, none answers: the main process is stuck",
            "Restart the worker. With --pool solo a long task also keeps it silent. A worker whose accept_content"
            " lacks json refuses all our messages.",
        )
    consumers = [node for node in workers.nodes if flight.queue in node.queues]
    holders = [node for node in workers.nodes if flight.task_id in node.ids]
    if not consumers and not holders:
        return _unserved(late, silent)
    nodes = holders or consumers
    if all(node.running >= node.slots for node in nodes):
        return _saturated(late, nodes)
    if flight.was_waiting or holders:
        if sum(node.started for node in nodes) > answered:
            return Finding(
                Outcome.DEGRADED,
                Reason.BACKLOG,
                f"{late}; tasks are being run, {flight.waiting_messages} wait",
                "More comes in than the workers can run: add workers or slots, or find the producer.",
            )
        if any(node.held for node in nodes):
            held = sum(node.held for node in nodes)
            tasks = "task" if held == 1 else "tasks"
            return Finding(
                Outcome.FAILED,
                Reason.POOL_FROZEN,
                f"{late}; {held} {tasks} taken, none starts: the pool's processes are frozen",
                "Restart the worker. If it comes back: worker_max_tasks_per_child, and memory limits of the plan.",
            )
        return Finding(
            Outcome.FAILED,
            Reason.NOT_CONSUMING,
            f"{late}, and the message still waits: the worker answers a ping, but takes no task",
            "Restart the worker. It lost its queue after a reconnect to the broker: upgrade kombu; on Redis set"
            " socket_timeout and health_check_interval in broker_transport_options.",
        )
    if silent:
        return Finding(
            Outcome.FAILED,
            Reason.STUCK,
            f"{late}; {silent} of {_workers(workers.listening)} took it or is stuck: it answers nothing",
            "Restart the worker that does not answer a ping.",
        )
    if has_events:
        return Finding(
            Outcome.FAILED,
            Reason.MISSING,
            f"{late}; the task was taken, and neither its result nor its event came",
            "Read the worker's log: a pool process that dies with the task (WorkerLostError, out of memory), or"
            " refused content (accept_content).",
        )
    return Finding(
        Outcome.DEGRADED,
        Reason.NO_RESULT_BACKEND,
        f"{late}; the task was taken, and its result does not come to where the monitor looks",
        "Without a result only events prove that tasks run: set enable_events of this check to true.",
    )


def _unserved(late: str, silent: int) -> Finding:
    if silent:
        return Finding(
            Outcome.FAILED,
            Reason.STUCK,
            f"{late}; no worker that answers serves this queue, {_workers(silent)} connected but silent",
            "Restart the worker that does not answer a ping.",
        )
    return Finding(
        Outcome.FAILED,
        Reason.NO_CONSUMER,
        f"{late}; no worker serves this queue",
        "Start the worker that serves it, or add the queue to a worker's -Q. If it was removed on purpose, name the"
        " queues of this check, or restart the monitor.",
    )


def _saturated(late: str, nodes: list[Node]) -> Finding:
    slots = sum(node.slots for node in nodes)
    oldest = max(node.oldest_seconds for node in nodes)
    state = "hung" if oldest >= HUNG_SECONDS else "busy"
    return Finding(
        Outcome.DEGRADED,
        Reason.SATURATED,
        f"{late}; all {slots} slots are {state}, the oldest task runs for {duration(oldest)}",
        "Hung: restart the worker, and set task_time_limit. Busy: add workers or slots."
        if state == "hung"
        else "Wait, or add workers or slots. A task that never ends needs task_time_limit.",
    )
