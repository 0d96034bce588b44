"""The demo's last will: a process that waits for the demo's end and, where it was killed, ends what it left behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

DONE = b"done"
"""Said by a demo that ended everything itself."""
SWEEP_SECONDS = 10.0
GOODBYE_SECONDS = SWEEP_SECONDS + 5.0
_POLL_SECONDS = 0.02


@contextmanager
def guarded(folder: Path) -> Iterator[Callable[[], None]]:
    """Unless what is given is called, the way out (a SIGKILL too) ends every process in `folder`, and removes it.

    A pipe tells: the system closes our end of it however we die. PR_SET_PDEATHSIG would not do, it fires when the
    thread that started the child ends, and a repair starts servers in a thread of its own.
    """
    guard = subprocess.Popen(
        [sys.executable, "-m", "demo.guard", str(folder)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal must not reach it
    )
    last_word = b""

    def all_ended() -> None:
        nonlocal last_word
        last_word = DONE

    try:
        yield all_ended
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired, BrokenPipeError):
            guard.communicate(last_word, GOODBYE_SECONDS)


def sweep(folder: Path) -> None:
    """Kill every process that works in `folder` or below it; give up after 10 s."""
    deadline = time.monotonic() + SWEEP_SECONDS
    while (pids := _working_in(folder)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def _working_in(folder: Path) -> list[int]:
    # Imported here: a guard that only waits is small.
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder) and process.pid != os.getpid():
                found.append(process.pid)
    return found


def main() -> None:
    """Wait for the pipe's end."""
    folder = Path(sys.argv[1]).resolve()
    if sys.stdin.buffer.read() != DONE:
        sweep(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
