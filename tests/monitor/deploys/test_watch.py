"""Deploys from the first word to the verdict, told by webhook, by asking and by `/version`; over restarts."""

import asyncio
from typing import Any

import pytest

from checks.result import Reason, unknown
from monitor.engine.deploy_record import DeployVerdict
from monitor.engine.model import CheckStatus, DeployEnded, DeployStarted
from monitor.store.errors import LeadershipLostError
from monitor.store.store import Store
from tests.monitor.deploys.place import BAD, BLIND, GOOD, NEW, NEWER, OLD, SLOW, Place, buttons


async def test_what_was_live_before_we_came_is_history(place: Place) -> None:
    await place.run(120)
    assert await place.verdicts() == []
    assert await place.told() == []


async def test_a_good_deploy_is_told_once_when_its_window_is_over(place: Place) -> None:
    deploy = place.deploy(place.api)
    await place.run(3)
    assert place.window_ids() == [deploy["id"]]
    place.account.advance(place.api, deploy, "live")
    await place.run(39)
    assert await place.told() == []
    await place.run(5)
    (said,) = await place.told()
    assert said.text == "✅ abc1234 live on nexus-api: 3 of 3 in 1.2 s\nMake it faster"
    assert buttons(said) == []
    await place.run(120)
    assert await place.told() == []
    assert place.counts.judged == [("nexus-api", "passed")]
    assert place.rediscovered == 1


async def test_all_checks_of_the_service_run_at_once_after_it_has_settled(place: Place) -> None:
    deploy = place.deploy(place.api)
    place.account.advance(place.api, deploy, "live")
    await place.run(9)
    assert place.probed == []
    await place.run(1)
    assert sorted(place.probed) == ["api.health", "api.routers", "api.version"]
    record = await place.store.deploy_record(deploy["id"])
    assert record is not None
    assert record.ran_at == place.at


async def test_what_breaks_is_named_with_since_when_and_what_was_broken_before(place: Place) -> None:
    place.says["api.health"] = BAD
    await place.run(40)
    assert place.status("api.health") is CheckStatus.DOWN
    deploy = place.deploy(place.api)
    await place.run(5)
    place.account.advance(place.api, deploy, "live")
    place.says["api.version"] = BAD
    await place.run(50)
    (said,) = await place.told()
    lines = said.text.splitlines()
    assert lines[0] == "❌ abc1234 live on nexus-api: 1 of 3 in 1.2 s"
    assert lines[2].startswith("🔴 api.version since 12:01 UTC, ")
    assert lines[2].endswith("after it was live: 500 from /tasks")
    assert lines[4:] == ["Not by this deploy:", "▫️ api.health since 12:00 UTC: 500 from /tasks"]
    assert place.counts.judged == [("nexus-api", "broken")]


async def test_what_was_broken_before_is_not_the_deploys_fault(place: Place) -> None:
    place.says["api.health"] = BAD
    await place.run(40)
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(50)
    assert await place.titles() == ["🟡 abc1234 live on nexus-api: 2 of 3 in 1.2 s"]
    assert place.counts.judged == [("nexus-api", "broken_before")]


