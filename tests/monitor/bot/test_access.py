"""Who may do what, and how often."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.bot.access import Access, Right

START = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(frozenset({1}), frozenset({2}), clock.now)


@pytest.mark.parametrize(("user_id", "rights"), [(1, {Right.VIEW, Right.OPERATE}), (2, {Right.VIEW}), (3, set())])
def test_rights_go_by_number(access: Access, user_id: int, rights: set[Right]) -> None:
    assert access.rights_of(user_id) == rights


def test_a_stranger_is_answered_once_an_hour(access: Access, clock: Clock) -> None:
    assert access.may_answer_stranger(3)
    assert not access.may_answer_stranger(3)
    assert access.may_answer_stranger(4)
    clock.at += timedelta(minutes=59)
    assert not access.may_answer_stranger(3)
    clock.at += timedelta(minutes=1)
    assert access.may_answer_stranger(3)


def test_the_twenty_first_request_in_a_minute_is_too_fast(access: Access, clock: Clock) -> None:
    assert not any(access.is_too_fast(1) for _ in range(20))
    assert access.is_too_fast(1)
    assert not access.is_too_fast(2)
    clock.at += timedelta(minutes=1)
    assert not access.is_too_fast(1)
