"""Celery feeds: what is kept of events and results, and listening through gaps of a real Valkey."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from checks.base import FeedView
from checks.celery_wire import decode
from demo.servers import ValkeyServer
from monitor.probing.feeds import KEPT_OF_A_SUBJECT, KEPT_SUBJECTS, CeleryFeeds, Listener

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def event(body: object) -> str:
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    return json.dumps({"body": encoded, "properties": {"body_encoding": "base64"}})


def listener() -> Listener:
    return Listener("redis://:pw@127.0.0.1:1/0", lambda: NOW, frozenset({"nexus-beat-alive"}), enable_events=True)


def received(name: str, args: str) -> dict[str, Any]:
    return {"type": "task-received", "hostname": "w@1", "uuid": "u", "name": name, "args": args, "kwargs": "{'pin': 1}"}


def test_of_a_task_only_its_name_and_a_wanted_marker_are_kept() -> None:
    feed = listener()
    feed._keep("/0.celeryev/task.multi", event([received("a.b", "('secret',)")]), 0)
    feed._keep("app-/0.celeryev/task.received", event(received("celery.accumulate", "['nexus-beat-alive']")), 0)
    assert [heard.data for heard in feed.view().heard] == [
        {"type": "task-received", "hostname": "w@1", "uuid": "u", "name": "a.b", "prefix": ""},
        {
            "type": "task-received",
            "hostname": "w@1",
            "uuid": "u",
            "name": "celery.accumulate",
            "prefix": "app-",
            "args": "nexus-beat-alive",
        },
    ]


def test_of_results_only_the_marker_is_kept() -> None:
    feed = listener()
    for result in ("user data", ["nexus-beat-alive"], "nexus-beat-alive"):
        feed._keep("celery-task-meta-u", json.dumps({"task_id": "u", "result": result}), 0)
    feed._keep("celery-task-meta-u", b"\x80nexus-beat-alive", 0)
    feed._keep("celery-task-meta-u", '"nexus-beat-alive"', 0)
    assert [heard.data for heard in feed.view().heard] == [
        {"type": "result", "uuid": "u", "result": "nexus-beat-alive"}
    ]


@pytest.mark.parametrize(
    "body", ["no envelope", "{}", "[]", event("text"), event(["text"]), event([{"hostname": "no type"}])]
)
def test_what_is_no_event_is_dropped(body: str) -> None:
    feed = listener()
    assert feed._keep("/0.celeryev/task.received", body, 0) is False
    assert feed.view().heard == ()


def test_a_worker_that_comes_online_and_a_new_prefix_have_to_be_told_to_send_events() -> None:
    feed = listener()
    online = event({"type": "worker-online", "hostname": "w@1"})
    assert feed._keep("/0.celeryev/worker.online", online, 0) is True
    heartbeat = event({"type": "worker-heartbeat", "hostname": "w@1"})
    assert feed._keep("/0.celeryev/worker.heartbeat", heartbeat, 0) is False
    assert feed._keep("app-/0.celeryev/worker.heartbeat", heartbeat, 0) is True
    assert feed._keep("app-/0.celeryev/worker.heartbeat", heartbeat, 0) is False


def test_a_busy_task_does_not_push_out_a_rare_one() -> None:
    feed = listener()
    feed._keep("/0.celeryev/task.received", event(received("rare", "")), 0)
    feed._keep("/0.celeryev/task.multi", event([received("busy", "")] * 5000), 0)
    names = [heard.data["name"] for heard in feed.view().heard]
    assert names == ["rare"] + ["busy"] * KEPT_OF_A_SUBJECT


def test_what_is_kept_is_bounded() -> None:
    feed = listener()
    feed._keep("/0.celeryev/task.multi", event([received(f"task-{n}", "") for n in range(KEPT_SUBJECTS + 9)]), 0)
    assert len(feed.view().heard) == KEPT_SUBJECTS


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def feeds() -> AsyncIterator[CeleryFeeds]:
    async with CeleryFeeds(lambda: datetime.now(UTC)) as made:
        yield made


async def until(feeds: CeleryFeeds, url: str, is_wanted: Callable[[FeedView], bool], seconds: float = 8.0) -> FeedView:
    deadline = time.monotonic() + seconds
    while not is_wanted(view := await feeds.celery(url, wait_seconds=0.2)):
        assert time.monotonic() < deadline, view
    return view


@pytest.mark.real
async def test_the_first_call_starts_to_listen_and_workers_are_told_to_send_events(
    valkey: ValkeyServer, feeds: CeleryFeeds
) -> None:
    with redis.Redis.from_url(valkey.url) as client, client.pubsub() as pubsub:
        pubsub.subscribe("/0.celery.pidbox")
        pubsub.get_message(timeout=2)
        assert (await feeds.celery(valkey.url)).listening_since is None
        view = await until(feeds, valkey.url, lambda view: view.listening_since is not None)
        assert (view.heard, view.error) == ((), "")
        command = await asyncio.to_thread(pubsub.get_message, timeout=2)
        assert decode(command["data"])["method"] == "enable_events"
        assert "reply_to" not in decode(command["data"])
        client.publish("celery-task-meta-u", json.dumps({"task_id": "u", "result": "nexus-beat-alive"}))
        view = await until(feeds, valkey.url, lambda view: len(view.heard) == 1)
        assert view.heard[0].type == "result"
        assert client.keys() == []


@pytest.mark.real
async def test_waiting_ends_with_its_time_when_nothing_is_new(valkey: ValkeyServer, feeds: CeleryFeeds) -> None:
    await until(feeds, valkey.url, lambda view: view.listening_since is not None)
    started = time.monotonic()
    await feeds.celery(valkey.url, wait_seconds=0.3)
    assert 0.25 < time.monotonic() - started < 1.5


@pytest.mark.real
async def test_a_paused_broker_is_noticed_and_the_gap_forgets_what_was_heard(
    valkey: ValkeyServer, feeds: CeleryFeeds
) -> None:
    before = await until(feeds, valkey.url, lambda view: view.listening_since is not None)
    with redis.Redis.from_url(valkey.url) as client:
        client.publish("celery-task-meta-u", json.dumps({"task_id": "u", "result": "nexus-beat-alive"}))
    await until(feeds, valkey.url, lambda view: len(view.heard) == 1)
    valkey.pause()
    try:
        view = await until(feeds, valkey.url, lambda view: view.listening_since is None, seconds=6.0)
    finally:
        valkey.resume()
    assert view.heard == ()
    assert view.error == "TimeoutError: no answer to PING in 4 s"
    after = await until(feeds, valkey.url, lambda view: view.listening_since is not None)
    assert before.listening_since is not None
    assert after.listening_since is not None
    assert after.listening_since > before.listening_since


@pytest.mark.real
async def test_a_broker_that_is_gone_is_said_without_its_password(feeds: CeleryFeeds, tmp_path: Path) -> None:
    port = ValkeyServer(tmp_path).port
    with capture_logs() as logs:
        url = f"redis://:hidden-word@127.0.0.1:{port}/0"
        view = await until(feeds, url, lambda view: view.error != "")
        broken = "redis://:hidden/word@127.0.0.1:1/0"
        wrong = await until(feeds, broken, lambda view: view.error != "")
    assert "ConnectionError" in view.error
    assert wrong.error == "ValueError"
    assert "hidden" not in repr((view, wrong, logs))
    assert {entry["event"] for entry in logs} == {"feed.lost"}
