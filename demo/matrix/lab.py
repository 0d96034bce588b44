"""A demo that faults are done to: started when it is needed, started anew when a fault has left something behind."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from demo.guard import guarded
from demo.matrix.watch import Watch
from demo.process_tree import ServerError, free_port
from demo.stack import DemoStack, Ports, laid_over

TUNING: Mapping[str, Any] = {
    # Each fault is an incident of its own, however often its check has failed within the hour.
    "incidents": {
        "gate_settle_seconds": 6,
        "reopen_window_seconds": 1,
        "flap_drops": 1000,
    },
    # What takes minutes to be called bad by itself.
    "checks": {
        "api.version": {"drift_seconds": 8},
        "platform.commit": {"drift_seconds": 8},
        "postgres.capacity": {"transaction_seconds": 8, "lock_wait_seconds": 4},
        "queue.orphans": {"orphaned_seconds": 5},
        "worker.restarts": {"degraded_restarts": 1000, "failed_restarts": 1000},  # the faults deploy it all the time
    },
}
UP_SECONDS = 90.0
STARTS = 2
"""How often a demo that does not come up is tried."""


class Lab:
    """At most one running demo."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._stack: DemoStack | None = None
        self._tuning: Mapping[str, Any] = {}

    def stack(self, tuning: Mapping[str, Any]) -> DemoStack:
        """Return a demo with all checks up and this above its settings. Raises ServerError when there is none."""
        if tuning != self._tuning:
            self.drop()
        self._tuning = tuning
        for attempt in range(STARTS):
            if self._stack is not None:
                break
            with contextlib.suppress(*([ServerError] if attempt + 1 < STARTS else [])):  # a busy machine
                self._stack = self._open.enter_context(_running(laid_over(TUNING, tuning)))
        assert self._stack is not None
        return self._stack

    def drop(self) -> None:
        """End the demo; the next is a new one."""
        self._stack = None
        self._open.close()
        self._open = ExitStack()


@contextmanager
def _running(tuning: Mapping[str, Any]) -> Iterator[DemoStack]:
    folder = Path(tempfile.mkdtemp(prefix="nexus-fault-matrix-"))
    try:
        with guarded(folder) as all_ended:
            stack = DemoStack(folder, Ports(free_port(), free_port(), free_port()), tuning)
            try:
                for _ in stack.start():
                    pass
                troubled = Watch(stack).calm(UP_SECONDS)
                if troubled:
                    raise ServerError(f"a fresh demo was not up within {UP_SECONDS:.0f} s: {troubled}")
                yield stack
            finally:
                _end(stack, all_ended)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(stack: DemoStack, all_ended: Callable[[], None]) -> None:
    with contextlib.suppress(ServerError):  # the guard kills what is left
        stack.stop()
        all_ended()
