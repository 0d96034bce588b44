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


def test_a_stranger_who_wrote_first_still_learns_the_ids_by_start(access: Access) -> None:
    assert access.may_answer_stranger(3)
    assert access.may_answer_stranger(3, is_start=True)
    assert not access.may_answer_stranger(3, is_start=True)


def test_many_people_in_one_group_are_slowed_down_together(clock: Clock) -> None:
    people = range(1, 10)
    access = Access(frozenset(people), frozenset(), clock.now)
    answers = [access.is_too_fast(person, -100) for _ in range(5) for person in people]
    assert (answers.index(True), answers.count(True)) == (40, 5)
    assert not access.is_too_fast(1)


def test_those_who_asked_long_ago_are_forgotten(access: Access) -> None:
    for person in range(10, 1500):
        access.is_too_fast(person)
    assert len(access._requests) == 1000
