"""What people read: whole texts, and what must hold for any text."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.result import Fact, Reason, Result, Verdict, failed, ok
from monitor.delivery.entities import Rendered, clean, clip, units
from monitor.delivery.messages import render_card, render_message
from monitor.delivery.wording import Press, Verb, can_be_link, face_of, read_callback_data, spell
from monitor.engine.model import (
    Cause,
    CheckPolicy,
    CheckState,
    CheckStatus,
    DeployWindow,
    Incident,
    IncidentStatus,
    Member,
    MessageKind,
    Plan,
    Role,
    Severity,
)
from monitor.engine.morning import Morning

STARTED = datetime(2026, 3, 14, 14, 32, 10, tzinfo=UTC)
NOW = STARTED + timedelta(seconds=40)
DASHBOARD = "https://monitor.example.org"


def policy(check_id: str, service: str, **settings: object) -> CheckPolicy:
    return CheckPolicy(check_id, service, 30.0, 10.0, 10.0, **settings)  # type: ignore[arg-type]


def result(check_id: str, verdict: Verdict, at: datetime = STARTED) -> Result:
    return Result(check_id, verdict, at, 2.0)


REDIS_DEAD = failed(
    Reason.TIMEOUT,
    "PING got no answer within 2 s",
    Fact("address", "redis:6379"),
    Fact("connected in", 0.00123, "s"),
    Fact("tls", False),
    Fact("answer", None),
    hint="Render → nexus-redis → Events: is it out of memory?",
    excerpt="-LOADING Redis is loading\n\n the dataset",
)

PLAN = Plan(
    {
        "redis.ping": policy("redis.ping", "nexus-redis", runbook_url="https://docs.example.org/redis"),
        "redis.write": policy("redis.write", "nexus-redis", hard_parents=("redis.ping",)),
        "worker.online": policy("worker.online", "nexus-worker"),
        "worker.canary": policy("worker.canary", "nexus-worker"),
        "beat.alive": policy("beat.alive", "nexus-beat"),
        "bot.reply": policy("bot.reply", "nexus-bot"),
        "bot.webhook": policy("bot.webhook", "nexus-bot"),
        "api.health": policy("api.health", "nexus-api"),
        "miniapp.page": policy("miniapp.page", "miniapp"),
        "vantage.dns": policy("vantage.dns", "monitor", is_vantage=True),
    }
)
SYMPTOMS = ("redis.write", "worker.online", "worker.canary", "beat.alive", "bot.reply")


def checks() -> dict[str, CheckState]:
    up = {name: CheckState(name, CheckStatus.UP) for name in PLAN.checks}
    down = {name: CheckState(name, CheckStatus.DOWN) for name in (*SYMPTOMS, "miniapp.page")}
    root = CheckState("redis.ping", CheckStatus.DOWN, last_failure=result("redis.ping", REDIS_DEAD))
    return {**up, **down, "redis.ping": root}


def incident(**changes: object) -> Incident:
    members = (Member("redis.ping", Role.ROOT, STARTED), *(Member(name, Role.SYMPTOM, STARTED) for name in SYMPTOMS))
    made = Incident(42, "redis.ping", Severity.PAGE, IncidentStatus.OPEN, STARTED, NOW, members=members, revision=3)
    return replace(made, **changes)  # type: ignore[arg-type]


HUSH = ["🔕 30 min", "🔕 1 h", "🔕 → 09:00"]
FACE = face_of(incident())
RESOLVED = incident(
    status=IncidentStatus.RESOLVED,
    resolved_at=STARTED + timedelta(minutes=11, seconds=20),
    acked_by="@ann (5)",
    acked_at=STARTED + timedelta(minutes=3),
    members=tuple(replace(member, left_at=NOW) for member in incident().members),
)


def card(shown: Incident, states: dict[str, CheckState] | None = None, deploy: DeployWindow | None = None) -> Rendered:
    return render_card(shown, states or checks(), PLAN, NOW, dashboard_url=DASHBOARD, deploy=deploy)


def piece(rendered: Rendered, index: int) -> tuple[str, str]:
    entity = rendered.entities[index]
    raw = rendered.text.encode("utf-16-le")
    return entity.type, raw[entity.offset * 2 : (entity.offset + entity.length) * 2].decode("utf-16-le")


def pieces(rendered: Rendered) -> list[tuple[str, str]]:
    return [piece(rendered, index) for index in range(len(rendered.entities))]


def labels(rendered: Rendered) -> list[list[str]]:
    return [[button.text for button in row] for row in rendered.buttons]


def test_the_card_of_an_open_incident_says_what_to_do_and_what_still_works() -> None:
    deploy = DeployWindow(
        "dep-1", "nexus-api", "7f3c2a1b9c", STARTED - timedelta(minutes=5), NOW - timedelta(minutes=3)
    )
    rendered = card(incident(deploy_id="dep-1"), deploy=deploy)
    assert rendered.text == (
        "🔴 DOWN · nexus-redis · redis.ping\n"
        "#INC-42 · since 14:32 UTC\n"
        "Began 2 min after deploy 7f3c2a1 of nexus-api went live\n"
        "\n"
        "PING got no answer within 2 s\n"
        "Try: Render → nexus-redis → Events: is it out of memory? · Runbook\n"
        "\n"
        "Because of it (5): redis.write, worker.online, worker.canary, beat.alive, +1\n"
        "Not explained by it: miniapp.page\n"
        "Still OK: nexus-api, bot.webhook\n"
        "\n"
        "reason: timeout\n"
        "looked at 14:32:10 UTC, took 2 s\n"
        "address: redis:6379\n"
        "connected in: 0.00123 s\n"
        "tls: no\n"
        "answer: –\n"
        "-LOADING Redis is loading\n"
        "the dataset"
    )
    assert pieces(rendered)[:6] == [
        ("bold", "🔴 DOWN"),
        ("code", "redis.ping"),
        ("date_time", "14:32 UTC"),
        ("code", "7f3c2a1"),
        ("bold", "Try: "),
        ("text_link", "Runbook"),
    ]
    assert pieces(rendered)[-1][0] == "expandable_blockquote"
    time = rendered.entities[2]
    assert (time.unix_time, time.date_time_format) == (int(STARTED.timestamp()), "t")
    assert rendered.entities[5].url == "https://docs.example.org/redis"
    assert labels(rendered) == [
        ["✅ Ack", "🔁 Re-check"],
        HUSH,
        ["🔕 Until resolved", "🔗 Open"],
    ]
    assert [button.callback_data for row in rendered.buttons for button in row] == [
        f"v2:ack:42:3:{FACE}",
        f"v2:recheck:42:3:{FACE}",
        f"v2:hush30m:42:3:{FACE}",
        f"v2:hush1h:42:3:{FACE}",
        f"v2:hushday:42:3:{FACE}",
        f"v2:hush:42:3:{FACE}",
        None,
    ]
    assert rendered.buttons[-1][1].url == "https://monitor.example.org/incidents/42"
    assert rendered.buttons[-1][1].app_url == "https://monitor.example.org/miniapp?next=/incidents/42"


def test_the_card_of_a_recovered_incident_is_short_and_has_no_buttons_but_open() -> None:
    rendered = card(RESOLVED)
    assert rendered.text == (
        "🟢 RECOVERED · lasted 11 min · nexus-redis · redis.ping\n"
        "#INC-42 · 14:32 UTC – 14:43 UTC\n"
        "\n"
        "PING got no answer within 2 s\n"
        "\n"
        "It took with it (5): redis.write, worker.online, worker.canary, beat.alive, +1\n"
        "✅ Acked by @ann (5), 14:35 UTC"
    )
    assert labels(rendered) == [["🔗 Open"]]


def test_the_card_of_an_acked_incident_names_the_person_and_loses_the_ack_button() -> None:
    rendered = card(incident(status=IncidentStatus.ACKED, acked_by="@ann (5)", acked_at=NOW))
    assert "✅ Acked by @ann (5), 14:32 UTC\n" in rendered.text
    assert labels(rendered) == [["🔁 Re-check"], HUSH, ["🔕 Until resolved", "🔗 Open"]]


def test_the_card_of_a_silenced_incident_says_since_when() -> None:
    assert "\n🔕 Silenced since 14:32 UTC\n" in card(incident(suppressed_since=NOW)).text


def test_a_root_that_is_up_while_its_symptoms_are_not_says_for_whom_it_waits() -> None:
    states = checks() | {"redis.ping": CheckState("redis.ping", CheckStatus.UP, up_since=NOW)}
    states |= {name: CheckState(name, CheckStatus.UP) for name in SYMPTOMS[:3]}
    text = card(incident(), states).text
    assert text.startswith("🟠 RECOVERING · nexus-redis · redis.ping\n")
    assert "\nUp again since 14:32 UTC; waiting for 2 of 5: beat.alive, bot.reply\n" in text


@pytest.mark.parametrize(
    ("changes", "first_line"),
    [
        ({"is_unstable": True}, "🟠 UNSTABLE · nexus-redis · redis.ping"),
        ({"cause": Cause.DEGRADED}, "🟡 DEGRADED · nexus-redis · redis.ping"),
        ({"cause": Cause.STALE}, "⚪ NOT SEEN · nexus-redis · redis.ping"),
        ({"is_storm": True}, "🔴 DOWN · 1 independent failures"),
        ({"root": "gone.check"}, "🔴 DOWN · gone.check"),
    ],
)
def test_the_first_line_says_how_the_incident_stands(changes: dict[str, object], first_line: str) -> None:
    assert card(incident(**changes)).text.splitlines()[0] == first_line


def test_many_independent_failures_are_listed_and_none_is_called_the_cause() -> None:
    members = tuple(Member(name, Role.ROOT, STARTED) for name in PLAN.checks)
    text = card(incident(is_storm=True, members=members)).text
    assert text.startswith("🔴 DOWN · 10 independent failures\n")
    assert "\nFailing: redis.ping, redis.write, " in text
    assert "PING" not in text


def test_a_deploy_that_is_not_known_any_more_is_named_by_its_id() -> None:
    assert "\nBegan after deploy dep-9\n" in card(incident(deploy_id="dep-9")).text


def test_a_fault_before_the_deploy_is_live_began_during_it() -> None:
    deploy = DeployWindow("dep-1", "nexus-api", "7f3c2a1b", STARTED - timedelta(minutes=1))
    assert "\nBegan during deploy 7f3c2a1 of nexus-api\n" in card(incident(deploy_id="dep-1"), deploy=deploy).text


def test_an_old_incident_is_dated() -> None:
    rendered = render_card(incident(), checks(), PLAN, NOW + timedelta(days=2), dashboard_url=None, deploy=None)
    assert rendered.text.splitlines()[1] == "#INC-42 · since 14 Mar 14:32 UTC"
    assert rendered.entities[2].date_time_format == "dt"
    assert labels(rendered) == [["✅ Ack", "🔁 Re-check"], HUSH, ["🔕 Until resolved"]]


def test_a_reopened_incident_says_so() -> None:
    assert "since 14:32 UTC · back once\n" in card(incident(reopen_count=1)).text


def test_a_reopened_incident_counts_from_the_outage_that_reopened_it() -> None:
    again_at = incident().started_at + timedelta(minutes=2)
    assert "since 14:34 UTC · back once\n" in card(incident(reopen_count=1, broke_again_at=again_at)).text


@pytest.mark.parametrize(
    ("kind", "shown", "text"),
    [
        (MessageKind.RESOLVE, RESOLVED, "✅ #INC-42 redis.ping is up again after 11 min"),
        (
            MessageKind.RESOLVE,
            replace(RESOLVED, cause=Cause.DEGRADED),
            "✅ #INC-42 redis.ping is well again after 11 min",
        ),
        (
            MessageKind.RESOLVE,
            replace(RESOLVED, is_storm=True),
            "✅ #INC-42 1 independent failures are over after 11 min",
        ),
        (
            MessageKind.SUMMARY,
            RESOLVED,
            "ℹ️ #INC-42 redis.ping was down 14:32 UTC – 14:43 UTC (11 min) and is up again. "
            "Told late: this chat could not be reached.\nPING got no answer within 2 s",
        ),
        (
            MessageKind.REMIND,
            incident(started_at=NOW - timedelta(minutes=31)),
            "🔴 #INC-42 redis.ping is still down, 31 min now. Nobody has taken it yet.",
        ),
        (
            MessageKind.REMIND,
            incident(status=IncidentStatus.ACKED, acked_by="@ann (5)", acked_at=NOW),
            "🔴 #INC-42 redis.ping is still down, 40 s now.",
        ),
        (
            MessageKind.ESCALATE,
            incident(),
            "⏫ #INC-42 redis.ping is still down, 40 s now. Nobody has taken it yet.",
        ),
        (
            MessageKind.RISE,
            incident(),
            "🔴 #INC-42 redis.ping is down: this is urgent now\nPING got no answer within 2 s",
        ),
        (MessageKind.REOPEN, incident(), "🔴 #INC-42 redis.ping is down again\nPING got no answer within 2 s"),
    ],
)
def test_a_reply_is_one_short_sentence(kind: MessageKind, shown: Incident, text: str) -> None:
    rendered = render_message(kind, shown, checks(), PLAN, NOW, dashboard_url=DASHBOARD, deploy=None)
    assert rendered.text == text
    if not shown.is_storm:
        assert ("code", "redis.ping") in pieces(rendered)


def test_the_opening_message_is_the_card() -> None:
    opened = render_message(MessageKind.OPEN, incident(), checks(), PLAN, NOW, dashboard_url=DASHBOARD, deploy=None)
    assert opened == card(incident())


def test_a_chat_without_the_card_gets_it_under_the_first_sentence() -> None:
    rendered = render_message(
        MessageKind.ESCALATE, incident(), checks(), PLAN, NOW, dashboard_url=DASHBOARD, deploy=None, has_root=False
    )
    assert rendered.text.startswith(
        "⏫ #INC-42 redis.ping is still down, 40 s now. Nobody has taken it yet.\n\n🔴 DOWN"
    )
    assert labels(rendered) == labels(card(incident()))


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"revision": 9, "status": IncidentStatus.ACKED, "acked_by": "@ann (5)"}, True),
        ({"suppressed_since": NOW, "members": ()}, True),
        ({"root": "api.health"}, False),
        ({"reopen_count": 1}, False),
        ({"severity": Severity.WARNING}, False),
        ({"cause": Cause.DEGRADED}, False),
        ({"is_storm": True}, False),
    ],
    ids=repr,
)
def test_what_a_button_agrees_to_is_the_fault_and_not_its_course(changes: dict[str, object], is_same: bool) -> None:
    assert (face_of(incident(**changes)) == FACE) is is_same


def test_the_morning_of_the_operators_stands_on_the_button() -> None:
    plan = replace(PLAN, morning=Morning(time(7, 30)))
    rendered = render_card(incident(), checks(), plan, NOW, dashboard_url=None, deploy=None)
    assert labels(rendered)[1][2] == "🔕 → 07:30"


@pytest.mark.parametrize("url", ["http://monitor.example.org", "https://localhost", None])
def test_a_page_without_https_is_no_mini_app(url: str | None) -> None:
    rendered = render_card(incident(), checks(), PLAN, NOW, dashboard_url=url, deploy=None)
    assert [button.app_url for button in rendered.buttons[-1]] == [None] * len(rendered.buttons[-1])


@pytest.mark.parametrize(
    ("data", "press"),
    [
        ("v2:ack:42:3:f", Press(Verb.ACK, 42, 3, "f")),
        ("v2:hush1h:42:3:f", Press(Verb.SILENCE_HOUR, 42, 3, "f")),
        ("v1:ack:42:3", None),
        ("v1:ack:42:3:f", None),
        ("v2:drop:42:3:f", None),
        ("v2:ack:42:3", None),
        ("v2:ack:-1:3:f", None),
        ("v2:ack:٤:3:f", None),
        ("", None),
    ],
)
def test_callback_data_is_read_only_when_it_is_ours(data: str, press: Press | None) -> None:
    assert read_callback_data(data) == press


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://monitor.example.org", True),
        ("http://127.0.0.1:8700", True),
        ("http://localhost:8700", False),
        ("ftp://example.org", False),
        ("https://exa mple.org", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_only_an_address_that_telegram_takes_becomes_a_button(url: str, is_link: bool) -> None:
    assert can_be_link(url) is is_link


@pytest.mark.parametrize(
    ("lasted", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=4, seconds=50), "4 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=3, minutes=12), "3 h 12 min"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_a_duration_is_spelled_as_people_say_it(lasted: timedelta, words: str) -> None:
    assert spell(lasted) == words


def test_text_is_cleaned_of_what_would_move_offsets_and_emoji_stay_whole() -> None:
    assert clean(" a\x00b\u202e  c\ud800\n👩\u200d🔬 ") == "ab c 👩\u200d🔬"
    assert clip("👩👩👩", 4) == "👩…"


ANY_TEXT = st.text(st.characters(), max_size=5000)
"""Surrogates, controls, right-to-left marks, emoji: everything."""


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(ANY_TEXT, min_size=1, max_size=40, unique=True),
    summary=ANY_TEXT,
    hint=ANY_TEXT,
    excerpt=ANY_TEXT,
    person=ANY_TEXT,
    facts=st.lists(st.tuples(ANY_TEXT, st.one_of(ANY_TEXT, st.floats(), st.integers(), st.none())), max_size=20),
    status=st.sampled_from(IncidentStatus),
    is_storm=st.booleans(),
    kind=st.sampled_from(MessageKind),
    has_root=st.booleans(),
    numbers=st.tuples(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1)),
)
def test_any_names_and_texts_give_a_message_that_telegram_takes(
    names: list[str],
    summary: str,
    hint: str,
    excerpt: str,
    person: str,
    facts: list[tuple[str, str | float | int | None]],
    status: IncidentStatus,
    is_storm: bool,
    kind: MessageKind,
    has_root: bool,
    numbers: tuple[int, int],
) -> None:
    verdict = failed(Reason.TIMEOUT, summary, *(Fact(name, value) for name, value in facts), hint=hint, excerpt=excerpt)
    half = len(names) // 2
    states = {name: CheckState(name, CheckStatus.DOWN) for name in names[half:]}
    states |= {name: CheckState(name, CheckStatus.UP) for name in names[:half]}
    states[names[-1]] = CheckState(names[-1], CheckStatus.DOWN, last_failure=result(names[-1], verdict))
    plan = Plan({name: policy(name, name[::-1]) for name in names})
    shown = Incident(
        numbers[0],
        names[-1],
        Severity.PAGE,
        status,
        STARTED,
        NOW,
        members=tuple(Member(name, Role.SYMPTOM, STARTED) for name in names[half::2]),
        acked_by=person,
        acked_at=NOW,
        resolved_at=None if status in (IncidentStatus.OPEN, IncidentStatus.ACKED) else NOW,
        revision=numbers[1],
        is_storm=is_storm,
        deploy_id=person,
    )
    rendered = render_message(kind, shown, states, plan, NOW, dashboard_url=DASHBOARD, deploy=None, has_root=has_root)
    total = units(rendered.text)
    assert 1 <= total <= 3500
    assert rendered.text == rendered.text.strip()
    rendered.text.encode("utf-8")
    end = 0
    for entity in rendered.entities:
        assert entity.offset >= end, "entities do not overlap"
        assert entity.length > 0
        end = entity.offset + entity.length
        assert end <= total
    for index in range(len(rendered.entities)):
        assert piece(rendered, index)[1].strip()
    assert len(rendered.entities) <= 100
    for row in rendered.buttons:
        for button in row:
            assert (button.callback_data is None) != (button.url is None)
            if button.callback_data is not None:
                assert len(button.callback_data.encode()) <= 64
                assert read_callback_data(button.callback_data) is not None


def test_evidence_gives_way_before_anything_else() -> None:
    verdict = failed(Reason.TIMEOUT, "s" * 900, hint="h" * 900, excerpt="e" * 600)
    states = checks() | {
        "redis.ping": CheckState("redis.ping", CheckStatus.DOWN, last_failure=result("redis.ping", verdict))
    }
    rendered = card(incident(), states)
    assert "s" * 399 + "…" in rendered.text
    assert "Because of it (5)" in rendered.text
    assert units(rendered.text) <= 3500


def test_ok_results_show_no_evidence_reason() -> None:
    states = checks() | {
        "redis.ping": CheckState("redis.ping", CheckStatus.DOWN, last_result=result("redis.ping", ok("PONG in 1 ms")))
    }
    assert "reason:" not in card(incident(), states).text
