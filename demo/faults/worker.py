"""Faults of nexus-worker and of the queues it serves."""

import signal
import threading
import time
from typing import TYPE_CHECKING

import psutil

from demo.faults.fault import Fault
from demo.faults.hands import Hand, all_of, deploying, doing_redis, doing_sql, letting_go, redis_client, restoring
from demo.nexus.counters import EXPORT
from demo.nexus.flaws import VARIABLE, Flaw
from demo.process_tree import HOST, free_port
from demo.stack import DemoStack

if TYPE_CHECKING:
    from celery import Celery

WORKER = "nexus-worker"
SLOTS = 2
RUNS_MISSED = ("beat.schedule", "worker.failures")
"""Tasks that expired while nobody ran them stay missed until they run again."""
LONG_SECONDS = 900
EXPORT_SECONDS = 0.5
PRODUCED_EVERY_SECONDS = 0.05


def _client(stack: DemoStack) -> "Celery":
    from celery import Celery

    app = Celery("faults", broker=stack.valkey.url, backend=stack.valkey.url, set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 2}
    return app


def _signal_children(number: signal.Signals) -> Hand:
    def send(stack: DemoStack) -> None:
        for pid in stack.parts[WORKER].pids()[1:]:
            psutil.Process(pid).send_signal(number)

    return send


def _signal_main(number: signal.Signals) -> Hand:
    def send(stack: DemoStack) -> None:
        for pid in stack.parts[WORKER].pids()[:1]:
            psutil.Process(pid).send_signal(number)

    return send


def _fill_slots(stack: DemoStack) -> None:
    limit = 2 * LONG_SECONDS
    with _client(stack) as app:
        for _ in range(SLOTS):
            app.send_task("nexus.export", args=(LONG_SECONDS,), soft_time_limit=limit, time_limit=limit)


def _let_slots_go(stack: DemoStack) -> None:
    with redis_client(stack) as client:
        waiting = [one for one in client.client_list() if one["cmd"] == "blpop"]
        if waiting:
            client.rpush(EXPORT, *(["here"] * len(waiting)))
        time.sleep(0.5)
        client.delete(EXPORT)


def _cancel_consumer(queue: str) -> Hand:
    def cancel(stack: DemoStack) -> None:
        with _client(stack) as app:
            app.control.cancel_consumer(queue)

    return cancel


def _add_consumer(queue: str) -> Hand:
    def add(stack: DemoStack) -> None:
        with _client(stack) as app:
            app.control.add_consumer(queue)

    return add


def _in_place_of_the_old(flaw: Flaw) -> Hand:
    """Return a hand that ends the worker first: a flawed one does not get along with another, or does not start."""

    def deploy(stack: DemoStack) -> None:
        worker = stack.parts[WORKER]
        worker.kill()
        worker.environment = {**worker.usual_environment, VARIABLE: flaw}
        worker.launch()

    return deploy


def _send_to_forgotten_queue(stack: DemoStack) -> None:
    with _client(stack) as app:
        app.send_task("nexus.export", args=(1,), queue="forgotten")


def _send_too_many(stack: DemoStack) -> None:
    stop = threading.Event()

    def produce() -> None:
        with _client(stack) as app:
            while not stop.wait(PRODUCED_EVERY_SECONDS):
                app.send_task("nexus.export", args=(EXPORT_SECONDS,))

    thread = threading.Thread(target=produce, daemon=True, name="producer")
    thread.start()
    held = stack.hold("producer")
    held.callback(thread.join, 5)
    held.callback(stop.set)


def _purge(stack: DemoStack) -> None:
    with _client(stack) as app:
        app.control.purge()


def _restart_often(stack: DemoStack) -> None:
    for _ in range(6):
        stack.parts[WORKER].deploy()


