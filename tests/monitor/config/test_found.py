"""What is known after each look around: what vanished stays expected, what is new is added, secrets are not kept."""

import pytest

from monitor.config.found import ABOUT, NOTHING, Found, Sight, Thing, accepted, completed, joined
from monitor.config.settings import Settings, settings_from

HERE = {"API_URL": "http://a", "REDIS_URL": "r", "BOT_TOKEN": "1", "DATABASE_URL": "d"}


def seen(*values: str, notes: tuple[str, ...] = ()) -> Thing:
    return Thing(Sight.FOUND, values, "GET /x", notes=notes)


UNREACHED = Thing(Sight.UNREACHED, why="connection refused")
ABSENT = Thing(Sight.ABSENT, why="not there", setting="X")


@pytest.mark.parametrize(
    ("name", "before", "look", "after"),
    [
        ("routers", NOTHING, seen("a", "b"), seen("a", "b")),
        ("routers", seen("a"), seen("a", "b"), seen("a", "b")),
        ("routers", seen("a", "b"), seen("b", "c"), Thing(Sight.FOUND, ("a", "b", "c"), "GET /x", gone=("a",))),
        ("routers", Thing(Sight.FOUND, ("a", "b"), "GET /x", gone=("a",)), seen("a", "b"), seen("a", "b")),
        ("routers", seen("a"), UNREACHED, Thing(Sight.UNREACHED, ("a",), "GET /x", why="connection refused")),
        (
            "routers",
            seen("a"),
            ABSENT,
            Thing(Sight.ABSENT, ("a",), "GET /x", why="not there", setting="X", gone=("a",)),
        ),
        ("routers", NOTHING, ABSENT, ABSENT),
        ("routers", ABSENT, UNREACHED, ABSENT),
        ("routers", seen("a"), Thing(why="API_URL is not set"), Thing(why="API_URL is not set")),
        ("webhook_url", seen("u"), seen("v"), Thing(Sight.FOUND, ("u",), "GET /x", gone=("u",), instead=("v",))),
        (
            "webhook_url",
            Thing(Sight.FOUND, ("u",), "GET /x", gone=("u",), instead=("v",)),
            seen("u"),
            seen("u"),
        ),
        ("nodes", seen("w1", "w2"), seen("w3", "w4"), seen("w3", "w4")),
        ("nodes", seen("w1", "w2"), seen("w3"), Thing(Sight.FOUND, ("w1", "w3"), "GET /x", gone=("w1",))),
        ("migrations", seen("1"), seen("2"), seen("2")),
        ("migrations", seen("1"), ABSENT, ABSENT),
        (
            "schedule",
            seen("b", notes=("every b",)),
            seen("a", notes=("every a",)),
            Thing(Sight.FOUND, ("a", "b"), "GET /x", gone=("b",), notes=("every a", "every b")),
        ),
    ],
    ids=[
        "first look",
        "a new one is added",
        "a vanished one stays expected",
        "one that is back is no longer missed",
        "what nobody could look at still holds",
        "all vanished",
        "never there",
        "what was absent before an outage is so in it",
        "the setting was taken away",
        "another value in its place",
        "the expected value is back",
        "workers by number",
        "a worker fewer",
        "the newest migration counts",
        "no migration any more",
        "notes stay with their values",
    ],
)
def test_what_is_known_after_a_look(name: str, before: Thing, look: Thing, after: Thing) -> None:
    known = joined(Found(targets=HERE).with_things({name: before}), Found(targets=HERE).with_things({name: look}))
    assert known.thing(name) == after
    assert known.targets == HERE


def test_what_was_found_at_another_target_is_forgotten() -> None:
    before = Found(targets={"API_URL": "http://old", "REDIS_URL": "r"}, routers=seen("a"), queues=seen("q"))
    known = joined(before, Found(targets=HERE, routers=UNREACHED, queues=UNREACHED))
    assert known.routers == UNREACHED
    assert known.queues.values == ("q",)


def test_accepting_takes_what_is_there_as_what_should_be() -> None:
    found = Found(
        routers=Thing(Sight.FOUND, ("a", "b"), "h", gone=("a",), notes=("A", "B")),
        webhook_url=Thing(Sight.FOUND, ("u",), "h", gone=("u",), instead=("v",)),
        commands=Thing(Sight.ABSENT, ("start",), "h", gone=("start",)),
        tasks=seen("t"),
    )
    known = accepted(found)
    assert known.routers == Thing(Sight.FOUND, ("b",), "h", notes=("B",))
    assert known.webhook_url == Thing(Sight.FOUND, ("v",), "h")
    assert known.commands == Thing(Sight.ABSENT, (), "h")
    assert known.tasks == seen("t")
    assert (list(found.vanished), known.vanished) == (["routers", "webhook_url", "commands"], {})


def test_a_setting_that_is_given_stands_above_what_was_found() -> None:
    found = Found(webhook_url=seen("https://b.example/w/"), miniapp_url=seen("https://m.example"))
    settings = settings_from({"MINIAPP_URL": "https://own.example"})
    both = completed(settings, found)
    assert (both.webhook_url, both.miniapp_url) == ("https://b.example/w/", "https://own.example")
    assert completed(settings, Found()) is settings


def test_a_webhook_whose_path_is_the_token_is_not_kept() -> None:
    token = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
    found = Found(webhook_url=seen(f"https://b.example/webhook/{token}"), commands=seen("start"))
    assert found.storable.commands == seen("start")
    assert found.storable.webhook_url.values == ()
    assert token not in repr(found.storable)


def test_every_thing_is_described() -> None:
    names = [name for name in Found.__dataclass_fields__ if name != "targets"]
    assert list(ABOUT) == names
    assert {about.source for about in ABOUT.values()} <= {name.upper() for name in Settings.model_fields}
