"""The election: one leads, the others wait; silence of the database is no answer."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from monitor.leader import Leader, owner_name
from monitor.store.errors import LeadershipLostError, StoreUnavailableError

TTL, RENEW = 15.0, 5.0


@dataclass
class Rows:
    """The leader row, as the database would keep it."""

    answers: list[int | bool | Exception | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def _answer(self, what: str) -> int | bool | None:
        self.asked.append(what)
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def acquire_leadership(self, owner: str, ttl_seconds: float) -> int | None:
        return self._answer("acquire")

    async def renew_leadership(self, owner: str, epoch: int, ttl_seconds: float) -> bool:
        return bool(self._answer("renew"))

    async def release_leadership(self, owner: str, epoch: int) -> None:
        self._answer("release")


@dataclass
class Clock:
    """A clock that moves only by sleeping."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await REAL_SLEEP(0)


REAL_SLEEP = asyncio.sleep
AWAY = StoreUnavailableError("database: x does not answer")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr("monitor.leader.asyncio.sleep", one.sleep)
    return one


def leader_of(rows: Rows, clock: Callable[[], float]) -> Leader:
    return Leader(rows, "me", clock, ttl_seconds=TTL, renew_seconds=RENEW, retry_seconds=1.0)


async def test_it_waits_until_no_other_leads(clock: Clock) -> None:
    leader = leader_of(Rows([None, None, 7]), clock)
    assert not leader.is_proven
    assert await leader.acquire() == 7
    assert clock.at == 2.0
    assert leader.is_proven


async def test_after_silence_the_old_leader_gets_one_lease_to_come_back(clock: Clock) -> None:
    rows = Rows([AWAY, 3])
    assert await leader_of(rows, clock).acquire() == 3
    assert (rows.asked, clock.at) == (["acquire", "acquire"], TTL)


async def test_the_lead_is_lost_when_the_database_says_so(clock: Clock) -> None:
    leader = leader_of(Rows([1, True, False]), clock)
    await leader.acquire()
    with pytest.raises(LeadershipLostError, match="epoch 1 has ended"):
        await leader.keep(1)
    assert clock.at == 2 * RENEW


async def test_silence_takes_nothing_away_but_the_proof(clock: Clock) -> None:
    rows = Rows([1, *[AWAY] * 20, True, False])
    leader = leader_of(rows, clock)
    await leader.acquire()
    proven: list[bool] = []
    original = rows.renew_leadership

    async def watching(owner: str, epoch: int, ttl_seconds: float) -> bool:
        proven.append(leader.is_proven)
        return await original(owner, epoch, ttl_seconds)

    rows.renew_leadership = watching  # type: ignore[method-assign]
    with pytest.raises(LeadershipLostError):
        await leader.keep(1)
    assert proven[0] is True
    assert proven[20] is False
    assert proven[21] is True


async def test_a_process_that_was_stopped_waits_for_the_proof(clock: Clock) -> None:
    leader = leader_of(Rows([1]), clock)
    await leader.acquire()
    await leader.proof()
    clock.at += TTL
    waiting = asyncio.create_task(leader.proof())
    await REAL_SLEEP(0)
    assert not waiting.done()
    keeping = asyncio.create_task(leader.keep(1))
    async with asyncio.timeout(5):
        await waiting
    assert leader.is_proven
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


@pytest.mark.parametrize("answer", [True, AWAY], ids=["answered", "silent"])
async def test_a_released_lead_is_proven_no_more(clock: Clock, answer: bool | Exception) -> None:
    rows = Rows([1, answer])
    leader = leader_of(rows, clock)
    await leader.acquire()
    await leader.release(1)
    assert rows.asked == ["acquire", "release"]
    assert not leader.is_proven


def test_no_two_processes_have_one_name() -> None:
    assert owner_name() != owner_name()
