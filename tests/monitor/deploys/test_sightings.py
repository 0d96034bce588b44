"""What is heard of deploys, and what of it is news."""

from datetime import timedelta

import pytest

from checks.platform.shapes import Deploy, Service
from checks.result import Fact, Result, ok
from monitor.deploys.sightings import (
    Version,
    Versions,
    is_history,
    record_of,
    schema_of,
    seen_again,
    versions_of,
)
from monitor.engine.model import CheckState
from tests.monitor.deploys.place import NEW, OLD, START

SERVICE = Service("srv-1", "nexus-api", "web_service")


@pytest.mark.parametrize(
    ("deploy", "expected"),
    [
        (Deploy("d", "build_in_progress"), False),
        (Deploy("d", "live", finished_at=START - timedelta(minutes=14)), False),
        (Deploy("d", "live", finished_at=START - timedelta(minutes=16)), True),
        (Deploy("d", "build_failed", finished_at=START - timedelta(minutes=1)), False),
        (Deploy("d", "deactivated", finished_at=START - timedelta(minutes=1)), True),
        (Deploy("d", "live"), True),
    ],
)
def test_what_was_over_long_ago_is_history(deploy: Deploy, expected: bool) -> None:
    assert is_history(deploy, START) is expected


def test_a_deploy_that_is_live_never_goes_back() -> None:
    live = Deploy("d", "live", NEW, finished_at=START)
    record = seen_again(record_of(live, SERVICE, START), live, START)
    assert record.live_at == START
    assert seen_again(record, Deploy("d", "build_in_progress", NEW), START + timedelta(seconds=1)) == record
    gone = seen_again(record, Deploy("d", "deactivated", NEW), START + timedelta(hours=1))
    assert (gone.status, gone.live_at) == ("deactivated", START)


def test_a_pre_deploy_command_is_remembered() -> None:
    waiting = Deploy("d", "build_in_progress", NEW, started_at=START)
    record = record_of(waiting, SERVICE, START)
    for status in ("pre_deploy_in_progress", "update_in_progress", "live"):
        record = seen_again(record, Deploy("d", status, NEW), START)
    assert record.had_pre_deploy
    assert record.has_migrations


def test_renders_clock_does_not_bring_the_future() -> None:
    deploy = Deploy("d", "live", NEW, started_at=START + timedelta(seconds=9), finished_at=START + timedelta(seconds=9))
    record = seen_again(record_of(deploy, SERVICE, START), deploy, START)
    assert (record.started_at, record.live_at) == (START, START)


def looked(check_id: str, *facts: Fact) -> dict[str, CheckState]:
    return {check_id: CheckState(check_id, last_result=Result(check_id, ok("seen", *facts), START, 0.1))}


def test_the_commits_that_services_name_are_read() -> None:
    checks = looked("api.version", Fact("nexus-api", f"{NEW} at /version"), Fact("nexus-bot", "no commit in /version"))
    assert versions_of(checks) == (Version("nexus-api", NEW, START),)
    assert versions_of({}) == ()
    assert versions_of({"api.version": CheckState("api.version")}) == ()


def test_the_migration_is_read_where_there_is_one() -> None:
    assert schema_of(looked("postgres.migrations", Fact("revision", "a1b2"))) == "a1b2"
    assert schema_of(looked("postgres.migrations", Fact("revision", "none"))) == ""
    assert schema_of({}) == ""


def test_the_first_commit_ever_seen_is_no_change_and_an_old_one_that_flutters_is_none() -> None:
    versions = Versions({})

    def named(commit: str, seconds: float) -> int:
        return len(versions.changes([Version("nexus-api", commit, START + timedelta(seconds=seconds))]))

    assert [named(*one) for one in [(OLD, 0), (NEW, 10), (OLD, 15), (NEW, 20), (OLD, 620), (OLD, 630)]] == [
        0, 1, 0, 0, 1, 0
    ]  # fmt: skip


def test_a_short_commit_and_a_long_one_are_the_same() -> None:
    versions = Versions({"nexus-api": NEW * 3})
    assert versions.changes([Version("nexus-api", NEW[:7], START)]) == ()
