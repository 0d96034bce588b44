"""Finds which migration the database is at, where alembic keeps its table."""

import asyncio

from checks.base import IO, Secret
from monitor.config.found import Add, Sight, Thing

_HEADS = "SELECT version_num FROM alembic_version ORDER BY version_num"
_IS_THERE = "SELECT to_regclass('alembic_version') IS NOT NULL"


async def look_at_database(io: IO, url: Secret, add: Add) -> None:
    """Read alembic's table. Raises what the driver raises."""
    async with asyncio.timeout(io.timeout_seconds), io.postgres(url.get_secret_value()) as connection:
        if not await connection.fetchval(_IS_THERE):
            add({"migrations": Thing(Sight.ABSENT, why="the database has no table alembic_version")})
            return
        heads = tuple(str(row[0]) for row in await connection.fetch(_HEADS))
    if heads:
        add({"migrations": Thing(Sight.FOUND, heads, "table alembic_version")})
    else:
        add({"migrations": Thing(Sight.ABSENT, why="the table alembic_version is empty")})
