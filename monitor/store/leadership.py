"""Who may write: one row with owner, epoch and end, judged by the database's clock."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store.database import Database
from monitor.store.errors import LeadershipLostError
from monitor.store.models import leader


class Leadership:
    """Takes, keeps and gives back the right to write."""

    _database: Database

    async def acquire_leadership(self, owner: str, ttl_seconds: float) -> int | None:
        """Return a new epoch that lasts `ttl_seconds` unless renewed, or None while another owner's lasts.

        `owner` names one process and no other.
        """
        async with self._database.write() as connection:
            # Locked is held: by a leader that writes, or by one paused in the middle, which the server soon cuts off.
            held = sa.select(leader).with_for_update(skip_locked=True)
            row = (await connection.execute(held)).mappings().one_or_none()
            if row is None:
                return None
            now = await self._database.clock(connection)
            if row["owner"] not in ("", owner) and row["expires_at"] > now:
                return None
            epoch: int = row["epoch"] + 1
            await connection.execute(
                sa.update(leader).values(owner=owner, epoch=epoch, expires_at=now + timedelta(seconds=ttl_seconds))
            )
            return epoch

    async def renew_leadership(self, owner: str, epoch: int, ttl_seconds: float) -> bool:
        """Make the epoch last `ttl_seconds` from now; return False when another one has begun."""
        async with self._database.write() as connection:
            now = await self._database.clock(connection)
            ours = sa.update(leader).where(leader.c.owner == owner, leader.c.epoch == epoch)
            done = await connection.execute(ours.values(expires_at=now + timedelta(seconds=ttl_seconds)))
            return done.rowcount == 1

    async def release_leadership(self, owner: str, epoch: int) -> None:
        """Let another instance take over at once; does nothing when one has."""
        async with self._database.write() as connection:
            ours = sa.update(leader).where(leader.c.owner == owner, leader.c.epoch == epoch)
            await connection.execute(ours.values(owner=""))


async def check_epoch(connection: AsyncConnection, epoch: int) -> None:
    """Hold the leader row until the transaction ends. Raises `LeadershipLostError` unless `epoch` is the newest.

    A lease that has run out and that nobody took is no obstacle: who takes over must wait for this row.
    """
    row = (await connection.execute(sa.select(leader).with_for_update(read=True))).mappings().one()
    if row["epoch"] != epoch or not row["owner"]:
        raise LeadershipLostError(f"database: epoch {epoch} has ended (now {row['epoch']}): another instance may write")
