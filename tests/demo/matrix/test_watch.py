"""What the matrix reads of a message."""

from typing import Any

import pytest

from demo.matrix.watch import Message, Seen, message_of, now

AT = "2026-11-23T23:36:39+00:00"


def _call(text: str, *, ok: bool = True, silent: bool = False) -> dict[str, Any]:
    return {"time": AT, "ok": ok, "parameters": {"text": text, "disable_notification": silent}}


@pytest.mark.parametrize(
    ("text", "kind", "root"),
    [
        ("🔴 DOWN · nexus-worker · worker.online\n#INC-1 · since 23:36", "open", "worker.online"),
        ("⚪ NOT SEEN · nexus-api · api.health", "open", "api.health"),
        ("✅ #INC-1 worker.online is up again after 17 s", "resolved", "worker.online"),
        ("✅ #INC-1 miniapp.page is well again after 17 s", "resolved", "miniapp.page"),
        ("🔴 #INC-1 redis.ping is down again\nno answer", "again", "redis.ping"),
        ("🔴 #INC-1 redis.ping is down: this is urgent now", "louder", "redis.ping"),
        ("Good morning", "other", "Good morning"),
        (
            "✅ abc1234 live on nexus-api: 6 of 6 in 0.1 s\nA change",
            "deploy",
            "✅ abc1234 live on nexus-api: 6 of 6 in 0.1 s",
        ),
        (
            "❌ abc1234 is not live on nexus-api: the build failed",
            "deploy",
            "❌ abc1234 is not live on nexus-api: the build failed",
        ),
    ],
)
def test_a_message_is_read_by_its_first_line(text: str, kind: str, root: str) -> None:
    message = message_of(_call(text))
    assert isinstance(message, Message)
    assert (message.kind, message.root, message.is_silent) == (kind, root, False)


def test_a_silent_one_is_known_by_what_telegram_was_asked() -> None:
    message = message_of(_call("🟡 DEGRADED · nexus-miniapp · miniapp.page", silent=True))
    assert message is not None
    assert (message.kind, message.is_silent) == ("open", True)


@pytest.mark.parametrize(
    "call",
    [_call("📋 nexus demo: all 15 checks OK"), _call("🔴 DOWN · nexus-api · api.health", ok=False)],
    ids=["the board", "refused by Telegram"],
)
def test_some_calls_tell_nobody_anything(call: dict[str, Any]) -> None:
    assert message_of(call) is None


def test_calm_is_everything_up_and_nothing_open() -> None:
    assert Seen({"api.health": "up"}, ()).is_calm
    assert not Seen({}, ()).is_calm
    troubled = Seen({"api.health": "up", "redis.ping": "down"}, ({"root": "redis.ping"},))
    assert not troubled.is_calm
    assert troubled.troubled == "redis.ping is down, incident of redis.ping"
    assert now().tzinfo is not None
