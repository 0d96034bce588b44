"""Waiting for the new instance, never trusting the old one."""

from collections.abc import Sequence

import pytest

from monitor.errors import UsageError
from monitor.smoke.wait import Ending, Sighting, Waited, commit_wanted, is_same, wait_for

NEW, OLD = "abcdef0123456789", "1111111222222233"


class Places:
    """Answers from a script, one step a question; the last one for ever. Each question takes a second."""

    def __init__(self, *script: Sequence[Sighting]) -> None:
        self.script = list(script)
        self.asked = 0

    async def ask(self) -> Sequence[Sighting]:
        answer = self.script[min(self.asked, len(self.script) - 1)]
        self.asked += 1
        return answer

    def monotonic(self) -> float:
        return float(self.asked)


def one(commit: str = "", **more: str) -> list[Sighting]:
    return [Sighting("nexus-api", commit, **more)]


async def wait(*script: Sequence[Sighting]) -> tuple[Ending, list[str], int]:
    places, said = Places(*script), list[str]()
    ending = await wait_for(
        NEW, places.ask, timeout_seconds=10, monotonic=places.monotonic, progress=said.append, poll_seconds=0
    )
    return ending, said, places.asked


async def test_the_old_instance_is_waited_out() -> None:
    ending, said, asked = await wait(one(OLD), one(error="connection refused"), one(NEW), one(NEW), one(NEW))
    assert ending == Ending(Waited.LIVE, "abcdef012345 is live on nexus-api after 5 s")
    assert said == [
        "waiting for abcdef012345: nexus-api answers with 111111122222",
        "waiting for abcdef012345: nexus-api connection refused",
        "waiting for abcdef012345: nexus-api answers with abcdef012345",
    ]
    assert asked == 5


async def test_old_and_new_in_turn_are_a_deploy_that_is_not_over() -> None:
    ending, _, asked = await wait(one(NEW), one(NEW), one(OLD), one(NEW), one(NEW), one(OLD), one(NEW))
    assert (ending.waited, asked) == (Waited.LIVE, 9)


async def test_every_place_must_be_new() -> None:
    ending, _, _ = await wait([Sighting("api", NEW), Sighting("bot", OLD)])
    assert ending == Ending(
        Waited.TIMED_OUT,
        "abcdef012345 was not live within 10 s: api answers with abcdef012345; bot answers with 111111122222",
    )


async def test_a_failed_deploy_ends_the_waiting_at_once() -> None:
    ending, _, asked = await wait(one(OLD), one(OLD, failed="build_failed"))
    assert (ending, asked) == (Ending(Waited.DEPLOY_FAILED, "nexus-api: build_failed"), 2)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param([], "no place names its commit: nothing to wait for", id="nobody to ask"),
        pytest.param(one(), "abcdef012345 was not live within 10 s: nexus-api names no commit", id="nobody knows"),
    ],
)
async def test_who_cannot_know_says_so(script: list[Sighting], said: str) -> None:
    ending, _, _ = await wait(script)
    assert ending == Ending(Waited.UNDECIDED, said)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (NEW, NEW[:7], True),
        (NEW[:8].upper(), NEW, True),
        (NEW, NEW[:6], False),
        (NEW, OLD, False),
        ("", "", False),
    ],
)
def test_a_short_name_of_a_commit_is_enough_and_a_shorter_one_is_not(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is same


def test_auto_takes_the_commit_of_the_ci_run() -> None:
    assert commit_wanted("auto", {"GITHUB_SHA": NEW, "CI_COMMIT_SHA": OLD}) == NEW
    assert commit_wanted(NEW.upper(), {}) == NEW


def test_auto_outside_of_ci_asks_git(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    with pytest.raises(UsageError, match="--expect-commit auto: none of GITHUB_SHA"):
        commit_wanted("auto", {})


@pytest.mark.parametrize("given", ["main", "abc", "xyzxyzx"])
def test_a_branch_is_no_commit(given: str) -> None:
    with pytest.raises(UsageError, match=f"--expect-commit: '{given}' is no commit"):
        commit_wanted(given, {})
