"""Numbers about Nexus, from the database and from Redis."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select

from demo.nexus.api.parts import PartsIn, SessionIn
from demo.nexus.api.tables import Task, User
from demo.nexus.counters import REPORTS, TICKS, VISITS

router = APIRouter(prefix="/stats", tags=["stats"])


class StatsOut(BaseModel):
    """The numbers as told."""

    users: int
    tasks: int
    tasks_done: int
    visits: int
    reports: int
    ticks: int


@router.get("")
async def stats(session: SessionIn, parts: PartsIn) -> StatsOut:
    """Return all numbers."""
    users = await session.scalar(select(func.count()).select_from(User))
    tasks = await session.scalar(select(func.count()).select_from(Task))
    done = await session.scalar(select(func.count()).select_from(Task).where(Task.is_done))
    visits, reports, ticks = await parts.redis.mget(VISITS, REPORTS, TICKS)
    return StatsOut(
        users=users or 0,
        tasks=tasks or 0,
        tasks_done=done or 0,
        visits=int(visits or 0),
        reports=int(reports or 0),
        ticks=int(ticks or 0),
    )


@router.post("/visits")
async def count_visit(parts: PartsIn) -> dict[str, int]:
    """Count one visit."""
    return {"visits": int(await parts.redis.incr(VISITS))}