async def test_what_another_service_explains_is_not_the_deploys_fault(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(3)
    place.says |= {"redis.ping": BAD, "api.health": BAD}
    await place.run(50)
    (said,) = await place.told()
    assert ", because of redis.ping: 500 from /tasks" in said.text
    assert place.counts.judged == [("nexus-api", "broken_before")]


async def test_what_recovers_while_it_is_observed_is_no_fault(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    place.says["api.health"] = BAD
    await place.run(15)
    place.says["api.health"] = GOOD
    await place.run(60)
    assert place.counts.judged == [("nexus-api", "passed")]


async def test_the_verdict_waits_for_a_check_that_has_just_begun_to_fail(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(38)
    place.says["api.health"] = BAD
    await place.run(8)
    assert place.counts.judged == []
    await place.run(30)
    assert place.counts.judged == [("nexus-api", "broken")]


async def test_a_deploy_that_nobody_could_see_is_not_called_good(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    place.says |= {"api.health": BLIND, "api.routers": BLIND}
    await place.run(60)
    assert place.counts.judged == []
    await place.run(60)
    assert await place.titles() == ["⚪ abc1234 live on nexus-api: 1 of 3 checks could look"]
    assert place.counts.judged == [("nexus-api", "undecided")]


async def test_a_look_that_does_not_come_back_is_not_waited_for_for_ever(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    place.silent.add("api.routers")
    await place.run(45)
    assert await place.titles() == ["✅ abc1234 live on nexus-api: 2 of 2 in 20.0 s, 1 not seen"]


async def test_what_has_nothing_to_look_at_does_not_count(place: Place) -> None:
    place.says |= {"api.health": unknown(Reason.NOT_CONFIGURED, "no /health"), "api.routers": GOOD}
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(45)
    assert await place.titles() == ["✅ abc1234 live on nexus-api: 2 of 2 in 1.2 s"]


async def test_what_works_badly_is_named_and_breaks_nothing(place: Place) -> None:
    place.says["api.health"] = SLOW
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(45)
    (said,) = await place.told()
    assert said.text.startswith("✅ abc1234 live on nexus-api: 2 of 3")
    assert "🟡 api.health since" in said.text


async def test_what_went_down_elsewhere_is_named_with_what_broke(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(3)
    place.says |= {"api.version": BAD, "bot.ingress": BAD}
    await place.run(60)
    (said,) = await place.told()
    assert "Also down since then: bot.ingress" in said.text


@pytest.mark.parametrize(
    ("status", "title", "verdict"),
    [
        ("build_failed", "❌ abc1234 is not live on nexus-api: the build failed", "deploy_failed"),
        ("pre_deploy_failed", "❌ abc1234 is not live on nexus-api: the pre-deploy command failed", "deploy_failed"),
        ("update_failed", "❌ abc1234 is not live on nexus-api: the new instance did not get healthy", "deploy_failed"),
        ("canceled", "⚪ abc1234 on nexus-api: the deploy was cancelled", "canceled"),
    ],
)
async def test_a_deploy_that_fails_is_told_at_once(place: Place, status: str, title: str, verdict: str) -> None:
    deploy = place.deploy(place.api)
    await place.run(2)
    place.account.log(place.api, "build", "error: Read-only file system (os error 30)")
    place.account.advance(place.api, deploy, status)
    await place.run(1)
    (said,) = await place.told()
    assert said.text.startswith(title)
    if verdict == "deploy_failed":
        assert "0a1b2c3 is still live." in said.text
        assert said.text.endswith("error: Read-only file system (os error 30)")
    assert place.counts.judged == [("nexus-api", verdict)]
    assert place.line.state.deploys[deploy["id"]].is_failed
    await place.run(60)
    assert await place.told() == []


async def test_without_webhooks_asking_finds_the_same(own_store: Store) -> None:
    place = Place(own_store)
    place.has_webhook = False
    place.begin()
    await place.start()
    deploy = place.deploy(place.api)
    await place.run(61)
    assert place.window_ids() == [deploy["id"]]
    place.account.advance(place.api, deploy, "live")
    await place.run(16 + 45)
    assert await place.titles() == ["✅ abc1234 live on nexus-api: 3 of 3 in 1.2 s"]
    assert place.line.events == [
        DeployStarted(deploy["id"], "nexus-api", NEW),
        DeployEnded(deploy["id"], is_live=True),
    ]


async def test_webhook_asking_and_version_tell_of_one_deploy(place: Place) -> None:
    place.version(api=OLD, bot=OLD)
    await place.run(10)
    place.account.advance(place.api, place.deploy(place.api), "live")
    place.version(api=NEW, bot=OLD)
    await place.run(300)
    assert await place.verdicts() == [("nexus-api", "passed")]
    assert len(await place.told()) == 1


async def test_a_commit_that_a_service_names_makes_render_be_asked_at_once(own_store: Store) -> None:
    place = Place(own_store)
    place.has_webhook = False
    place.begin()
    place.version(api=OLD)
    await place.start()
    await place.run(40)
    deploy = place.deploy(place.api)
    place.account.advance(place.api, deploy, "live")
    place.version(api=NEW)
    await place.run(7)
    assert place.window_ids() == [deploy["id"]]


async def test_without_render_a_new_commit_is_a_deploy(own_store: Store) -> None:
    place = Place(own_store, on_render=False)
    place.version(api=OLD, bot=OLD)
    await place.start()
    place.version(api=NEW, bot=OLD)
    await place.run(60)
    assert await place.titles() == ["✅ abc1234 live on nexus-api: 3 of 3 in 1.2 s"]
    place.version(api=OLD, bot=OLD)  # an old instance answers once more
    await place.run(10)
    place.version(api=NEW, bot=OLD)
    await place.run(60)
    assert len(await place.verdicts()) == 1
    await place.restart()
    await place.run(20)
    assert len(await place.verdicts()) == 1
    place.version(api=NEWER, bot=OLD)
    await place.run(60)
    assert await place.titles() == ["✅ fed4321 live on nexus-api: 3 of 3 in 1.2 s"]


async def test_a_key_that_is_refused_makes_version_the_witness(place: Place) -> None:
    place.version(api=OLD)
    await place.run(10)
    place.server.always_refuses = 401
    place.version(api=NEW)
    await place.run(100)
    assert await place.verdicts() == []
    await place.run(100)
    assert await place.verdicts() == [("nexus-api", "passed")]


async def test_render_tells_nothing_twice_that_version_told(place: Place) -> None:
    place.version(api=OLD)
    await place.run(10)
    place.server.always_refuses = 503
    place.has_webhook = False
    place.begin()
    await place.watch.begin()
    place.account.advance(place.api, place.deploy(place.api), "live")
    place.version(api=NEW)
    await place.run(200)
    place.server.always_refuses = 0
    await place.run(120)
    assert len(await place.verdicts()) == 1


@pytest.mark.parametrize("after_seconds", [1, 4, 11, 14, 25, 43, 44, 45, 60])
async def test_a_restart_at_any_moment_changes_nothing(place: Place, after_seconds: int) -> None:
    deploy = place.deploy(place.api)
    await place.run(min(3, after_seconds))
    if after_seconds > 3:
        place.account.advance(place.api, deploy, "live")
        await place.run(after_seconds - 3)
        await place.restart()
    else:
        await place.restart()
        place.account.advance(place.api, deploy, "live")
    await place.run(90)
    assert await place.titles() == ["✅ abc1234 live on nexus-api: 3 of 3 in 1.2 s"]


async def test_what_went_live_while_we_were_away_is_still_judged(place: Place) -> None:
    place.has_webhook = False
    deploy = place.deploy(place.api)
    place.account.advance(place.api, deploy, "live")
    place.at += place.at.resolution * 240_000_000  # four minutes
    await place.restart()
    await place.run(60)
    assert await place.titles() == ["✅ abc1234 live on nexus-api: 3 of 3 in 1.2 s"]


async def test_a_deploy_that_another_one_follows_is_not_judged(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(5)
    place.account.advance(place.api, place.deploy(place.api, NEWER), "live")
    await place.run(60)
    assert await place.titles() == [
        "⚪ abc1234 on nexus-api: another deploy followed before it could be judged",
        "✅ fed4321 live on nexus-api: 3 of 3 in 1.2 s",
    ]
    assert await place.verdicts() == [("nexus-api", "superseded"), ("nexus-api", "passed")]


async def test_two_services_of_one_push_have_a_verdict_each(place: Place) -> None:
    for held in (place.api, place.bot):
        place.account.advance(held, place.deploy(held), "live")
    await place.run(60)
    assert sorted(await place.titles()) == [
        "✅ abc1234 live on nexus-api: 3 of 3 in 1.2 s",
        "✅ abc1234 live on nexus-bot: 1 of 1 in 1.2 s",
    ]


async def test_a_deploy_of_which_nothing_more_is_heard_is_given_up(place: Place) -> None:
    place.deploy(place.api)
    await place.run(2)
    place.at += place.at.resolution * 3 * 3_600_000_000
    await place.run(2)
    assert await place.titles() == ["⚪ abc1234 on nexus-api: nothing was heard of the deploy for hours"]


async def test_an_event_that_cannot_be_followed_is_found_by_asking(place: Place) -> None:
    place.server.refusals = [(503, 0.0)]
    deploy = place.deploy(place.api)
    await place.run(3)
    assert place.window_ids() == [deploy["id"]]
    assert await place.store.waiting_hooks() == []


async def test_an_event_of_a_service_that_is_not_watched_is_left_alone(place: Place) -> None:
    other = place.account.add_service("blog", commit=OLD)
    place.account.advance(other, place.deploy(other), "live")
    await place.run(60)
    assert await place.verdicts() == []
    assert await place.store.waiting_hooks() == []


async def test_markers_are_left_once_and_tried_again(place: Place) -> None:
    place.markers.names, place.markers.failures = ("grafana", "sentry"), 1
    deploy = place.deploy(place.api)
    place.account.advance(place.api, deploy, "live")
    await place.run(50)
    assert place.markers.left == [("sentry", deploy["id"])]
    await place.restart()
    await place.run(70)
    assert place.markers.left == [("sentry", deploy["id"]), ("grafana", deploy["id"])]
    assert await place.store.open_deploys() == []


async def test_a_marker_that_is_never_taken_is_given_up(place: Place) -> None:
    place.markers.names, place.markers.failures = ("grafana",), 99
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(300)
    assert place.markers.failures == 96
    assert await place.store.open_deploys() == []


async def test_who_leads_no_more_writes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*arguments: Any, **more: Any) -> None:
        raise LeadershipLostError("database: epoch 1 has ended")

    monkeypatch.setattr(place.store, "save_deploy", lost)
    place.deploy(place.api)
    await place.store.record_hook(place.hooks.pop())
    with pytest.raises(ExceptionGroup) as caught:
        await place.watch.run()
    assert caught.group_contains(LeadershipLostError)


async def test_what_fails_is_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    failures = [RuntimeError("database: away")] * 3

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) >= 9:
            raise LeadershipLostError("enough")
        await asyncio.sleep(0)

    async def broken() -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(place.watch, "_sleep", sleep)
    for name in ("begin", "hear", "advance"):
        monkeypatch.setattr(place.watch, name, broken)
    with pytest.raises(ExceptionGroup):
        await place.watch.run()
    assert (failures, pauses[:3]) == ([], [1.0] * 3)


async def test_the_list_of_deploys_is_newest_first(place: Place) -> None:
    place.account.advance(place.api, place.deploy(place.api), "live")
    await place.run(60)
    place.says["bot.ingress"] = BAD
    place.account.advance(place.bot, place.deploy(place.bot, NEWER), "live")
    await place.run(80)
    bot, api = await place.store.deploy_records(10)
    assert (bot.service, bot.short, bot.verdict, bot.passed, bot.failed) == (
        "nexus-bot", "fed4321", DeployVerdict.BROKEN, 0, 1
    )  # fmt: skip
    assert (api.service, api.short, api.verdict, api.passed, api.failed) == (
        "nexus-api", "abc1234", DeployVerdict.PASSED, 3, 0
    )  # fmt: skip
    assert [one.service for one in await place.store.deploy_records(10, service="nexus-api")] == ["nexus-api"]
