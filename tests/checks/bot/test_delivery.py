"""`bot.delivery`: only an error date that moves and a queue that grows mean something."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from checks.bot.delivery import BotDelivery, BotDeliveryConfig, BotDeliverySeen
from checks.bot.webhook_info import WebhookInfo
from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason
from checks.telegram_api import Answer
from tests.fakes import NOW, io_for

TOKEN = "123456789:AAF" + "x" * 32
URL = "https://nexus-bot.onrender.com/hook/s3cretpath"
GOOD = Answer(200, True, {}, "", None, 0.03)
BAD_GATEWAY = "Wrong response from the webhook: 502 Bad Gateway"


def check_of(**settings: object) -> BotDelivery:
    return BotDelivery(BotDeliveryConfig(id="bot.delivery", service="nexus-bot", token=TOKEN, **settings))  # type: ignore[arg-type]


def look(
    pending: int = 0, error: float | None = None, sync: float | None = None
) -> tuple[int, float | None, float | None]:
    """One look: what waits, and how many seconds before now the last errors were."""
    return pending, error, sync


def looks_of(looks: list[tuple[int, float | None, float | None]]) -> list[BotDeliverySeen]:
    """Return the looks, a minute apart, the last one now."""
    made = []
    for number, (pending, error, sync) in enumerate(reversed(looks)):
        info = WebhookInfo(
            GOOD,
            url=URL,
            pending_updates=pending,
            last_error_at=None if error is None else NOW - timedelta(seconds=error),
            last_error="" if error is None else BAD_GATEWAY,
            last_synchronization_error_at=None if sync is None else NOW - timedelta(seconds=sync),
        )
        made.append(BotDeliverySeen(info, NOW - timedelta(minutes=number)))
    return made[::-1]


CANNOT = "Telegram cannot deliver: the bot's service is not up"
NOT_TAKEN = "an update was not taken: the bot's service is not up"

JUDGED = {
    "quiet": ([look()], Outcome.OK, None, "updates are delivered, 0 waiting"),
    "an old error stays": ([look(0, 9000), look(0, 9000)], Outcome.OK, None, "updates are delivered, 0 waiting"),
    "an old error on the first look": ([look(0, 9000)], Outcome.OK, None, "updates are delivered, 0 waiting"),
    "an old error and some traffic": (
        [look(1, 9000), look(2, 9000)], Outcome.OK, None, "updates are delivered, 2 waiting",
    ),
    "an error just before the first look": (
        [look(0, 30)], Outcome.DEGRADED, Reason.DEPENDENCY_DOWN, f"{NOT_TAKEN} (0 waiting)",
    ),
    "one new error, taken at the second try": (
        [look(), look(0, 20)], Outcome.DEGRADED, Reason.DEPENDENCY_DOWN, f"{NOT_TAKEN} (0 waiting)",
    ),
    "one error that is not over": (
        [look(), look(1, 80), look(1, 80)], Outcome.DEGRADED, Reason.DEPENDENCY_DOWN, f"{NOT_TAKEN} (1 waiting)",
    ),
    "the date moves and nothing gets less": (
        [look(), look(2, 90), look(2, 20)], Outcome.FAILED, Reason.DEPENDENCY_DOWN, f"{CANNOT} (2 waiting)",
    ),
    "the date moves and the queue falls": (
        [look(9, 90), look(4, 20)], Outcome.DEGRADED, Reason.DEPENDENCY_DOWN, f"{NOT_TAKEN} (4 waiting)",
    ),
    "two errors far apart": (
        [look(1, 900), look(1, 20)], Outcome.DEGRADED, Reason.DEPENDENCY_DOWN, f"{NOT_TAKEN} (1 waiting)",
    ),
    "over, and people write again": (
        [look(3, 170), look(3, 150), look(0, 150), look(1, 150)], Outcome.OK, None, "updates are delivered, 1 waiting",
    ),
    "it grows without a word": (
        [look(count) for count in (0, 1, 3, 4, 7, 9)],
        Outcome.FAILED, Reason.BACKLOG, "the queue at Telegram grows: 0 → 1 → 3 → 4 → 7 → 9",
    ),
    "it grows and halts": (
        [look(count) for count in (0, 1, 3, 3, 7, 9)], Outcome.OK, None, "updates are delivered, 9 waiting",
    ),
    "much waits": (
        [look(30), look(30), look(31)], Outcome.DEGRADED, Reason.BACKLOG, "31 waiting at Telegram",
    ),
    "much waits, and fewer now": (
        [look(90), look(60), look(21)], Outcome.DEGRADED, Reason.BACKLOG, "21 waiting at Telegram, and fewer now",
    ),
    "much waited twice": ([look(20), look(60), look(60)], Outcome.OK, None, "updates are delivered, 60 waiting"),
    "trouble inside Telegram": (
        [look(), look(0, None, 20)],
        Outcome.DEGRADED, Reason.DEPENDENCY_DOWN, "Telegram's own servers lost each other: updates may come late",
    ),
    "old trouble inside Telegram": ([look(0, None, 9000)], Outcome.OK, None, "updates are delivered, 0 waiting"),
}  # fmt: skip


@pytest.mark.parametrize(("looks", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    looks: list[tuple[int, float | None, float | None]], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    *before, seen = looks_of(looks)

    verdict = check_of().judge(seen, NOW, before)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert "s3cretpath" not in repr(verdict)


def test_a_look_that_telegram_refused_is_left_out_of_the_series() -> None:
    (first, last) = looks_of([look(3), look(4)])
    refused = BotDeliverySeen(WebhookInfo(Answer(502, False, None, "", None, 0.03)), NOW)

    assert check_of().judge(last, NOW, [first, refused]).evidence.facts[0] == Fact("pending updates", "3 → 4")
    assert check_of().judge(refused, NOW, [first]).outcome is Outcome.UNKNOWN


def test_without_a_webhook_there_is_no_delivery_to_judge() -> None:
    verdict = check_of().judge(BotDeliverySeen(WebhookInfo(GOOD), NOW), NOW)

    assert (verdict.outcome, verdict.reason, verdict.hint) == (Outcome.UNKNOWN, Reason.MISSING, "See bot.webhook.")


def test_evidence_tells_the_series_the_error_and_its_cause() -> None:
    *before, seen = looks_of([look(1), look(3, 60, 120)])

    verdict = check_of().judge(seen, NOW, before)

    assert verdict.evidence.facts == (
        Fact("pending updates", "1 → 3"),
        Fact("last delivery error", f"{BAD_GATEWAY} (60 s ago)"),
        Fact("its cause", "the bot's service is not up"),
        Fact("last trouble inside Telegram", "2 min ago"),
        Fact("telegram status", 200),
        Fact("latency", 0.03, "s"),
    )
    assert verdict.values == {"latency_seconds": 0.03, "pending_updates": 3.0}


def test_a_network_error_on_the_way_to_telegram_is_unknown() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None
    assert check_of().on_failure(error).outcome is Outcome.UNKNOWN


@pytest.mark.real
async def test_a_real_answer_is_read(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/getWebhookInfo"
        result = {
            "url": URL,
            "pending_update_count": 2,
            "last_error_date": 1_790_000_000,
            "last_error_message": "Connection refused",
            "last_synchronization_error_date": 1_790_000_100,
        }
        return web.json_response({"ok": True, "result": result})

    seen = await check_of(api_base_url=await serve(handler)).measure(io_for(now=lambda: NOW))

    assert seen.at == NOW
    assert seen.info.pending_updates == 2
    assert seen.info.last_error_at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert seen.info.last_synchronization_error_at == datetime.fromtimestamp(1_790_000_100, UTC)
