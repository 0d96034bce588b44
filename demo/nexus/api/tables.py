"""The tables of Nexus, and their first rows."""

from datetime import datetime

from sqlalchemy import BigInteger, Connection, DateTime, ForeignKey, String, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The registry of Nexus's tables."""


class Setting(Base):
    """One setting that /health reads, so that a fault in the data is a fault of the service."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(256))


class User(Base):
    """One person."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    telegram_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    visits: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Task(Base):
    """One thing to do, of one person or of nobody."""

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    is_done: Mapped[bool] = mapped_column(default=False, server_default="false")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Tick(Base):
    """One sign of life that nexus-worker writes."""

    __tablename__ = "ticks"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def create_tables(connection: Connection) -> None:
    """Make what is missing and fill an empty database with a few rows."""
    # Two instances may start at once: the lock ends with the transaction.
    connection.execute(select(func.pg_advisory_xact_lock(4_711)))
    Base.metadata.create_all(connection)
    connection.execute(insert(Setting).values(key="product", value="Nexus").on_conflict_do_nothing())
    if connection.scalar(select(func.count()).select_from(User)) == 0:
        connection.execute(insert(User).values([{"name": "Ada"}, {"name": "Grace"}]))
        titles = ("Write the release notes", "Look at the dashboard", "Drink some water")
        connection.execute(insert(Task).values([{"title": title} for title in titles]))
