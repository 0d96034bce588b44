"""Kind `push`: silence is the failure, the first call arms it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from checks.base import Push
from checks.custom.push import PushConfig, PushSeen, PushSwitch
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from tests.fakes import NOW, io_for


def check_of(token: str = "0123456789abcdef") -> PushSwitch:
    config = PushConfig(
        id="shop.backup",
        service="backup",
        token=token,  # type: ignore[arg-type]
        period_seconds=3600,
        grace_seconds=300,
    )
    return PushSwitch(config)


def called(seconds_ago: float, *, is_good: bool = True, message: str = "") -> PushSeen:
    return PushSeen(Push(NOW - timedelta(seconds=seconds_ago), is_good, message))


JUDGED = {
    "never": (PushSeen(None), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "never called yet: the first call arms it"),
    "just now": (called(-1), Outcome.OK, None, "called 0 ms ago"),
    "in time": (called(600, message="3 files"), Outcome.OK, None, "called 10 min ago"),
    "in its grace": (called(3900), Outcome.OK, None, "called 65 min ago, 5 min late"),
    "late": (called(3901), Outcome.FAILED, Reason.SILENT, "no call for 65 min, expected every 60 min"),
    "it failed": (
        called(60, is_good=False, message="disk full"),
        Outcome.FAILED,
        Reason.DEPENDENCY_DOWN,
        "the job says that it failed, 60 s ago: disk full",
    ),
    "it failed without a word": (
        called(60, is_good=False),
        Outcome.FAILED,
        Reason.DEPENDENCY_DOWN,
        "the job says that it failed, 60 s ago",
    ),
}


@pytest.mark.parametrize(("seen", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(seen: PushSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.certain == (outcome is Outcome.FAILED)
    assert "0123456789abcdef" not in repr(verdict) + repr(check_of().config)


async def test_the_call_of_this_check_is_asked_for() -> None:
    async def last_push(check_id: str) -> Push | None:
        return Push(NOW, message=check_id)

    assert (await check_of().measure(io_for(last_push=last_push))).last == Push(NOW, message="shop.backup")
    assert (await check_of().measure(io_for())).last is None


def test_our_own_database_s_failure_is_not_the_job_s() -> None:
    error = verdict_of(TimeoutError(), 5)
    assert error is not None
    assert check_of().on_failure(error).outcome is Outcome.UNKNOWN


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 16 characters"):
        check_of("shortword")
