"""A Chromium of one look: spoken to over a pipe, with a profile of its own, and ended with everything it started."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from checks.base import Browser

END_SECONDS = 3.0
MESSAGE_LIMIT_BYTES = 16_000_000

_ARGUMENTS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # containers seldom allow it, and nothing but the watched page is opened
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--user-data-dir=.",
    "about:blank",
)
# Chromium reads its commands at descriptor 3 and answers at 4: put ours there, then become Chromium.
_BECOME = (
    "import fcntl, os, sys; r, w = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]); "
    "os.dup2(r, 3); os.dup2(w, 4); os.close(r); os.close(w); os.execv(sys.argv[3], sys.argv[3:])"
)


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Browser]:
    """Start `program` and speak with it. Raises OSError where it does not start, ConnectionError when it ends."""
    with ExitStack() as closing:
        folder = tempfile.mkdtemp(prefix="nexus-monitor-browser-")
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        reads_commands, commands = os.pipe()
        answers, writes_answers = os.pipe()
        theirs = (reads_commands, writes_answers)
        ours = (closing.enter_context(os.fdopen(answers, "rb", 0)), closing.enter_context(os.fdopen(commands, "wb", 0)))
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _BECOME, *map(str, theirs), program, *_ARGUMENTS),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"},
                pass_fds=theirs,
                start_new_session=True,
            )
        finally:
            for one in theirs:
                os.close(one)
        try:
            async with _spoken_with(*ours) as browser:
                yield browser
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the group it leads: nobody else is in it
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), END_SECONDS)


@asynccontextmanager
async def _spoken_with(answers: Any, commands: Any) -> AsyncIterator["_Pipe"]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MESSAGE_LIMIT_BYTES)
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), answers)
    os.set_blocking(commands.fileno(), True)
    pipe = _Pipe(commands)
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(pipe.listen(reader), name="browser")
            try:
                yield pipe
            finally:
                listening.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        reading.close()


class _Pipe:
    """Chrome DevTools Protocol: JSON with a zero byte behind it, both ways."""

    def __init__(self, commands: Any) -> None:
        self._commands = commands
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: dict[str, Callable[[Mapping[str, Any]], None]] = {}
        self._session = ""
        self._count = 0
        self._has_ended = False

    async def open_page(self) -> None:
        """Open an empty page; every later command is for it."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]

    def on(self, event: str, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Give each such event's parameters to `listener`."""
        self._listeners[event] = listener

    def post(self, method: str, **parameters: Any) -> int:
        """Send a command without waiting for its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        return self._count

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result. Raises ConnectionError when it is refused or the browser ends."""
        if self._has_ended:
            raise ConnectionResetError("the browser has ended")
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        number = self.post(method, **parameters)
        self._waiting[number] = answer
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Hand out answers and events until the browser ends."""
        try:
            while True:
                message = json.loads((await reader.readuntil(b"\0"))[:-1])
                waiting = self._waiting.get(message.get("id", 0))
                if waiting is not None and not waiting.done():
                    self._answer(waiting, message)
                elif message.get("method") in self._listeners:
                    self._listeners[message["method"]](message.get("params", {}))
        except (asyncio.IncompleteReadError, OSError):
            self._has_ended = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("the browser has ended"))

    @staticmethod
    def _answer(waiting: "asyncio.Future[dict[str, Any]]", message: Mapping[str, Any]) -> None:
        if "error" in message:
            waiting.set_exception(ConnectionAbortedError(f"browser: {message['error'].get('message', '')}"))
        else:
            waiting.set_result(message.get("result", {}))


async def keep_file(name: str, content: bytes) -> str:
    """Write a file of evidence, in the place of the last one of its name; return its path."""
    folder = Path(tempfile.gettempdir()) / f"nexus-monitor-evidence-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    await asyncio.to_thread(path.write_bytes, content)
    return str(path)
