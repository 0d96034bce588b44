"""Deploys, what is said of them and what a webhook delivered, over both databases."""

from dataclasses import replace

import pytest

from monitor.engine.deploy_record import DeployRecord, DeployVerdict, RolledBack, Trouble
from monitor.engine.model import MessageKind, Severity
from monitor.store.deploy_rows import Hook, Note
from monitor.store.errors import LeadershipLostError
from monitor.store.store import Store
from tests.stores import at


def record(number: int, **changes: object) -> DeployRecord:
    made = DeployRecord(
        id=f"dep-{number}",
        service="nexus-api",
        commit=f"{number:07}",
        status="live",
        started_at=at(number),
        seen_at=at(number),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


FULL = record(
    5,
    service="nexus-bot",
    live_at=at(6),
    verdict=DeployVerdict.BROKEN,
    broken=(Trouble("bot.ingress", at(7), "500\0", "redis.ping"),),
    rolled_back=RolledBack(at(8), "@ann", "dep-4", "abc"),
    marked=("grafana",),
)


async def test_deploys_are_listed_newest_first_and_come_back_whole(store: Store) -> None:
    for number in (1, 3, 2):
        await store.save_deploy(record(number), at(0), is_open=number == 2)
    await store.save_deploy(FULL, at(9), is_open=False)
    assert [one.id for one in await store.deploy_records(3)] == ["dep-5", "dep-3", "dep-2"]
    assert [one.id for one in await store.deploy_records(9, service="nexus-bot")] == ["dep-5"]
    assert [one.id for one in await store.open_deploys()] == ["dep-2"]
    kept = await store.deploy_record("dep-5")
    assert kept is not None
    assert replace(kept, broken=FULL.broken) == FULL
    assert await store.deploy_record("dep-9") is None


async def test_a_note_goes_out_once_and_says_what_it_was_made_with(store: Store) -> None:
    note = Note("deploy:dep-1:telegram:ops:verdict", "telegram:ops", '{"text": "said"}', is_silent=False)
    await store.save_deploy(record(1), at(1), is_open=False, notes=[note])
    await store.save_deploy(record(1), at(2), is_open=False, notes=[replace(note, body='{"text": "other"}')])
    claimed = await store.claim_message(at(3))
    assert claimed is not None
    assert (claimed.body, claimed.kind, claimed.incident_id, claimed.severity, claimed.is_silent) == (
        '{"text": "said"}', MessageKind.DEPLOY, 0, Severity.WARNING, False
    )  # fmt: skip
    assert await store.claim_message(at(3)) is None


async def test_an_old_epoch_writes_no_deploy(store: Store) -> None:
    epoch = await store.acquire_leadership("a", 60.0)
    assert epoch is not None
    await store.save_deploy(record(1), at(1), is_open=True, epoch=epoch)
    note = Note("deploy:dep-2:telegram:ops:verdict", "telegram:ops", "{}")
    with pytest.raises(LeadershipLostError):
        await store.save_deploy(record(2), at(1), is_open=True, notes=[note], epoch=epoch - 1)
    assert [one.id for one in await store.deploy_records(9)] == ["dep-1"]
    assert await store.claim_message(at(9)) is None


async def test_a_delivery_is_kept_once_and_forgotten_after_a_week(store: Store) -> None:
    first = Hook("evt-1", "deploy_started", "srv-1", "evt-1", at(1))
    assert await store.record_hook(first)
    assert not await store.record_hook(replace(first, received_at=at(60)))
    await store.record_hook(Hook("evt-2", "deploy_ended", "srv-1", "evt-2", at(2)))
    assert [hook.id for hook in await store.waiting_hooks()] == ["evt-1", "evt-2"]
    await store.finish_hook("evt-1")
    assert await store.waiting_hooks() == [Hook("evt-2", "deploy_ended", "srv-1", "evt-2", at(2))]
    await store.record_hook(Hook("evt-3", "deploy_ended", "srv-1", "evt-3", at(8 * 86_400)))
    assert [hook.id for hook in await store.waiting_hooks()] == ["evt-3"]
