"""Turns an exception of a look into a verdict: the closed vocabulary of network failures, in one table.

Classes are named, not imported: a driver that is not loaded cannot have raised. Other exceptions are not the target's
fault, and get no verdict here.
"""

import errno
import re
import socket
import ssl
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from checks.result import Evidence, Fact, Outcome, Reason, Verdict, failed
from checks.wording import duration, shortened

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """What an exception means."""

    reason: Reason
    summary: str
    """Follows a subject and a colon. `{within}` becomes ` within 3 s` where the budget is known."""
    hint: str
    certain: bool = False
    general: bool = False
    """A class that wraps others: what it was raised from is asked first."""


_LOOK_AT_HOST = "See whether the service runs and listens on this host and port."
_RESTARTED = "It may have crashed or restarted: look at its events and its last log lines."
_DATABASE = "Look at the database's status page and log."

REFUSED = Fault(Reason.CONNECTION_REFUSED, "connection refused", f"Nothing listens there. {_LOOK_AT_HOST}")
RESET = Fault(Reason.CONNECTION_RESET, "connection closed in the middle", _RESTARTED)
UNREACHABLE = Fault(Reason.UNREACHABLE, "host not reachable", "Check the address, the firewall and the IP allow-list.")
NO_NAME = Fault(Reason.DNS_FAILURE, "host name does not resolve", "Check the host name, and that the service exists.")
NO_CONNECTION = Fault(
    Reason.TIMEOUT, "no connection{within}", "The host drops packets or is overloaded: check address and firewall."
)
NO_ANSWER = Fault(Reason.TIMEOUT, "no answer{within}", "It is reachable and does not answer: hung or overloaded.")
TLS = Fault(Reason.TLS_INVALID, "TLS failed", "Check the certificate: name, expiry, full chain, and the port.")
NOT_HTTP = Fault(Reason.PROTOCOL_ERROR, "answer is not valid HTTP", "Another program may answer on this port.")
BAD_BODY = Fault(Reason.PROTOCOL_ERROR, "body cannot be decoded", "A proxy or middleware breaks content-encoding.")
PG_PASSWORD = Fault(
    Reason.AUTH_REJECTED, "credentials refused", "User or password changed: update the database URL.", certain=True
)
PG_NO_DATABASE = Fault(Reason.MISSING, "database does not exist", "Check the database name in the URL.", certain=True)
PG_FULL = Fault(
    Reason.CAPACITY, "no free connection slot", "Close idle clients, lower pool sizes or raise max_connections."
)
PG_STARTING = Fault(Reason.UNREACHABLE, "server is starting up or shutting down", f"Wait a minute. {_DATABASE}")
PG_CANCELED = Fault(Reason.QUERY_FAILED, "query was canceled", "A statement timeout or an operator stopped it.")
PG_READ_ONLY = Fault(Reason.READ_ONLY, "server is read-only", "This is a replica, or the disk is full.")
PG_DISK = Fault(Reason.CAPACITY, "disk is full", "Free space or enlarge the disk.")
PG_FAILED = Fault(Reason.QUERY_FAILED, "query failed", _DATABASE, general=True)
REDIS_PASSWORD = Fault(
    Reason.AUTH_REJECTED, "credentials refused", "Password or user changed: update the Redis URL.", certain=True
)
REDIS_ACL = Fault(Reason.AUTH_REJECTED, "command not permitted", "The ACL of this Redis user forbids it.")
REDIS_FULL = Fault(Reason.CAPACITY, "too many clients", "Close idle clients or raise maxclients.")
REDIS_LOADING = Fault(Reason.UNREACHABLE, "still loading its data", "It restarted: wait until the data is loaded.")
REDIS_READ_ONLY = Fault(Reason.READ_ONLY, "is a read-only replica", "The URL points to a replica, or a failover ran.")
REDIS_OOM = Fault(Reason.WRITE_REFUSED, "out of memory", "Memory limit reached with noeviction: enlarge or clean up.")
REDIS_MISCONF = Fault(
    Reason.WRITE_REFUSED, "refuses writes: cannot save to disk", "The disk is full or not writable: see Redis' log."
)
REDIS_NO_REPLICAS = Fault(Reason.WRITE_REFUSED, "refuses writes: too few replicas", "Look at the replicas.")
REDIS_FAILED = Fault(Reason.QUERY_FAILED, "command failed", "Look at Redis' log.", general=True)
REDIS_LOST = Fault(Reason.CONNECTION_RESET, "connection lost", _RESTARTED, general=True)
RABBIT_PASSWORD = Fault(
    Reason.AUTH_REJECTED, "credentials refused", "User or password changed: update the broker's URL.", certain=True
)
RABBIT_VHOST = Fault(
    Reason.AUTH_REJECTED,
    "virtual host refused",
    "It is not there, or the user may not enter it: see the path of the broker's URL (// is the host /).",
    certain=True,
)
RABBIT_BLOCKED = Fault(
    Reason.WRITE_REFUSED, "takes no messages", "Its memory or disk alarm is on: see rabbitmq-diagnostics alarms."
)
RABBIT_FORCED = Fault(Reason.CONNECTION_RESET, "connection closed by the broker", "It is shutting down or restarting.")
RABBIT_LOST = Fault(Reason.CONNECTION_RESET, "connection lost", _RESTARTED, general=True)
RABBIT_FAILED = Fault(Reason.QUERY_FAILED, "command failed", "Look at RabbitMQ's log.", general=True)
RENDER_LIMITED = Fault(Reason.RATE_LIMITED, "asked for a pause", "It is asked again after the pause.")
RENDER_REFUSED = Fault(Reason.AUTH_REJECTED, "refuses the key", "Make a new API key.")
RENDER_MISSING = Fault(Reason.MISSING, "does not know what was asked for", "Check the ids, and what the key may see.")
RENDER_FAULT = Fault(Reason.HTTP_STATUS, "did not answer as it should", "Look at status.render.com.")
OWN_READ_ONLY = Fault(Reason.READ_ONLY, "may not be written", "Check the owner of the file, and the user's rights.")
OWN_DATABASE = Fault(Reason.QUERY_FAILED, "query failed", "Check disk space and the database of the monitor.")

