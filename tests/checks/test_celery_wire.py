"""The wire format, compared with what the installed Celery writes itself, and Redis URLs."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery
from kombu.transport.virtual import Channel

from checks.celery_wire import (
    control_channel,
    control_message,
    decode,
    event_channel,
    task_message,
)
from checks.redis_url import client_url, database_of, with_database

EXPIRES_AT = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
LATER_HEADERS: set[str] = {"stamped_headers", "stamps", "replaced_task_nesting", "group_index"}
"""Headers that younger versions of the protocol brought."""


def test_a_task_message_has_what_celerys_own_has() -> None:
    app = Celery("nexus", broker="memory://")
    theirs = app.amqp.as_task_v2("an-id", "celery.accumulate", args=["an-id"], kwargs={"index": 0}, expires=EXPIRES_AT)
    ours = json.loads(task_message("celery", "an-id", "celery.accumulate", ["an-id"], {"index": 0}, EXPIRES_AT))
    expected = json.loads(json.dumps(theirs.headers, default=str))
    assert ours["headers"] | {"origin": None} == expected | {"origin": None}
    assert set(expected) == set(ours["headers"])
    assert set(ours["headers"]) > LATER_HEADERS
    assert decode(json.dumps(ours)) == json.loads(json.dumps(theirs.body))
    assert {name: ours["properties"][name] for name in theirs.properties} == theirs.properties


def test_the_envelope_has_what_kombus_own_has() -> None:
    """Publish through kombu's in-memory transport, and take the raw message from its queue."""
    app = Celery("nexus", broker="memory://")
    with app.connection_for_write() as connection:
        channel: Channel = connection.default_channel
        app.send_task("celery.accumulate", ["x"], {"index": 0}, task_id="x", connection=connection)
        theirs: dict[str, Any] = channel._get("celery")
    ours = json.loads(task_message("celery", "x", "celery.accumulate", ["x"], {"index": 0}, EXPIRES_AT))
    assert set(ours) == set(theirs)
    for name in ("content-encoding", "content-type"):
        assert ours[name] == theirs[name]
    named = {"delivery_tag", "delivery_info", "reply_to"}
    assert set(ours["properties"]) == set(theirs["properties"])
    assert {k: v for k, v in ours["properties"].items() if k not in named} == {
        k: v for k, v in theirs["properties"].items() if k not in named
    }
    assert set(ours["properties"]["delivery_info"]) == set(theirs["properties"]["delivery_info"])
    assert set(ours["headers"]) == set(theirs["headers"])
    assert decode(json.dumps(ours)) == decode(json.dumps(theirs))


@pytest.mark.parametrize("wants_reply", [True, False])
def test_a_control_message_has_what_kombus_mailbox_sends(wants_reply: bool) -> None:
    app = Celery("nexus", broker="memory://")
    with app.connection_for_write() as connection:
        mailbox = app.control.mailbox(connection)
        queue = mailbox.get_queue("w@here")(connection.default_channel)
        queue.declare()
        mailbox._publish("ping", {}, reply_ticket="a-ticket" if wants_reply else None, timeout=1)
        theirs = connection.default_channel._get(queue.name)
    reply_id = str(mailbox.oid) if wants_reply else ""
    ours = json.loads(control_message("ping", {}, reply_id=reply_id, ticket="a-ticket", clock_seconds=1.0))
    assert decode(json.dumps(ours)) == decode(json.dumps(theirs))
    assert set(ours) == set(theirs)
    assert set(ours["headers"]) == set(theirs["headers"])
    assert set(ours["properties"]) == set(theirs["properties"])


def test_channels_carry_prefix_and_database() -> None:
    assert control_channel("app-", 3) == "app-/3.celery.pidbox"
    assert event_channel("", 0, "task.*") == "/0.celeryev/task.*"


def test_a_plain_body_is_read_too() -> None:
    assert decode(json.dumps({"body": '{"a": 1}', "properties": {}})) == {"a": 1}


@pytest.mark.parametrize(
    ("url", "database"),
    [("redis://h", 0), ("redis://h/", 0), ("redis://h:1/4", 4), ("rediss://u:p@h/0?db=7", 7)],
)
def test_the_database_of_a_url(url: str, database: int) -> None:
    assert database_of(url) == database


def test_a_url_gets_another_database() -> None:
    assert with_database("rediss://u:p@h:1/0?db=2&ssl_cert_reqs=none", 5) == "rediss://u:p@h:1/5?ssl_cert_reqs=none"


def test_celerys_word_for_the_certificate_rule_becomes_the_clients() -> None:
    assert client_url("rediss://h/0?ssl_cert_reqs=CERT_NONE") == "rediss://h/0?ssl_cert_reqs=none"
    assert client_url("redis://h/0") == "redis://h/0"
