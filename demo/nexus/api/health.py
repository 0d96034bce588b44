"""How nexus-api says whether it and its parts are well."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Response, status
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from demo.nexus.api.parts import Parts, PartsIn
from demo.nexus.api.tables import Setting
from demo.nexus.flaws import Flaw, has
from demo.nexus.nexus_helper import identity, version_route

PART_SECONDS = 1.5

router = APIRouter(tags=["health"])
router.add_api_route("/version", version_route("nexus-api"), methods=["GET"])


@router.get("/health")
async def health(parts: PartsIn, response: Response) -> dict[str, Any]:
    """Look at the database and Redis, each for at most 1.5 s; 503 when one of them is down."""
    async with asyncio.TaskGroup() as tasks:
        database = tasks.create_task(_look(_database(parts)), name="health:db")
        cache = tasks.create_task(_look(_redis(parts)), name="health:redis")
    seen = {"db": database.result(), "redis": cache.result()}
    is_ok = all(part["status"] == "ok" for part in seen.values())
    if not is_ok and not has(Flaw.HEALTH_LIES):
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return {"status": "ok" if is_ok else "down", **seen, **identity("nexus-api")}


@router.get("/ready")
async def ready(parts: PartsIn, response: Response) -> dict[str, str]:
    """Say whether the process can take traffic: its tables are made."""
    if not parts.has_tables:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return {"status": "starting"}
    return {"status": "ok"}


async def _look(part: Awaitable[None]) -> dict[str, Any]:
    """Time one part. A connection that fails is the part's fault; any other error is ours and becomes a 500."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PART_SECONDS):
            await part
    except ProgrammingError:
        raise
    except (TimeoutError, PoolTimeoutError):
        return {"status": "down", "error": f"no answer within {PART_SECONDS} s"}
    except (OSError, DBAPIError, RedisError) as error:
        return {"status": "down", "error": type(error).__name__}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


async def _database(parts: Parts) -> None:
    async with parts.engine.connect() as connection:
        await connection.scalar(select(Setting.value).where(Setting.key == "product"))


async def _redis(parts: Parts) -> None:
    await parts.redis.ping()