TABLE: Mapping[str, Fault] = {
    # The standard library. TimeoutError is both a budget that is used up and ETIMEDOUT.
    "builtins.TimeoutError": NO_ANSWER,
    "builtins.ConnectionRefusedError": REFUSED,
    "builtins.ConnectionResetError": RESET,
    "builtins.ConnectionAbortedError": RESET,
    "builtins.BrokenPipeError": RESET,
    "asyncio.IncompleteReadError": RESET,
    "socket.gaierror": NO_NAME,
    "ssl.SSLError": TLS,
    # httpx: the connect errors wrap what really happened.
    "httpx.ConnectTimeout": NO_CONNECTION,
    "httpx.TimeoutException": NO_ANSWER,
    "httpx.ConnectError": replace(UNREACHABLE, general=True),
    "httpx.NetworkError": replace(RESET, general=True),
    "httpx.RemoteProtocolError": NOT_HTTP,
    "httpx.DecodingError": BAD_BODY,
    # asyncpg: its classes are PostgreSQL's error codes (postgresql.org, appendix A).
    "asyncpg.InvalidAuthorizationSpecificationError": PG_PASSWORD,
    "asyncpg.InvalidCatalogNameError": PG_NO_DATABASE,
    "asyncpg.TooManyConnectionsError": PG_FULL,
    "asyncpg.CannotConnectNowError": PG_STARTING,
    "asyncpg.QueryCanceledError": PG_CANCELED,
    "asyncpg.AdminShutdownError": RESET,
    "asyncpg.CrashShutdownError": RESET,
    "asyncpg.PostgresConnectionError": RESET,
    "asyncpg.ReadOnlySQLTransactionError": PG_READ_ONLY,
    "asyncpg.DiskFullError": PG_DISK,
    "asyncpg.PostgresError": PG_FAILED,
    # redis-py.
    "redis.TimeoutError": NO_ANSWER,
    "redis.AuthenticationError": REDIS_PASSWORD,
    "redis.AuthenticationWrongNumberOfArgsError": REDIS_PASSWORD,
    "redis.NoPermissionError": REDIS_ACL,
    "redis.BusyLoadingError": REDIS_LOADING,
    "redis.ReadOnlyError": REDIS_READ_ONLY,
    "redis.OutOfMemoryError": REDIS_OOM,
    "redis.MaxConnectionsError": REDIS_FULL,
    "redis.ResponseError": REDIS_FAILED,
    "redis.ConnectionError": REDIS_LOST,
    # py-amqp: its classes are AMQP's reply codes (AMQP 0-9-1, section 1.2).
    "amqp.AccessRefused": RABBIT_PASSWORD,
    "amqp.NotAllowed": RABBIT_VHOST,
    "amqp.ConnectionForced": RABBIT_FORCED,
    "amqp.ConnectionError": RABBIT_LOST,
    "amqp.AMQPError": RABBIT_FAILED,
    "checks.BrokerBlockedError": RABBIT_BLOCKED,
    # Render's API, as our client reads it.
    "checks.RenderLimitedError": RENDER_LIMITED,
    "checks.RenderRefusedError": RENDER_REFUSED,
    "checks.RenderMissingError": RENDER_MISSING,
    "checks.RenderFaultError": RENDER_FAULT,
    # The monitor's own store.
    "sqlalchemy.SQLAlchemyError": replace(OWN_DATABASE, general=True),
    "sqlite3.Error": OWN_DATABASE,
    "monitor.WrongPasswordError": PG_PASSWORD,
    "monitor.NoPermissionError": OWN_READ_ONLY,
    "monitor.StoreError": replace(OWN_DATABASE, general=True),
}
"""Class → meaning, by the root package and the name of the class; the most specific class of an error wins."""

