"""What nexus-api holds open: the pool of database connections and the Redis client, both bounded by timeouts."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, cast

import asyncpg
import redis.asyncio
from fastapi import Depends, FastAPI, Path, Request
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from demo.nexus.api.settings import Settings
from demo.nexus.api.tables import create_tables

CONNECT_SECONDS = 1.5
QUERY_SECONDS = 5.0
TABLES_RETRY_SECONDS = 1.0
GOODBYE_SECONDS = 0.2

_log = logging.getLogger(__name__)


class _PromptConnection(asyncpg.Connection):
    """A connection that closes at once: SQLAlchemy gives up a hung one in order, and a frozen server never answers."""

    async def close(self, *, timeout: float | None = None) -> None:
        """Close within 0.2 s, whatever `timeout` allows."""
        await super().close(timeout=GOODBYE_SECONDS)


@dataclass(slots=True)
class Parts:
    """The open connections of one process."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    redis: "redis.asyncio.Redis"
    has_tables: bool = False

    async def make_tables(self) -> None:
        """Create the tables; try again each second while the database is out."""
        while not self.has_tables:
            try:
                async with asyncio.timeout(QUERY_SECONDS), self.engine.begin() as connection:
                    await connection.run_sync(create_tables)
                self.has_tables = True
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("no tables yet: %s", type(error).__name__)
                await asyncio.sleep(TABLES_RETRY_SECONDS)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """Open what `settings` name, close it on the way out. Nothing is connected yet: a part may be out."""
    engine = create_async_engine(
        "postgresql+asyncpg://" + settings.database_url.split("://", 1)[1],
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=10,
        pool_timeout=CONNECT_SECONDS,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": QUERY_SECONDS,
            "connection_class": _PromptConnection,
        },
    )
    client = redis.asyncio.Redis.from_url(
        settings.redis_url,
        decode_responses=True,
        socket_timeout=CONNECT_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 1),  # one: a connection may be stale after a restart of Redis
    )
    try:
        yield Parts(settings, engine, async_sessionmaker(engine, expire_on_commit=False), client)
    finally:
        await client.aclose()
        await engine.dispose()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the parts open while the application runs, and make its tables beside."""
    async with opened(app.state.settings) as parts, asyncio.TaskGroup() as tasks:
        app.state.parts = parts
        making = tasks.create_task(parts.make_tables(), name="make-tables")
        yield
        making.cancel()


def _parts(request: Request) -> Parts:
    return cast(Parts, request.app.state.parts)


PartsIn = Annotated[Parts, Depends(_parts)]


async def _session(parts: PartsIn) -> AsyncIterator[AsyncSession]:
    async with parts.sessions() as session, session.begin():
        yield session


SessionIn = Annotated[AsyncSession, Depends(_session, scope="function")]
"""One transaction a request, committed before the answer leaves."""

RowId = Annotated[int, Path(ge=0, le=2**63 - 1)]
"""A row's number in a path: what the database's type can hold."""
