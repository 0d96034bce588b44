"""What the Mini App asks: guarded by its login. Reading changes nothing; a visit makes the person known."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, status
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from demo.nexus.api.init_data import Login, LoginRefusedError, check_login
from demo.nexus.api.parts import PartsIn, RowId, SessionIn
from demo.nexus.api.tables import User
from demo.nexus.api.tasks import TaskChange, TaskIn, TaskOut, changed_task, new_task, tasks_of
from demo.nexus.counters import VISITS

router = APIRouter(prefix="/me", tags=["me"])


async def _login(parts: PartsIn, authorization: Annotated[str | None, Header()] = None) -> Login:
    scheme, _, init_data = (authorization or "").partition(" ")
    if scheme.lower() != "tma":
        init_data = ""
    try:
        return check_login(init_data, parts.settings.bot_token, datetime.now(UTC))
    except LoginRefusedError as error:
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED, f"init data: {error}", headers={"WWW-Authenticate": "tma"}
        ) from None


LoginIn = Annotated[Login, Depends(_login)]


class MeOut(BaseModel):
    """The person as told to the Mini App."""

    telegram_id: int
    first_name: str
    is_known: bool
    visits: int


@router.get("")
async def me(login: LoginIn, session: SessionIn) -> MeOut:
    """Return who is signed in."""
    user = await _known(session, login)
    visits = user.visits if user else 0
    return MeOut(telegram_id=login.telegram_id, first_name=login.first_name, is_known=user is not None, visits=visits)


@router.post("/visits")
async def visit(login: LoginIn, session: SessionIn, parts: PartsIn) -> MeOut:
    """Count a visit; the first one makes the person known."""
    adding = insert(User).values(name=login.first_name, telegram_id=login.telegram_id, visits=1)
    change = {"visits": User.visits + 1, "name": login.first_name}
    visits = await session.scalar(
        adding.on_conflict_do_update(index_elements=[User.telegram_id], set_=change).returning(User.visits)
    )
    await parts.redis.incr(VISITS)
    return MeOut(telegram_id=login.telegram_id, first_name=login.first_name, is_known=True, visits=visits or 0)


@router.get("/tasks")
async def my_tasks(login: LoginIn, session: SessionIn) -> list[TaskOut]:
    """Return the person's tasks."""
    user = await _known(session, login)
    return await tasks_of(session, user.id) if user else []


@router.post("/tasks", status_code=status.HTTP_201_CREATED)
async def add_my_task(body: TaskIn, login: LoginIn, session: SessionIn) -> TaskOut:
    """Add a task of the person."""
    return await new_task(session, (await _must_be_known(session, login)).id, body)


@router.patch("/tasks/{task_id}")
async def change_my_task(task_id: RowId, body: TaskChange, login: LoginIn, session: SessionIn) -> TaskOut:
    """Mark a task of the person as done or not."""
    return await changed_task(session, (await _must_be_known(session, login)).id, task_id, body)


async def _known(session: SessionIn, login: Login) -> User | None:
    user: User | None = await session.scalar(select(User).where(User.telegram_id == login.telegram_id))
    return user


async def _must_be_known(session: SessionIn, login: Login) -> User:
    user = await _known(session, login)
    if user is None:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "make a visit first")
    return user
