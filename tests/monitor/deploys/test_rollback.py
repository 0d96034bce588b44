"""Rollbacks: every guard, two taps by one person, once for each deploy; by itself where that is allowed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from checks.platform.shapes import Deploy
from monitor.deploys.rollback import BUTTON, Taps, Target, is_automatic, target_of, warning_of
from monitor.engine.deploy_record import DeployRecord, DeployVerdict, RolledBack, Trouble
from monitor.store.store import Store
from tests.monitor.deploys.place import BAD, GOOD, NEW, NEWER, OLD, START, Place, buttons

ANN, BEN = 4711, 4712
BROKEN = DeployRecord(
    id="dep-2",
    service="nexus-api",
    commit=NEW,
    status="live",
    started_at=START,
    seen_at=START,
    render_service_id="srv-1",
    live_at=START + timedelta(minutes=5),
    live_seen_at=START + timedelta(minutes=5),
    verdict=DeployVerdict.BROKEN,
    broken=(Trouble("api.health", START + timedelta(minutes=6), "500"),),
)
LIVE = Deploy("dep-2", "live", NEW)
FAILED = Deploy("dep-1b", "build_failed", "eee1111")
BEFORE = Deploy("dep-1", "deactivated", OLD)
OLDER = Deploy("dep-0", "deactivated", "0000aaa")
KNOWN_BAD = replace(BROKEN, id="dep-1", commit=OLD)


@pytest.mark.parametrize(
    ("record", "deploys", "records", "expected"),
    [
        (BROKEN, (LIVE, FAILED, BEFORE, OLDER), (BROKEN,), Target("dep-1", OLD)),
        (BROKEN, (LIVE, BEFORE, OLDER), (KNOWN_BAD, BROKEN), Target("dep-0", "0000aaa")),
        (replace(BROKEN, verdict=DeployVerdict.PASSED), (LIVE, BEFORE), (), "nothing broke after it"),
        (replace(BROKEN, verdict=DeployVerdict.BROKEN_BEFORE), (LIVE, BEFORE), (), "nothing broke after it"),
        (replace(BROKEN, render_service_id=""), (LIVE, BEFORE), (), "it is not known to Render"),
        (
            replace(BROKEN, rolled_back=RolledBack(START, "ann", "dep-1", OLD)),
            (LIVE, BEFORE),
            (),
            "it was rolled back already, by ann",
        ),
        (replace(BROKEN, trigger="rollback"), (LIVE, BEFORE), (), "it is a rollback itself"),
        (
            replace(BROKEN, broken=(Trouble("api.health", START + timedelta(minutes=2), "500"),)),
            (LIVE, BEFORE),
            (),
            "the failure began before it was live",
        ),
        (BROKEN, (Deploy("dep-3", "live", NEWER), LIVE, BEFORE), (), "another deploy has followed"),
        (BROKEN, (), (), "another deploy has followed"),
        (BROKEN, (LIVE, FAILED), (), "no earlier deploy with another commit was live"),
        (BROKEN, (LIVE, Deploy("dep-1", "deactivated", NEW)), (), "no earlier deploy with another commit was live"),
    ],
)
def test_every_guard_has_its_words(
    record: DeployRecord, deploys: tuple[Deploy, ...], records: tuple[DeployRecord, ...], expected: Target | str
) -> None:
    assert target_of(record, deploys, records) == expected


def test_migrations_are_warned_of_and_never_rolled_back_without_a_question() -> None:
    offered = replace(BROKEN, can_roll_back_to="dep-1")
    assert is_automatic(offered, "auto")
    assert not is_automatic(offered, "suggest")
    assert not is_automatic(BROKEN, "auto")
    for changed in (
        replace(offered, had_pre_deploy=True),
        replace(offered, schema_before="a1", schema_after="b2"),
    ):
        assert not is_automatic(changed, "auto")
        assert "its migrations stay in the database" in warning_of(changed)
    assert warning_of(replace(offered, schema_before="a1", schema_after="a1")) == (
        "After a rollback the next push deploys again."
    )


@pytest.mark.parametrize(
    ("taps", "acts"),
    [
        ([(ANN, 0.0), (ANN, 5.0)], [False, True]),
        ([(ANN, 0.0), (ANN, 0.4), (ANN, 5.0)], [False, False, True]),
        ([(ANN, 0.0), (BEN, 5.0), (ANN, 9.0)], [False, False, False]),
        ([(ANN, 0.0), (ANN, 61.0), (ANN, 65.0)], [False, False, True]),
        ([(ANN, 0.0), (ANN, 5.0), (ANN, 9.0)], [False, True, False]),
    ],
)
def test_only_a_second_tap_of_the_same_person_within_a_minute_acts(
    taps: list[tuple[int, float]], acts: list[bool]
) -> None:
    counter = Taps()
    assert [counter.is_second("dep-2", who, START + timedelta(seconds=at)) for who, at in taps] == acts


async def broken_place(store: Store, mode: str = "suggest") -> Place:
    """Return a place where a deploy of the API has broken a check."""
    place = Place(store, mode=mode)
    await place.start()
    deploy = place.deploy(place.api)
    await place.run(2)
    place.account.advance(place.api, deploy, "live")
    place.says["api.health"] = BAD
    await place.run(50)
    return place


def rollbacks(place: Place) -> list[str]:
    """Return the commits that Render was asked to bring back."""
    return [deploy["commit"]["id"] for deploy in place.api.deploys if deploy["trigger"] == "rollback"]


async def test_off_offers_nothing(own_store: Store) -> None:
    place = await broken_place(own_store, "off")
    (said,) = await place.told()
    assert buttons(said) == ["🔗 Deploys"]
    assert "ollback" not in said.text


async def test_suggest_offers_a_button_that_acts_when_tapped_twice(own_store: Store) -> None:
    place = await broken_place(own_store)
    (said,) = await place.told()
    assert buttons(said) == ["↩️ Roll back to 0a1b2c3", "🔗 Deploys"]
    assert said.text.endswith("Before it 0a1b2c3 was live. After a rollback the next push deploys again.")
    data = said.buttons[0][0].callback_data
    assert data is not None
    first = await place.rolling_back.press(data, ANN, "@ann (4711)")
    assert first == (
        "Tap again within a minute to roll nexus-api back from abc1234 to 0a1b2c3. "
        "After a rollback the next push deploys again.",
        True,
    )
    assert rollbacks(place) == []
    await place.run(5)
    assert await place.rolling_back.press(data, ANN, "@ann (4711)") == ("Rolling back.", False)
    assert rollbacks(place) == [OLD]
    assert await place.titles() == ["↩️ Rolling nexus-api back from abc1234 to 0a1b2c3, asked by @ann (4711)."]
    for seconds in (3, 3):
        await place.run(seconds)
        again = await place.rolling_back.press(data, ANN, "@ann (4711)")
        assert again is not None
        assert again[0].startswith("No rollback: it was rolled back already, by @ann")
    assert rollbacks(place) == [OLD]


async def test_a_rollback_has_a_verdict_of_its_own_and_is_never_rolled_back(own_store: Store) -> None:
    place = await broken_place(own_store)
    (said,) = await place.told()
    data = said.buttons[0][0].callback_data or ""
    await place.rolling_back.press(data, ANN, "ann")
    await place.run(3)
    await place.rolling_back.press(data, ANN, "ann")
    await place.run(2)
    place.says["api.version"] = BAD
    place.account.advance(place.api, place.api.deploys[0], "live")
    await place.run(60)
    said = (await place.told())[-1]
    assert said.text.startswith("❌ 0a1b2c3 live on nexus-api (a rollback): 1 of 3")
    assert said.text.endswith("No rollback is offered: it is a rollback itself.")
    assert buttons(said) == ["🔗 Deploys"]


async def test_a_rollback_of_what_is_well_again_is_refused(own_store: Store) -> None:
    place = await broken_place(own_store)
    place.says["api.health"] = GOOD
    await place.run(40)
    data = f"{BUTTON}{place.api.deploys[0]['id']}"
    assert await place.rolling_back.press(data, ANN, "ann") == ("No rollback: nexus-api is well again.", True)


async def test_a_rollback_after_another_deploy_is_refused(own_store: Store) -> None:
    place = await broken_place(own_store)
    data = f"{BUTTON}{place.api.deploys[0]['id']}"
    place.account.advance(place.api, place.deploy(place.api, NEWER), "live")
    assert await place.rolling_back.press(data, ANN, "ann") == ("No rollback: another deploy has followed.", True)


async def test_a_rollback_while_render_is_away_is_refused(own_store: Store) -> None:
    place = await broken_place(own_store)
    place.server.always_refuses = 503
    data = f"{BUTTON}{place.api.deploys[0]['id']}"
    assert await place.rolling_back.press(data, ANN, "ann") == ("No rollback: Render's API does not answer.", True)


def read_only(refuse: Callable[[Request], Response | None]) -> Callable[[Request], Response | None]:
    """Return what refuses every write, as a key does that may only read."""

    def answer(request: Request) -> Response | None:
        is_write = request.method == "POST"
        return JSONResponse({"message": "read-only key"}, 403) if is_write else refuse(request)

    return answer


async def test_a_key_that_may_only_read_is_said_and_not_tried_again(own_store: Store) -> None:
    place = await broken_place(own_store)
    await place.told()
    data = f"{BUTTON}{place.api.deploys[0]['id']}"
    await place.rolling_back.press(data, ANN, "ann")
    await place.run(3)
    place.server.refuse = read_only(place.server.refuse)  # type: ignore[method-assign]
    answer = await place.rolling_back.press(data, ANN, "ann")
    assert answer is not None
    assert answer[0].startswith("Render did not take it: POST /services/")
    asked, not_taken = await place.titles()
    assert asked.startswith("↩️ Rolling nexus-api back")
    assert not_taken.startswith("❌ The rollback of nexus-api to 0a1b2c3 was not taken: POST /services/")
    await place.run(3)
    again = await place.rolling_back.press(data, ANN, "ann")
    assert again is not None
    assert "already" in again[0]


async def test_other_buttons_and_unknown_deploys(own_store: Store) -> None:
    place = await broken_place(own_store)
    assert await place.rolling_back.press("v1:ack:1:1", ANN, "ann") is None
    assert await place.rolling_back.press(f"{BUTTON}dep-x", ANN, "ann") == (
        "This deploy is not known any more.",
        True,
    )
    place.rolling_back.mode = "off"
    data = f"{BUTTON}{place.api.deploys[0]['id']}"
    assert await place.rolling_back.press(data, ANN, "ann") == ("Rollbacks are switched off.", True)


async def test_auto_rolls_back_at_once_and_over_a_restart_not_twice(own_store: Store) -> None:
    place = await broken_place(own_store, "auto")
    titles = await place.titles()
    assert titles[0].startswith("❌ abc1234 live on nexus-api: 2 of 3")
    assert titles[1] == "↩️ Rolling nexus-api back from abc1234 to 0a1b2c3, asked by the monitor itself."
    await place.restart()
    await place.run(20)
    assert rollbacks(place) == [OLD]


async def test_auto_asks_where_the_deploy_has_changed_the_database(own_store: Store) -> None:
    place = Place(own_store, mode="auto")
    place.schema("a1")
    await place.start()
    deploy = place.deploy(place.api)
    await place.run(2)
    place.schema("b2")
    place.says["api.health"] = BAD
    place.account.advance(place.api, deploy, "live")
    await place.run(60)
    (said,) = await place.told()
    assert buttons(said)[0] == "↩️ Roll back to 0a1b2c3"
    assert "its migrations stay in the database" in said.text
    assert rollbacks(place) == []


async def test_auto_after_a_restart_finds_that_another_deploy_has_followed(own_store: Store) -> None:
    place = await broken_place(own_store, "suggest")
    await place.told()
    place.account.advance(place.api, place.deploy(place.api, NEWER), "live")
    record = await own_store.deploy_record(place.api.deploys[1]["id"])
    assert record is not None
    place.mode = "auto"
    await own_store.save_deploy(record, place.at, is_open=True)
    await place.restart()
    await place.run(3)
    assert rollbacks(place) == []
    settled = await own_store.deploy_record(record.id)
    assert settled is not None
    assert (settled.can_roll_back_to, settled.no_rollback) == ("", "another deploy has followed")
