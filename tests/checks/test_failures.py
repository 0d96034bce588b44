"""Every exception of a look has one meaning, and a bug has none."""

import asyncio
import errno
import importlib
import socket
import ssl

import asyncpg
import httpx
import pytest
import redis.exceptions as redis_errors
from sqlalchemy.exc import OperationalError

from checks.failures import TABLE, attempt, told_as, unseen, verdict_of
from checks.result import Fact, Outcome, Reason, Verdict

TOKEN = "123456789:AAF" + "x" * 32


def wrapped(outer: Exception, *inner: BaseException) -> Exception:
    """Return `outer` raised from the first of `inner`, that from the second, and so on."""
    current: BaseException = outer
    for cause in inner:
        current.__cause__ = cause
        current = cause
    return outer


def certificate_error(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = message
    return error


EXPIRED = certificate_error("certificate has expired")

CASES = {
    "budget used up": (TimeoutError(), Reason.TIMEOUT, "no answer within 3 s"),
    "refused": (ConnectionRefusedError(111, "refused"), Reason.CONNECTION_REFUSED, "connection refused"),
    "several addresses refused": (
        OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] Connect call failed"),
        Reason.CONNECTION_REFUSED,
        "connection refused",
    ),
    "no route": (OSError(errno.EHOSTUNREACH, "no route"), Reason.UNREACHABLE, "host not reachable"),
    "reset": (ConnectionResetError(104, "reset"), Reason.CONNECTION_RESET, "connection closed in the middle"),
    "cut off": (asyncio.IncompleteReadError(b"", 4), Reason.CONNECTION_RESET, "connection closed in the middle"),
    "no name": (socket.gaierror(socket.EAI_NONAME, "?"), Reason.DNS_FAILURE, "host name does not resolve"),
    "no resolver": (
        socket.gaierror(socket.EAI_AGAIN, "?"),
        Reason.DNS_FAILURE,
        "host name does not resolve (the resolver did not answer)",
    ),
    "certificate": (EXPIRED, Reason.TLS_INVALID, "TLS failed: certificate has expired"),
    "httpx refused": (
        wrapped(httpx.ConnectError("All connection attempts failed"), OSError("all"), ConnectionRefusedError()),
        Reason.CONNECTION_REFUSED,
        "connection refused",
    ),
    "httpx refused in a group": (
        wrapped(
            httpx.ConnectError("x"), OSError("all"), ExceptionGroup("many", [ConnectionRefusedError(), TimeoutError()])
        ),
        Reason.CONNECTION_REFUSED,
        "connection refused",
    ),
    "httpx certificate": (
        wrapped(httpx.ConnectError("x"), EXPIRED),
        Reason.TLS_INVALID,
        "TLS failed: certificate has expired",
    ),
    "httpx without a cause": (httpx.ConnectError("x"), Reason.UNREACHABLE, "host not reachable"),
    "httpx connect timeout": (httpx.ConnectTimeout("x"), Reason.TIMEOUT, "no connection within 3 s"),
    "httpx read timeout": (httpx.ReadTimeout("x"), Reason.TIMEOUT, "no answer within 3 s"),
    "httpx read error": (httpx.ReadError("x"), Reason.CONNECTION_RESET, "connection closed in the middle"),
    "httpx no answer": (
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        Reason.CONNECTION_RESET,
        "connection closed in the middle",
    ),
    "not http": (httpx.RemoteProtocolError("illegal status line"), Reason.PROTOCOL_ERROR, "answer is not valid HTTP"),
    "bad gzip": (httpx.DecodingError("x"), Reason.PROTOCOL_ERROR, "body cannot be decoded"),
    "pg password": (asyncpg.InvalidPasswordError("x"), Reason.AUTH_REJECTED, "credentials refused"),
    "pg no database": (asyncpg.InvalidCatalogNameError("x"), Reason.MISSING, "database does not exist"),
    "pg full": (asyncpg.TooManyConnectionsError("x"), Reason.CAPACITY, "no free connection slot"),
    "pg starting": (
        asyncpg.CannotConnectNowError("x"),
        Reason.UNREACHABLE,
        "server is starting up or shutting down",
    ),
    "pg gone": (
        asyncpg.ConnectionDoesNotExistError("x"),
        Reason.CONNECTION_RESET,
        "connection closed in the middle",
    ),
    "pg canceled": (asyncpg.QueryCanceledError("x"), Reason.QUERY_FAILED, "query was canceled"),
    "pg other": (asyncpg.UndefinedTableError("x"), Reason.QUERY_FAILED, "query failed"),
    "redis refused": (
        wrapped(redis_errors.ConnectionError("Error 111"), ConnectionRefusedError()),
        Reason.CONNECTION_REFUSED,
        "connection refused",
    ),
    "redis lost": (
        redis_errors.ConnectionError("Connection closed by server."),
        Reason.CONNECTION_RESET,
        "connection lost",
    ),
    "redis full": (redis_errors.ConnectionError("max number of clients reached"), Reason.CAPACITY, "too many clients"),
    "redis read timeout": (redis_errors.TimeoutError("Timeout reading from"), Reason.TIMEOUT, "no answer within 3 s"),
    "redis connect timeout": (
        redis_errors.TimeoutError("Timeout connecting to server"),
        Reason.TIMEOUT,
        "no connection within 3 s",
    ),
    "redis password": (redis_errors.AuthenticationError("x"), Reason.AUTH_REJECTED, "credentials refused"),
    "redis acl": (redis_errors.NoPermissionError("x"), Reason.AUTH_REJECTED, "command not permitted"),
    "redis loading": (redis_errors.BusyLoadingError("x"), Reason.UNREACHABLE, "still loading its data"),
    "redis read-only": (redis_errors.ReadOnlyError("x"), Reason.READ_ONLY, "is a read-only replica"),
    "redis memory": (redis_errors.OutOfMemoryError("x"), Reason.WRITE_REFUSED, "out of memory"),
    "redis disk": (
        redis_errors.ResponseError("MISCONF Redis is configured to save"),
        Reason.WRITE_REFUSED,
        "refuses writes: cannot save to disk",
    ),
    "redis other": (redis_errors.ResponseError("ERR what"), Reason.QUERY_FAILED, "command failed"),
    "own store": (OperationalError("SELECT 1", {}, Exception("locked")), Reason.QUERY_FAILED, "query failed"),
    "a group of one meaning": (
        ExceptionGroup("both", [ConnectionRefusedError(), TimeoutError()]),
        Reason.CONNECTION_REFUSED,
        "connection refused",
    ),
}


