"""Faults of PostgreSQL and Redis."""

from contextlib import suppress

from demo.faults.fault import Fault
from demo.faults.hands import (
    OTHER_PASSWORD,
    Connections,
    all_of,
    doing_redis,
    doing_sql,
    held_connections,
    letting_go,
    redis_client,
    start_what_ended,
)
from demo.stack import DemoStack

TASKS_FAILED = ("beat.schedule", "worker.failures")
"""Tasks that failed or expired for want of it stay so until they run again."""
MOST_CONNECTIONS = 100
"""What the demo's PostgreSQL allows."""
_ALL_BUT_ONE_SEVENTH = 86


def _fill(connections: Connections, most: int) -> None:
    import asyncpg

    with suppress(asyncpg.TooManyConnectionsError):
        for _ in range(most):
            connections.open()


def _exhaust(stack: DemoStack) -> None:
    _fill(held_connections(stack, "connections"), MOST_CONNECTIONS)


def _fill_up(stack: DemoStack) -> None:
    _fill(held_connections(stack, "connections"), _ALL_BUT_ONE_SEVENTH)


def _wait_for_lock(stack: DemoStack) -> None:
    connections = held_connections(stack, "lock")
    connections.open("SELECT pg_advisory_lock(42)")
    connections.open_waiting("SELECT pg_advisory_lock(42)")


def _forget_transaction(stack: DemoStack) -> None:
    held_connections(stack, "transaction").open("BEGIN", "SELECT count(*) FROM users")


def _fail_saving(stack: DemoStack) -> None:
    # A folder where the snapshot's file would be: it cannot be put in its place, whoever runs the server.
    (stack.valkey.folder / "dump.rdb").mkdir(exist_ok=True)
    (stack.valkey.folder / "dump.rdb" / "in-the-way").touch()
    with redis_client(stack) as client:
        client.config_set("save", "3600 1")
        client.bgsave()


def _save_again(stack: DemoStack) -> None:
    place = stack.valkey.folder / "dump.rdb"
    if place.is_dir():
        (place / "in-the-way").unlink(missing_ok=True)
        place.rmdir()
    doing_redis("CONFIG SET save ''", "BGSAVE")(stack)
    start_what_ended(stack)


def _take_all_clients(stack: DemoStack) -> None:
    client = redis_client(stack)
    client.config_set("maxclients", 1)
    held = stack.hold("clients")
    held.callback(client.close)
    held.callback(client.config_set, "maxclients", 10_000)  # over the connection that is open already


def _fill_memory(stack: DemoStack) -> None:
    with redis_client(stack) as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", used * 100 // 92)


