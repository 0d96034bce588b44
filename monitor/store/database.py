"""Opens the monitor's own database, SQLite or PostgreSQL, and brings its tables up to date."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from checks.redaction import redact, redact_url
from monitor.store.errors import (
    NewerDatabaseError,
    NoPermissionError,
    StoreUnavailableError,
    UnknownSchemeError,
    WrongPasswordError,
)

ANSWER_SECONDS = 20.0
"""How long one statement on PostgreSQL may take."""
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 5.0
"""PostgreSQL ends a transaction that says nothing for so long: a paused process must not hold its locks for ever."""
BUSY_SECONDS = 10.0
"""How long a write on SQLite waits for another one."""
MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_020_655_146
"""Two instances that start together migrate one after the other."""


class Database:
    """One database with a few pooled connections. Every error that leaves it is a `StoreError` of one line."""

    def __init__(self, url: str, engine: AsyncEngine) -> None:
        self.address = redact_url(url)
        """For people: without a password."""
        self._readers = engine
        self._writers = engine.execution_options(is_write=True)
        self.is_postgres = engine.dialect.name == "postgresql"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that sees one moment and writes nothing."""
        with self._one_line_errors():
            async with self._readers.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction: committed at the end, rolled back on any exception."""
        with self._one_line_errors():
            async with self._writers.begin() as connection:
                yield connection

    async def clock(self, connection: AsyncConnection) -> datetime:
        """Return the database's time. SQLite's is that of this machine, which alone can open the file."""
        if not self.is_postgres:
            return datetime.now(UTC)
        instant: datetime = (await connection.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        return instant.astimezone(UTC)

    def insert(self, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
        """Return an INSERT that may be given an `on_conflict_…` clause."""
        return postgresql.insert(table) if self.is_postgres else sqlite.insert(table)

    async def make_file(self, path: Path) -> None:
        """Make the SQLite file and its folder where they are missing, and set its journal, which it remembers."""

        def make() -> None:
            try:
                path.absolute().parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                why = f"its folder cannot be made: {error.strerror}"
                raise NoPermissionError(f"database: {self.address}: {why}") from None
            with self._one_line_errors(), closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")

        await asyncio.to_thread(make)

    async def migrate(self) -> None:
        """Bring the tables to the newest form, in one transaction. Raises `NewerDatabaseError`."""
        async with self.write() as connection:
            if self.is_postgres:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            await connection.run_sync(self._upgrade)

    async def close(self) -> None:
        """Close all connections."""
        await self._readers.dispose()

    def _upgrade(self, connection: sa.Connection) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        for revision in MigrationContext.configure(connection).get_current_heads():
            if revision not in known:
                raise NewerDatabaseError(
                    f"database: {self.address} was used by a newer program (its tables are at {revision}); "
                    "start that one, or give an empty database"
                )
        command.upgrade(config, "head")

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        # `from None`: drivers put statements, values and addresses into their exceptions.
        try:
            yield
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, OSError) as error:
            if isinstance(error, StoreUnavailableError):
                raise
            raise self._told(error) from None

    def _told(self, error: Exception) -> Exception:
        cause: BaseException = error
        if isinstance(error, DBAPIError) and error.orig is not None:
            cause = error.orig.__cause__ or error.orig
        words = redact(str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__)
        if isinstance(cause, asyncpg.InvalidAuthorizationSpecificationError):
            return WrongPasswordError(f"database: {self.address} refuses the name or password")
        if isinstance(cause, asyncpg.InvalidCatalogNameError):
            return StoreUnavailableError(f"database: {self.address}: {words}")
        if isinstance(cause, asyncpg.InsufficientPrivilegeError | PermissionError) or "readonly" in words:
            return NoPermissionError(f"database: no permission to write {self.address}: {words}")
        if isinstance(cause, sqlite3.DatabaseError) and ("unable to open" in words or "not a database" in words):
            return NoPermissionError(f"database: {self.address} cannot be opened: {words}")
        if _is_our_mistake(cause):
            return error
        return StoreUnavailableError(f"database: {self.address} does not answer: {words}")


async def open_database(url: str) -> Database:
    """Connect and migrate. `url` is `sqlite:///relative`, `sqlite:////absolute` or `postgresql://…`.

    Raises a `StoreError` that names the address without its password.
    """
    database, path = _unopened(url)
    try:
        if path is not None:
            await database.make_file(path)
        await database.migrate()
    except BaseException:
        await database.close()
        raise
    return database


def database_as_it_is(url: str) -> Database | None:
    """Return the database without making or changing anything in it; None where there is no file yet."""
    database, path = _unopened(url)
    return database if path is None or path.is_file() else None


def _unopened(url: str) -> tuple[Database, Path | None]:
    path: Path | None = None
    if url.split(":", 1)[0] in ("postgres", "postgresql"):
        engine = _postgres_engine(url)
    elif url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///").split("?", 1)[0])
        engine = _sqlite_engine(path)
    else:
        raise UnknownSchemeError(
            f"database: {redact_url(url)!r} is neither sqlite:///path nor postgresql://name:password@host/database"
        )
    return Database(url, engine), path


def _postgres_engine(url: str) -> AsyncEngine:
    async def connect() -> Any:
        # asyncpg reads the address itself: sslmode and its like keep the meaning they have in libpq.
        return await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={
                "application_name": "nexus-monitor",
                "timezone": "UTC",
                "idle_in_transaction_session_timeout": str(int(IDLE_SECONDS * 1000)),
            },
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=4,
        max_overflow=2,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _sqlite_engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=4,
        max_overflow=2,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,
    )
    sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own way starts no transaction for DDL
    cursor = connection.cursor()
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A write takes the lock at once: one that starts as a read cannot wait for it later.
    is_write = connection.get_execution_options().get("is_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _is_our_mistake(cause: BaseException) -> bool:
    """Say whether a statement was wrong: trying again cannot help, and the program must say so loudly."""
    return isinstance(
        cause,
        asyncpg.DataError
        | asyncpg.SyntaxOrAccessError
        | asyncpg.IntegrityConstraintViolationError
        | sqlite3.IntegrityError
        | sqlite3.ProgrammingError
        | sa.exc.StatementError
        | sa.exc.ArgumentError
        | sa.exc.InvalidRequestError,
    )
