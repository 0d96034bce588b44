"""What faults are done with: calls, statements, commands, deploys, and threads that keep a fault going."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Callable, Coroutine
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeVar

from demo.botapi.config import NEXUS_TOKEN
from demo.nexus.flaws import VARIABLE, Flaw
from demo.process_tree import HOST, Server
from demo.stack import DemoStack

if TYPE_CHECKING:
    import asyncpg
    import redis

CALL_SECONDS = 5.0
OTHER_PASSWORD = "changed-by-somebody"

Hand = Callable[[DemoStack], None]
T = TypeVar("T")


def call(url: str, body: dict[str, Any] | None = None, method: str = "POST") -> None:
    """Send JSON to one of the demo's own servers. Raises OSError when it does not take it."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=CALL_SECONDS):  # noqa: S310  our own loopback addresses
        pass


def telegram(stack: DemoStack, method: str, parameters: dict[str, Any]) -> None:
    """Call a Bot API method with the token of Nexus's bot."""
    call(f"{stack.chat_url}/bot{NEXUS_TOKEN}/{method}", parameters)


def sql(stack: DemoStack, *statements: str, database: str | None = None) -> None:
    """Execute statements in one transaction."""

    async def run() -> None:
        connection = await connected(stack, database)
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close(timeout=CALL_SECONDS)

    asyncio.run(run())


async def connected(stack: DemoStack, database: str | None = None) -> "asyncpg.Connection[Any]":
    """Return a connection, with whichever password holds."""
    import asyncpg

    url = stack.postgres.url_of(database or stack.postgres.database)

    async def connect(password: str) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(url, password=password, timeout=CALL_SECONDS, command_timeout=CALL_SECONDS)

    try:
        return await connect(stack.postgres.password)
    except asyncpg.InvalidPasswordError:
        return await connect(OTHER_PASSWORD)


def doing_sql(*statements: str, database: str | None = None) -> Hand:
    """Return a hand that executes statements in one transaction."""
    return lambda stack: sql(stack, *statements, database=database)


def redis_client(stack: DemoStack, password: str | None = None) -> "redis.Redis":
    """Return a client of database 0, bounded; it connects with its first command."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        stack.valkey.url,
        password=password,
        socket_timeout=CALL_SECONDS,
        socket_connect_timeout=CALL_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def doing_redis(*commands: str) -> Hand:
    """Return a hand that sends commands, whichever password holds; a command's words are separated by blanks."""

    def send(stack: DemoStack) -> None:
        import redis

        for password in (None, OTHER_PASSWORD):
            with redis_client(stack, password) as client:
                try:
                    for command in commands:
                        client.execute_command(*(word.replace("''", "") for word in command.split()))
                    return
                except redis.AuthenticationError:
                    if password is not None:
                        raise

    return send


def deploying(name: str, *flaws: Flaw, **changes: str) -> Hand:
    """Return a hand that deploys a part with flaws or with other settings."""
    environment = {**changes, **({VARIABLE: ",".join(flaws)} if flaws else {})}
    return lambda stack: stack.parts[name].deploy(**environment)


def restoring(name: str) -> Hand:
    """Return a hand that deploys a part as it was."""
    return lambda stack: stack.parts[name].deploy()


def start_what_ended(stack: DemoStack) -> None:
    """Start the parts whose process has ended by itself, as Render does: Celery gives up where Redis refuses a read."""
    for part in stack.parts.values():
        part.start()


def letting_go(name: str) -> Hand:
    """Return a hand that closes what is held under `name`."""
    return lambda stack: stack.let_go(name)


def all_of(*hands: Hand) -> Hand:
    """Return a hand that does these in order."""

    def do(stack: DemoStack) -> None:
        for hand in hands:
            hand(stack)

    return do


class Connections:
    """PostgreSQL sessions that stay open: an event loop in a thread of its own."""

    def __init__(self, stack: DemoStack) -> None:
        self._stack = stack
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="held connections")
        self._thread.start()
        self._open: list[asyncpg.Connection[Any]] = []

    def open(self, *statements: str) -> None:
        """Open one more session and execute statements in it. Raises what PostgreSQL refuses it with."""
        self._do(self._opened(statements))

    def open_waiting(self, statement: str) -> None:
        """Open one more session that waits for the end of `statement`."""
        connection = self._do(self._opened(()))
        waiting = connection.execute(statement, timeout=600)
        asyncio.run_coroutine_threadsafe(waiting, self._loop).add_done_callback(lambda done: done.exception())

    def close(self) -> None:
        """End all sessions."""
        for connection in self._open:
            self._loop.call_soon_threadsafe(connection.terminate)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)

    async def _opened(self, statements: tuple[str, ...]) -> "asyncpg.Connection[Any]":
        connection = await connected(self._stack)
        self._open.append(connection)
        for statement in statements:
            await connection.execute(statement)
        return connection

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * CALL_SECONDS)


def held_connections(stack: DemoStack, name: str) -> Connections:
    """Return sessions that are held under `name`."""
    connections = Connections(stack)
    stack.hold(name).callback(connections.close)
    return connections


def stuttering(name: str, server: str, frozen_seconds: float, running_seconds: float) -> Hand:
    """Return a hand that freezes a server again and again, until what is held under `name` is let go."""

    def start(stack: DemoStack) -> None:
        stop = threading.Event()
        thread = threading.Thread(
            target=_stutter, args=(stack.servers[server], stop, frozen_seconds, running_seconds), daemon=True, name=name
        )
        thread.start()
        held = stack.hold(name)
        held.callback(thread.join, 2 * (frozen_seconds + running_seconds) + 1)
        held.callback(stop.set)

    return start


def _stutter(server: Server, stop: threading.Event, frozen_seconds: float, running_seconds: float) -> None:
    while not stop.wait(running_seconds):
        server.pause()
        stop.wait(frozen_seconds)
        server.resume()


def impersonating(part: str, status: int, body: str, **headers: str) -> Hand:
    """Return a hand that kills a part and answers everything in its place, on its port, until `repair`."""

    def start(stack: DemoStack) -> None:
        class Answer(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                data = body.encode()
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key.replace("_", "-"), value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_OPTIONS = do_HEAD = _answer  # noqa: N815  the names that the library calls

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
                """Stay quiet."""

        stack.parts[part].kill()
        server = ThreadingHTTPServer((HOST, stack.parts[part].port), Answer)
        threading.Thread(target=server.serve_forever, daemon=True, name=f"in place of {part}").start()
        held = stack.hold(part)
        held.callback(server.server_close)
        held.callback(server.shutdown)

    return start


def back(part: str) -> Hand:
    """Return a hand that ends who stands in for a part, and starts the part."""
    return all_of(letting_go(part), lambda stack: stack.parts[part].start())