@pytest.mark.parametrize(("error", "reason", "summary"), CASES.values(), ids=CASES)
def test_an_error_has_one_meaning(error: Exception, reason: Reason, summary: str) -> None:
    verdict = verdict_of(error, 3.0)

    assert verdict is not None
    assert (verdict.outcome, verdict.reason, verdict.summary) == (Outcome.FAILED, reason, summary)
    assert verdict.hint


def during(error: Exception, context: Exception) -> Exception:
    error.__context__ = context
    return error


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        httpx.UnsupportedProtocol("x"),
        OSError("without a number"),
        during(KeyError("a bug while handling"), ConnectionRefusedError()),
        ExceptionGroup("both", [ConnectionRefusedError(), KeyError("x")]),
    ],
    ids=["bug", "bad url", "unknown os error", "bug in a handler", "bug in a group"],
)
def test_what_is_not_the_targets_fault_has_no_verdict(error: Exception) -> None:
    assert verdict_of(error, 3.0) is None


@pytest.mark.parametrize("name", TABLE)
def test_every_class_of_the_table_exists_where_it_is_said_to_be(name: str) -> None:
    root, kind = name.split(".")
    modules = [importlib.import_module(root)]
    inner = {
        "redis": ["redis.exceptions"],
        "sqlalchemy": ["sqlalchemy.exc"],
        "monitor": ["monitor.store.errors"],
        "checks": ["checks.amqp", "checks.platform.client"],
    }
    modules += [importlib.import_module(name) for name in inner.get(root, ())]
    found = next(getattr(module, kind) for module in modules if hasattr(module, kind))

    assert issubclass(found, BaseException)
    assert found.__module__.split(".")[0] == root


def test_refused_credentials_are_certain() -> None:
    for error in (asyncpg.InvalidPasswordError("x"), redis_errors.AuthenticationError("x")):
        verdict = verdict_of(error)
        assert verdict is not None
        assert verdict.certain


def test_an_unknown_budget_is_not_named() -> None:
    verdict = verdict_of(TimeoutError())
    assert verdict is not None
    assert verdict.summary == "no answer"


def test_the_text_of_an_error_keeps_no_secret() -> None:
    url = f"https://api.telegram.org/bot{TOKEN}/getMe"
    for error in (httpx.ReadTimeout(f"for {url}"), redis_errors.ResponseError(f"ERR {url}"), ConnectionResetError(url)):
        verdict = verdict_of(error)
        assert verdict is not None
        assert TOKEN not in repr(verdict)


def test_told_as_puts_subject_facts_and_hint() -> None:
    verdict = verdict_of(TimeoutError(), 3.0)
    assert verdict is not None

    told = told_as(verdict, "PING", {Reason.TIMEOUT: "Look."}, Fact("host", "a:1"))

    assert told.summary == "PING: no answer within 3 s"
    assert told.hint == "Look."
    assert told.evidence.facts == (Fact("host", "a:1"), Fact("error", "TimeoutError"))
    assert told_as(verdict, "PING", {}).hint == verdict.hint


def test_unseen_is_unknown_and_ours() -> None:
    verdict = verdict_of(asyncpg.InvalidPasswordError("x"))
    assert verdict is not None

    assert (unseen(verdict).outcome, unseen(verdict).reason, unseen(verdict).certain) == (
        Outcome.UNKNOWN,
        Reason.VANTAGE,
        False,
    )


async def test_attempt_gives_the_result_or_the_verdict_and_lets_bugs_fly() -> None:
    async def good() -> int:
        return 7

    async def refused() -> int:
        raise ConnectionRefusedError

    async def strange() -> int:
        raise OSError("without a number")

    assert await attempt(good()) == 7
    verdict = await attempt(refused())
    assert isinstance(verdict, Verdict)
    assert verdict.reason is Reason.CONNECTION_REFUSED
    with pytest.raises(OSError, match="without a number"):
        await attempt(strange())
