"""A connection to RabbitMQ for one look: one thread of its own, in which every wait ends.

py-amqp blocks, so its calls run in that thread. Each socket wait ends after the look's time, and when the look is
cancelled its socket is shut down, so that the thread ends too.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from socket import SHUT_RDWR
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

CLOSE_SECONDS = 0.3
"""How long the farewell to the broker may take."""

SCHEMES = ("amqp", "amqps", "pyamqp")

T = TypeVar("T")


class BrokerBlockedError(Exception):
    """RabbitMQ takes no messages: its memory or disk alarm is on. https://www.rabbitmq.com/docs/alarms"""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message that arrived for us."""

    routing_key: str
    correlation_id: str
    headers: Mapping[str, Any]
    body: str | bytes


@dataclass(frozen=True, slots=True)
class QueueState:
    """What RabbitMQ tells of a queue."""

    messages: int
    """Ready to be delivered; those that a worker holds are not counted."""
    consumers: int


class Amqp:
    """An open connection. Its methods block, and belong into the thread of its session."""

    def __init__(self, connection: Any) -> None:
        """`connection` is an `amqp.Connection`; the stubs of py-amqp know little of it."""
        self._connection = connection
        self._channels: deque[Any] = deque()
        self.inbox: deque[Incoming] = deque()
        self.is_blocked = False
        connection.on_blocked = self._note_blocked

    def listen(self) -> str:
        """Declare a queue for ourselves alone, which ends with us, and return its name; messages go to `inbox`."""
        channel = self._connection.channel()
        self._channels.append(channel)
        name: str = channel.queue_declare(exclusive=True, auto_delete=True, durable=False).queue
        channel.basic_consume(name, no_ack=True, callback=self._take)
        return name

    def bind(self, queue: str, exchange: str, routing_keys: Sequence[str]) -> bool:
        """Bind a queue of ours; return False where the exchange is not there, as before the first worker."""
        from amqp.exceptions import NotFound

        with self._channel() as channel:
            try:
                for key in routing_keys:
                    channel.queue_bind(queue, exchange, key)
            except NotFound:
                return False
        return True

    def publish(self, exchange: str, routing_key: str, body: bytes, *, headers: Mapping[str, Any],
                **properties: Any) -> bool:  # fmt: skip
        """Send JSON and wait until the broker has it; return whether it reached a queue. Nothing is declared.

        Raises BrokerBlockedError where the broker takes nothing now.
        """
        import amqp

        returned: list[object] = []
        message = amqp.Message(
            body,
            content_type="application/json",
            content_encoding="utf-8",
            application_headers=dict(headers),
            **properties,
        )
        with self._channel() as channel:
            channel.events["basic_return"].add(lambda *details: returned.append(details))
            try:
                channel.basic_publish_confirm(message, exchange, routing_key, mandatory=True)
            except amqp.NotFound:
                return False
            except TimeoutError:
                if self.is_blocked:
                    raise BrokerBlockedError("the connection is blocked by the broker") from None
                raise
        return not returned

    def peek(self, queue: str) -> QueueState | None:
        """Return the state of a queue, None where there is none. It is declared passively: nothing comes to be."""
        from amqp.exceptions import NotFound, ResourceLocked

        with self._channel() as channel:
            try:
                _, messages, consumers = channel.queue_declare(queue, passive=True)
            except NotFound:
                return None
            except ResourceLocked:  # it belongs to one connection alone, which is there
                return QueueState(0, 1)
        return QueueState(messages, consumers)

    def remove(self, name: str) -> None:
        """Delete the queue and the exchange of this name, which has to be ours."""
        with self._channel() as channel:
            channel.queue_delete(name)
            channel.exchange_delete(name)

    def drain(self, seconds: float) -> list[Incoming]:
        """Return what arrived, at most `seconds` after waiting for something."""
        if not self.inbox:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=max(seconds, 0.001))
        taken = list(self.inbox)
        self.inbox.clear()
        return taken

    def ping(self) -> None:
        """Ask for something that is always there. Raises TimeoutError when no answer comes in time."""
        with self._channel() as channel:
            channel.exchange_declare("amq.direct", "direct", passive=True, durable=True)

    def end_listening(self) -> None:
        """Let go of what `listen` made: without its reader RabbitMQ removes the queue."""
        while self._channels:
            self._channels.popleft().close()
        self.inbox.clear()

    def close(self) -> None:
        """Say farewell within `CLOSE_SECONDS`."""
        if self._connection.connected:
            self._connection.transport.sock.settimeout(CLOSE_SECONDS)
            self._connection.close()

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        channel = self._connection.channel()
        yield channel
        # Not after a failure: the connection ends with it, and a broker that blocks would not answer a farewell.
        if self._connection.connected and channel.is_open:  # an error of the broker has closed it
            channel.close()

    def _take(self, message: Any) -> None:
        properties = message.properties
        self.inbox.append(
            Incoming(
                str(message.delivery_info.get("routing_key") or ""),
                str(properties.get("correlation_id") or ""),
                message.headers or {},
                message.body,
            )
        )

    def _note_blocked(self, reason: str) -> None:
        self.is_blocked = True