_BY_TEXT: tuple[tuple[str, str, Fault], ...] = (
    ("redis.ResponseError", "MISCONF", REDIS_MISCONF),
    ("redis.ResponseError", "NOREPLICAS", REDIS_NO_REPLICAS),
    ("redis.ResponseError", "OOM", REDIS_OOM),
    ("redis.TimeoutError", "Timeout connecting", NO_CONNECTION),
    ("redis.ConnectionError", "max number of clients reached", REDIS_FULL),
    ("httpx.RemoteProtocolError", "Server disconnected", RESET),
    ("httpx.RemoteProtocolError", "peer closed connection", RESET),
)
"""Errors that only their text tells apart: class, how the text starts, meaning."""

_BY_ERRNO: Mapping[int, Fault] = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ETIMEDOUT: NO_CONNECTION,
    errno.EHOSTUNREACH: UNREACHABLE,
    errno.ENETUNREACH: UNREACHABLE,
    errno.EADDRNOTAVAIL: UNREACHABLE,
}

_ERRNO = re.compile(r"\[Errno (\d+)\]")


def verdict_of(error: BaseException, timeout_seconds: float | None = None) -> Verdict | None:
    """Return what `error` says about the target, or None when it says nothing (a fault of the check's own code).

    `timeout_seconds` is the look's budget, named in the summary of a timeout.
    """
    found = _classified(error)
    if found is None:
        return None
    fault, cause = found
    within = "" if timeout_seconds is None else f" within {duration(timeout_seconds)}"
    return failed(
        fault.reason,
        fault.summary.format(within=within) + _detail(cause),
        Fact("error", type(cause).__name__),
        hint=fault.hint,
        excerpt=_excerpt(cause),
        certain=fault.certain,
    )


def told_as(verdict: Verdict, subject: str, hints: Mapping[Reason, str], *facts: Fact) -> Verdict:
    """Return `verdict` with its subject in front (`PING: no answer within 3 s`) and the hint for its reason."""
    evidence = Evidence((*facts, *verdict.evidence.facts), verdict.evidence.excerpt)
    hint = hints.get(verdict.reason, verdict.hint) if verdict.reason else verdict.hint
    return replace(verdict, summary=f"{subject}: {verdict.summary}", hint=hint, evidence=evidence)


def unseen(verdict: Verdict) -> Verdict:
    """Return `verdict` as unknown: the error was on the way to a third party, not at the target."""
    return replace(verdict, outcome=Outcome.UNKNOWN, reason=Reason.VANTAGE, certain=False)


async def attempt(look: Awaitable[T], *errors: type[Exception], timeout_seconds: float | None = None) -> T | Verdict:
    """Return what one of several looks gives, or the verdict of its network error (`OSError` and `errors`)."""
    kinds: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        return await look
    except kinds as error:
        verdict = verdict_of(error, timeout_seconds)
        if verdict is None:
            raise
        return verdict


def _classified(error: BaseException) -> tuple[Fault, BaseException] | None:
    """Return the first exact meaning along the chain of causes, else the first general one.

    Only an error that means something itself is asked for its causes: a bug in code that was handling a network error
    is a bug. A group means something when each of its members does.
    """
    if isinstance(error, BaseExceptionGroup):
        members = [_classified(member) for member in error.exceptions]
        return None if None in members else members[0]
    fault = _meaning(error)
    if fault is None or not fault.general:
        return None if fault is None else (fault, error)
    for cause in _causes(error):
        exact = _meaning(cause)
        if exact is not None and not exact.general:
            return exact, cause
    return fault, error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what `error` was raised from, nearest first, with the members of groups.

    A context that was suppressed counts too: httpcore raises its errors `from None`.
    """
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        following = current.__cause__ or current.__context__
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        for cause in (*members, *([following] if following is not None else [])):
            yield cause
            waiting.append(cause)


def _meaning(error: BaseException) -> Fault | None:
    names = [f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__]
    text = str(error)
    for name, start, fault in _BY_TEXT:
        if name in names and text.startswith(start):
            return fault
    for name in names:
        if name in TABLE:
            return TABLE[name]
    return _os_meaning(error) if isinstance(error, OSError) else None


def _os_meaning(error: OSError) -> Fault | None:
    """Return the meaning of a plain OSError; asyncio joins several into one text without a number."""
    numbers = [error.errno] if error.errno is not None else [int(number) for number in _ERRNO.findall(str(error))]
    return next((_BY_ERRNO[number] for number in numbers if number in _BY_ERRNO), None)


def _detail(error: BaseException) -> str:
    """Return the part of the error's own text that is short, telling and safe."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f": {shortened(error.verify_message, 80)}"
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return " (the resolver did not answer)"
    return ""


def _excerpt(error: BaseException) -> str | None:
    """Return the error's own text, but not httpx's: it may hold a URL whose path is secret."""
    text = str(error)
    return None if not text or type(error).__module__.startswith("httpx") else text
