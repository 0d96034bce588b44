"""Things to do that belong to nobody in particular."""

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from demo.nexus.api.parts import RowId, SessionIn
from demo.nexus.api.tables import Task
from demo.nexus.flaws import Flaw, has

router = APIRouter(prefix="/tasks", tags=["tasks"])


class TaskIn(BaseModel):
    """A task to add."""

    title: str = Field(min_length=1, max_length=200)


class TaskChange(BaseModel):
    """What may change."""

    is_done: bool


class TaskOut(BaseModel):
    """A task as told."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    is_done: bool


@router.get("")
async def list_tasks(session: SessionIn) -> list[TaskOut]:
    """Return the newest 100 tasks of nobody."""
    if has(Flaw.ROUTER_RAISES):
        raise LookupError("a list that a migration has moved")
    return await tasks_of(session, None)


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_task(body: TaskIn, session: SessionIn) -> TaskOut:
    """Add a task."""
    return await new_task(session, None, body)


@router.patch("/{task_id}")
async def change_task(task_id: RowId, body: TaskChange, session: SessionIn) -> TaskOut:
    """Mark a task as done or not."""
    return await changed_task(session, None, task_id, body)


async def tasks_of(session: SessionIn, user_id: int | None) -> list[TaskOut]:
    """Return the newest 100 tasks of one person, or of nobody."""
    owner = Task.user_id.is_(None) if user_id is None else Task.user_id == user_id
    rows = await session.scalars(select(Task).where(owner).order_by(Task.id.desc()).limit(100))
    return [TaskOut.model_validate(row) for row in rows]


async def new_task(session: SessionIn, user_id: int | None, body: TaskIn) -> TaskOut:
    """Write a task of one person, or of nobody."""
    task = Task(title=body.title, is_done=False, user_id=user_id)
    session.add(task)
    await session.flush()
    return TaskOut.model_validate(task)


async def changed_task(session: SessionIn, user_id: int | None, task_id: int, body: TaskChange) -> TaskOut:
    """Change a task if it is this person's, or nobody's. Raises 404 otherwise."""
    task = await session.get(Task, task_id)
    if task is None or task.user_id != user_id:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such task")
    task.is_done = body.is_done
    await session.flush()
    return TaskOut.model_validate(task)