FAULTS = (
    Fault(
        "worker-killed",
        "the Celery worker and its children are killed",
        "worker.online",
        lambda stack: stack.parts[WORKER].kill(),
        lambda stack: stack.parts[WORKER].start(),
        beside=RUNS_MISSED,
    ),
    Fault(
        "worker-paused",
        "the Celery worker and its children are frozen",
        "worker.canary",
        lambda stack: stack.parts[WORKER].pause(),
        lambda stack: stack.parts[WORKER].resume(),
        also=("worker.online",),
    ),
    Fault(
        "worker-pool-frozen",
        "the worker's pool processes are frozen, while its main process answers a ping",
        "worker.canary",
        _signal_children(signal.SIGSTOP),
        _signal_children(signal.SIGCONT),
    ),
    Fault(
        "worker-main-stuck",
        "the worker's main process is frozen, while its pool is free",
        "worker.canary",
        _signal_main(signal.SIGSTOP),
        _signal_main(signal.SIGCONT),
        also=("worker.online",),
    ),
    Fault(
        "worker-saturated",
        "every slot of the worker is taken by a task that waits",
        "worker.canary",
        _fill_slots,
        _let_slots_go,
        severity="warning",
        also=("worker.stuck_tasks",),
    ),
    Fault(
        "worker-import-error",
        "nexus-worker is deployed with an import that does not exist: it ends at its start",
        "worker.online",
        _in_place_of_the_old(Flaw.IMPORT_ERROR),
        restoring(WORKER),
    ),
    Fault(
        "worker-other-database",
        "nexus-worker is deployed with another database number of the same Redis",
        "worker.online",
        lambda stack: stack.parts[WORKER].deploy(REDIS_URL=stack.valkey.url.removesuffix("/0") + "/5"),
        restoring(WORKER),
    ),
    Fault(
        "worker-refuses-json",
        "nexus-worker is deployed with an accept_content that lacks JSON: it refuses every message",
        "worker.canary",
        _in_place_of_the_old(Flaw.REFUSES_JSON),
        all_of(lambda stack: stack.parts[WORKER].kill(), restoring(WORKER)),
        also=("worker.online",),
    ),
    Fault(
        "worker-result-backend-gone",
        "nexus-worker is deployed with a result backend where nobody listens",
        "worker.canary",
        lambda stack: stack.parts[WORKER].deploy(RESULT_BACKEND_URL=f"redis://{HOST}:{free_port()}/0"),
        restoring(WORKER),
    ),
    Fault(
        "worker-queue-unserved",
        "the worker's consumer of the queue `reports` is cancelled",
        "worker.canary",
        _cancel_consumer("reports"),
        _add_consumer("reports"),
        also=("queue.no_consumer",),
    ),
    Fault(
        "worker-default-queue-unserved",
        "the worker's consumer of the default queue is cancelled",
        "worker.canary",
        _cancel_consumer("celery"),
        _add_consumer("celery"),
        also=("queue.no_consumer",),
    ),
    Fault(
        "worker-tasks-missing",
        "nexus-worker is deployed without the module of its tasks",
        "worker.tasks",
        deploying(WORKER, Flaw.TASKS_MISSING),
        restoring(WORKER),
        severity="warning",
        beside=("beat.config", "beat.schedule"),
    ),
    Fault(
        "worker-tasks-fail",
        "the table that a task writes to is renamed: the task fails each time",
        "worker.failures",
        doing_sql("ALTER TABLE IF EXISTS ticks RENAME TO ticks_moved"),
        doing_sql("ALTER TABLE IF EXISTS ticks_moved RENAME TO ticks"),
        severity="warning",
        beside=("beat.schedule",),
    ),
    Fault(
        "worker-restarts",
        "nexus-worker starts six times in a row",
        "worker.restarts",
        _restart_often,
        restoring(WORKER),
        is_lasting=True,
        tuning={"checks": {"worker.restarts": {"degraded_restarts": 3, "failed_restarts": 5}}},
    ),
    Fault(
        "queue-backlog",
        "a producer sends more tasks than the worker's slots can run",
        "worker.canary",
        _send_too_many,
        all_of(letting_go("producer"), _purge),
        severity="warning",
        also=("queue.depth",),
    ),
    Fault(
        "queue-messages-orphaned",
        "a message stays taken by a worker that is gone",
        "queue.orphans",
        doing_redis('HSET unacked orphan [{},"celery","celery"]', "ZADD unacked_index 4102444800 orphan"),
        doing_redis("HDEL unacked orphan", "ZREM unacked_index orphan"),
        severity="warning",
    ),
    Fault(
        "queue-forgotten",
        "a producer sends to a queue that no worker reads",
        "queue.no_consumer",
        _send_to_forgotten_queue,
        doing_redis("DEL forgotten"),
        severity="warning",
        also=("queue.stalled",),
    ),
)