class AmqpSession:
    """Runs calls on one connection, in one thread."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="amqp")
        self._connection: Any = None
        self._amqp: Amqp | None = None

    async def run(self, call: Callable[[Amqp], T]) -> T:
        """Run `call` in the thread. Raises what it raises; when cancelled, the thread ends soon after."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, call)

    async def close(self) -> None:
        """Say farewell; let go without it when that takes too long."""
        try:
            with suppress(*amqp_errors()):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.run(Amqp.close)
        finally:
            self.abort()

    def abort(self) -> None:
        """End the connection at once, whatever the thread waits for."""
        if self._connection is not None and self._connection.connected:
            with suppress(OSError, AttributeError):  # the thread may close it in the same moment
                self._connection.transport.sock.shutdown(SHUT_RDWR)
        self._thread.submit(self._collect)
        self._thread.shutdown(wait=False)

    def _call(self, call: Callable[[Amqp], T]) -> T:
        if self._amqp is None:
            self._connection = connect(self._url, self._timeout_seconds)
            self._amqp = Amqp(self._connection)
        return call(self._amqp)

    def _collect(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.collect()


@asynccontextmanager
async def amqp_session(url: str, timeout_seconds: float) -> AsyncIterator[AmqpSession]:
    """Open a connection for one look; its time is bounded by the caller."""
    session = AmqpSession(url, timeout_seconds)
    is_over = False
    try:
        await session.run(lambda amqp: None)
        yield session
        is_over = True
        await session.close()
    finally:
        if not is_over:
            session.abort()


def connect(url: str, timeout_seconds: float) -> Any:
    """Return an open `amqp.Connection`, whose every wait ends after `timeout_seconds`. Blocks."""
    from kombu import Connection

    options: dict[str, Any] = {}
    parts = urlsplit(url)
    if parts.scheme == "amqps":
        wanted = parse_qs(parts.query).get("ssl_cert_reqs", ["required"])[0].lower().removeprefix("cert_")
        checks = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL}.get(wanted, ssl.CERT_REQUIRED)
        options["ssl"] = {"cert_reqs": checks, "server_hostname": parts.hostname if checks else None}
    described = Connection(
        parts._replace(query="").geturl(), connect_timeout=timeout_seconds, heartbeat=0, transport_options=options
    )
    # Not `described.connect()`, which tries again, and sleeps before.
    connection: Any = described.transport.establish_connection()
    connection.transport.sock.settimeout(timeout_seconds)  # py-amqp waits for ever otherwise
    return connection


def amqp_errors() -> tuple[type[Exception], ...]:
    """Return what a call to RabbitMQ may raise."""
    from amqp.exceptions import AMQPError

    return (OSError, AMQPError)
