"""The queues there are: those that workers consume or were seen to, those that are named, and those with messages."""

from collections.abc import Iterable, Mapping
from typing import Any

from checks.celery_wire import DEFAULT_QUEUE, Replies
from checks.worker.look import is_private

MOST_QUEUES = 64
"""So many queues are looked at: names are remembered, and must not grow for ever."""


class QueueNames:
    """Remembers what queues there are, as a dead worker tells none."""

    def __init__(self, expected: Iterable[str] = ()) -> None:
        """`expected` are the queues of the configuration; where there are none the workers tell."""
        self._expected = tuple(expected)
        self._known: set[str] = set()

    def learn(self, names: Iterable[str]) -> None:
        """Remember queues, except those that belong to one node."""
        for name in sorted(names):
            if len(self._known) < MOST_QUEUES and not is_private(name):
                self._known.add(name)

    @property
    def all(self) -> tuple[str, ...]:
        """Every queue there is, in order; the default one when none is known."""
        return self._expected or tuple(sorted(self._known)) or (DEFAULT_QUEUE,)


def consumed(active_queues: Replies) -> dict[str, int]:
    """Return from an answer to `active_queues` how many nodes consume each queue."""
    counts: dict[str, int] = {}
    for _, queues in active_queues.answers:
        for queue in queues:
            counts[str(queue["name"])] = counts.get(str(queue["name"]), 0) + 1
    return counts


def named_in(conf: Mapping[str, Any]) -> dict[str, str]:
    """Return the queues an app's configuration (an answer to `conf`) names, each with where it does."""
    found: dict[str, str] = {}
    routes = conf.get("task_routes")
    for task, route in routes.items() if isinstance(routes, Mapping) else ():
        queue = route.get("queue") if isinstance(route, Mapping) else route
        if isinstance(queue, str):
            found[queue] = f"route of {task}"
    for name, entry in (conf.get("beat_schedule") or {}).items():
        queue = (entry.get("options") or {}).get("queue")
        if isinstance(queue, str):
            found[queue] = f"schedule entry {name}"
    found[str(conf.get("task_default_queue") or DEFAULT_QUEUE)] = "the default queue"
    return found
