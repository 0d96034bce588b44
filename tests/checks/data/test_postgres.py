"""`postgres.connect`: what it calls failed, degraded and ok, and a look at a real server."""

import re

import asyncpg
import pytest

from checks.data.postgres import PostgresConnect, PostgresConnectConfig, PostgresConnectSeen, is_public, plain_url
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import PostgresServer
from tests.fakes import NOW, io_for

LOCAL = "postgresql://nexus:pass@127.0.0.1:5432/nexus"
PUBLIC = "postgresql://nexus:pass@db.oregon.render.com:5432/nexus"


def check_of(url: str = LOCAL, **settings: object) -> PostgresConnect:
    return PostgresConnect(
        PostgresConnectConfig(id="postgres.connect", service="nexus-db", url=url, **settings)  # type: ignore[arg-type]
    )


def seen(
    *, in_recovery: bool = False, read_only: bool = False, tls: bool = False, seconds: float = 0.004
) -> PostgresConnectSeen:
    return PostgresConnectSeen("18.6 (Debian)", in_recovery, read_only, tls, seconds, 0.001)


JUDGED = {
    "good": (check_of(), seen(), Outcome.OK, None, "SELECT 1 in 5 ms on PostgreSQL 18.6"),
    "replica": (
        check_of(),
        seen(in_recovery=True, read_only=True),
        Outcome.FAILED,
        Reason.READ_ONLY,
        "PostgreSQL is a replica in recovery: writes fail",
    ),
    "read-only": (
        check_of(),
        seen(read_only=True),
        Outcome.FAILED,
        Reason.READ_ONLY,
        "PostgreSQL is read-only: writes fail",
    ),
    "replica wanted": (
        check_of(expect_primary=False),
        seen(in_recovery=True, read_only=True),
        Outcome.OK,
        None,
        "SELECT 1 in 5 ms on PostgreSQL 18.6",
    ),
    "slow": (check_of(), seen(seconds=1.2), Outcome.DEGRADED, Reason.SLOW, "connect and SELECT 1 took 1.2 s"),
    "public in clear": (
        check_of(PUBLIC),
        seen(),
        Outcome.DEGRADED,
        Reason.TLS_INVALID,
        "connection to db.oregon.render.com is not encrypted",
    ),
    "public with tls": (check_of(PUBLIC), seen(tls=True), Outcome.OK, None, "SELECT 1 in 5 ms on PostgreSQL 18.6"),
}


@pytest.mark.parametrize(("check", "what", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    check: PostgresConnect, what: PostgresConnectSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check.judge(what, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert set(verdict.values) == {"connect_seconds", "query_seconds", "latency_seconds"}
    assert "pass@" not in repr(verdict)


def test_a_refused_password_is_certain_and_says_where_to_look() -> None:
    error = verdict_of(asyncpg.InvalidPasswordError("password authentication failed"))
    assert error is not None

    told = check_of().on_failure(error)

    assert (told.summary, told.certain) == ("PostgreSQL: credentials refused", True)
    assert told.hint == "Render → nexus-db → Connect: compare user and password with the URL in use."


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False),
        ("10.0.0.4", False),
        ("[::1]", False),
        ("8.8.8.8", True),
        ("dpg-abc123-a", False),
        ("db.internal", False),
        ("db.render.com", True),
    ],
)
def test_a_public_host_is_a_dotted_name_or_a_global_address(host: str, public: bool) -> None:
    assert is_public(host) is public


def test_the_driver_of_an_address_is_dropped() -> None:
    assert plain_url("postgresql+asyncpg://u:p@h/d") == "postgresql://u:p@h/d"
    assert plain_url("postgres://u:p@h/d") == "postgres://u:p@h/d"


@pytest.mark.real
async def test_a_real_server_answers(postgres_server: PostgresServer) -> None:
    check = check_of(postgres_server.url.replace("postgresql:", "postgresql+asyncpg:"))

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.outcome is Outcome.OK
    assert verdict.summary.endswith("on PostgreSQL 18.6")


@pytest.mark.real
async def test_a_read_only_server_is_failed(postgres_server: PostgresServer) -> None:
    check = check_of(postgres_server.url + "?default_transaction_read_only=on")

    assert check.judge(await check.measure(io_for()), NOW).reason is Reason.READ_ONLY


@pytest.mark.real
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [("nexus:nexus@", "nexus:wrong@", Reason.AUTH_REJECTED), ("/nexus$", "/nothing", Reason.MISSING)],
    ids=["password", "database"],
)
async def test_a_wrong_address_is_named(postgres_server: PostgresServer, old: str, new: str, reason: Reason) -> None:
    check = check_of(re.sub(old, new, postgres_server.url))

    with pytest.raises(asyncpg.PostgresError) as caught:
        await check.measure(io_for())
    verdict = verdict_of(caught.value)

    assert verdict is not None
    assert verdict.reason is reason


@pytest.mark.real
async def test_a_paused_server_is_a_timeout(postgres_server: PostgresServer) -> None:
    postgres_server.pause()
    try:
        with pytest.raises(TimeoutError) as caught:
            await check_of(postgres_server.url).measure(io_for(0.3))
    finally:
        postgres_server.resume()
    verdict = verdict_of(caught.value, 0.3)

    assert verdict is not None
    assert (verdict.reason, verdict.summary) == (Reason.TIMEOUT, "no answer within 300 ms")


@pytest.mark.real
async def test_a_query_that_fails_drops_the_connection(postgres_server: PostgresServer) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with io_for().postgres(postgres_server.url) as connection:
            await connection.execute("SELECT * FROM nothing")

    assert connection.is_closed()