FAULTS = (
    Fault(
        "postgres-down",
        "PostgreSQL is killed",
        "postgres.connect",
        lambda stack: stack.postgres.kill(),
        lambda stack: stack.postgres.start(),
        beside=TASKS_FAILED,
    ),
    Fault(
        "postgres-paused",
        "PostgreSQL is frozen: it takes connections and never answers",
        "postgres.connect",
        lambda stack: stack.postgres.pause(),
        lambda stack: stack.postgres.resume(),
        beside=TASKS_FAILED,
    ),
    Fault(
        "postgres-password-changed",
        "somebody changes the password of the database's user",
        "postgres.connect",
        doing_sql(f"ALTER ROLE nexus PASSWORD '{OTHER_PASSWORD}'"),
        doing_sql("ALTER ROLE nexus PASSWORD 'nexus'"),
        beside=TASKS_FAILED,
    ),
    Fault(
        "postgres-closed",
        "the database takes no connections, as in the middle of a restore",
        "postgres.connect",
        doing_sql(
            "ALTER DATABASE nexus ALLOW_CONNECTIONS false",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'nexus'",
            database="postgres",
        ),
        doing_sql("ALTER DATABASE nexus ALLOW_CONNECTIONS true", database="postgres"),
        beside=TASKS_FAILED,
    ),
    Fault(
        "postgres-read-only",
        "the database is read-only for new sessions, as after a full disk",
        "postgres.connect",
        doing_sql("ALTER DATABASE nexus SET default_transaction_read_only = on", database="postgres"),
        doing_sql("ALTER DATABASE nexus RESET default_transaction_read_only", database="postgres"),
        beside=TASKS_FAILED,
    ),
    Fault(
        "postgres-slow",
        "every new session waits 1.2 s for a trigger",
        "postgres.connect",
        doing_sql(
            "CREATE FUNCTION slow_login() RETURNS event_trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(1.2); END $$",
            "CREATE EVENT TRIGGER slow_login ON login EXECUTE FUNCTION slow_login()",
            "ALTER EVENT TRIGGER slow_login ENABLE ALWAYS",
        ),
        doing_sql("DROP EVENT TRIGGER IF EXISTS slow_login", "DROP FUNCTION IF EXISTS slow_login"),
        severity="warning",
    ),
    Fault(
        "postgres-connections-exhausted",
        "a leak takes every connection PostgreSQL has",
        "postgres.connect",
        _exhaust,
        letting_go("connections"),
        also=("postgres.capacity",),
        beside=TASKS_FAILED,
    ),
    Fault(
        "postgres-connections-scarce",
        "a leak takes 86 of the 100 connections",
        "postgres.capacity",
        _fill_up,
        letting_go("connections"),
        severity="warning",
    ),
    Fault(
        "postgres-lock-waits",
        "a session waits for a lock that another one has forgotten",
        "postgres.capacity",
        _wait_for_lock,
        letting_go("lock"),
        severity="warning",
    ),
    Fault(
        "postgres-transaction-forgotten",
        "a session stays idle in its transaction",
        "postgres.capacity",
        _forget_transaction,
        letting_go("transaction"),
        severity="warning",
    ),
    Fault(
        "redis-down",
        "Redis is killed",
        "redis.ping",
        lambda stack: stack.valkey.kill(),
        lambda stack: stack.valkey.start(),
        beside=TASKS_FAILED,
    ),
    Fault(
        "redis-paused",
        "Redis is frozen: it takes connections and never answers",
        "redis.ping",
        lambda stack: stack.valkey.pause(),
        lambda stack: stack.valkey.resume(),
        beside=TASKS_FAILED,
    ),
    Fault(
        "redis-replica",
        "Redis becomes a replica of a server that is not there: it answers PING and is read-only",
        "redis.ping",
        doing_redis("REPLICAOF 127.0.0.1 1"),
        all_of(doing_redis("REPLICAOF NO ONE"), start_what_ended),
    ),
    Fault(
        "redis-password-set",
        "somebody sets a password on Redis",
        "redis.ping",
        doing_redis(f"CONFIG SET requirepass {OTHER_PASSWORD}"),
        doing_redis("CONFIG SET requirepass ''"),
    ),
    Fault(
        "redis-clients-exhausted",
        "Redis takes no further client",
        "redis.ping",
        _take_all_clients,
        letting_go("clients"),
    ),
    Fault(
        "redis-out-of-memory",
        "Redis answers PING and refuses writes: its memory limit is reached",
        "redis.write",
        doing_redis("CONFIG SET maxmemory 1"),
        doing_redis("CONFIG SET maxmemory 0"),
        also=("redis.memory",),
    ),
    Fault(
        "redis-cannot-save",
        "Redis could not save a snapshot: it refuses writes, and even PING (MISCONF)",
        "redis.ping",
        _fail_saving,
        _save_again,
    ),
    Fault(
        "redis-write-forbidden",
        "Redis answers PING, and its access rules forbid SET",
        "redis.write",
        doing_redis("ACL SETUSER default -set"),
        doing_redis("ACL SETUSER default +@all"),
    ),
    Fault(
        "redis-memory-scarce",
        "Redis has used 92 % of its memory limit",
        "redis.memory",
        _fill_memory,
        doing_redis("CONFIG SET maxmemory 0"),
        severity="warning",
    ),
    Fault(
        "redis-evicts",
        "Redis, which holds the queues, is told to evict keys when its memory is full",
        "redis.memory",
        doing_redis("CONFIG SET maxmemory-policy allkeys-lru"),
        doing_redis("CONFIG SET maxmemory-policy noeviction"),
        severity="warning",
    ),
)
