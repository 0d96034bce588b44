"""Nexus's own processes in the demo: each a process tree that can be stopped, killed, paused and started again."""

import http.client
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo.process_tree import HOST, Server

ANSWER_SECONDS = 1.0


def answers_http(port: int, path: str) -> bool:
    """Say whether GET `path` on this port of 127.0.0.1 is answered, whatever the status."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()


class Part(Server):
    """One `python -m …` process with its environment."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        port: int,
        *,
        answers: Callable[[], bool] = lambda: True,
        ready_words: str = "",
    ) -> None:
        """`arguments` follow `python -m`; `port` is 0 where it listens on none.

        It is ready when `answers` says so and `ready_words` stand in its log.
        """
        self.name = name
        super().__init__(folder, port)
        self.arguments = tuple(arguments)
        self.environment = dict(environment)
        self.usual_environment = dict(environment)
        """What it is deployed with when nothing is wrong."""
        self.prefix: tuple[str, ...] = ()
        """A program that starts it, with its arguments."""
        self._is_ready = answers
        self._ready_words = ready_words.encode()
        self._log_start = 0
        self._listens = port != 0

    @property
    def url(self) -> str:
        """The address of its HTTP side."""
        return f"http://{HOST}:{self.port}"

    def deploy(self, **changes: str) -> None:
        """Start it anew with its usual environment and these changes, and end the old one when the new one is ready.

        Raises `ServerError` when it does not get ready.
        """
        self.environment = {**self.usual_environment, **changes}
        self.replace()

    def _prepare(self) -> None:
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0

    def _command(self) -> list[str]:
        return [*self.prefix, sys.executable, "-m", *self.arguments]

    def _environment(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START")
        }
        # Its temporary files go where the demo removes everything: celery leaves a folder behind when it is killed.
        return {**kept, "PYTHONUNBUFFERED": "1", "TMPDIR": str(self.folder), **self.environment}

    def _answers(self) -> bool:
        return self._said_ready() and self._is_ready() and (not self._listens or self._holds_port())

    def _said_ready(self) -> bool:
        if not self._ready_words:
            return True
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return self._ready_words in log.read()
