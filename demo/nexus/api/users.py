"""The people of Nexus."""

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from demo.nexus.api.parts import RowId, SessionIn
from demo.nexus.api.tables import User

router = APIRouter(prefix="/users", tags=["users"])


class UserIn(BaseModel):
    """A person to add."""

    name: str = Field(min_length=1, max_length=64)


class UserOut(BaseModel):
    """A person as told."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


@router.get("")
async def list_users(session: SessionIn, limit: int = 50) -> list[UserOut]:
    """Return the newest people, at most 200."""
    rows = await session.scalars(select(User).order_by(User.id.desc()).limit(max(1, min(limit, 200))))
    return [UserOut.model_validate(row) for row in rows]


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_user(body: UserIn, session: SessionIn) -> UserOut:
    """Add a person."""
    user = User(name=body.name)
    session.add(user)
    await session.flush()
    return UserOut.model_validate(user)


@router.get("/{user_id}")
async def one_user(user_id: RowId, session: SessionIn) -> UserOut:
    """Return one person."""
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such user")
    return UserOut.model_validate(user)
