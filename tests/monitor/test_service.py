"""The composition root: every part built once, run in one loop, ended in order."""

import asyncio
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from demo.botapi.config import ALERT_TOKEN, OPERATOR_ID
from monitor.config.checklist import Checklist, build_checklist
from monitor.config.rows import heading
from monitor.config.settings import Settings, settings_from
from monitor.config.stack import Stack, stack_of
from monitor.engine.model import CheckState, CheckStatus, State
from monitor.listener import listen
from monitor.looks import look_once
from monitor.probing.sight import blind
from monitor.reign import markers
from monitor.service import Service
from tests.demo.running_demo import until
from tests.monitor.delivery.bot_api_server import bot_api_server, free_port


def _configured(text: str, **environ: str) -> tuple[Settings, Stack, Checklist]:
    settings, stack = settings_from(environ), stack_of(text, "monitor.yaml")
    return settings, stack, build_checklist(settings, stack)


@pytest.mark.parametrize(
    ("check_id", "seen", "why"),
    [
        ("redis.ping", {}, ""),
        ("redis.ping", {"vantage.dns": CheckStatus.PENDING, "vantage.egress": CheckStatus.UP}, ""),
        ("redis.ping", {"vantage.dns": CheckStatus.DOWN}, "vantage.dns"),
        ("redis.ping", {"vantage.egress": CheckStatus.SUSPECT, "vantage.dns": CheckStatus.DOWN}, "vantage.egress"),
        ("vantage.store", {"vantage.egress": CheckStatus.DOWN}, ""),
    ],
    ids=["nothing seen", "not yet looked", "no names", "no network", "a look at our own side"],
)
def test_without_our_own_sight_a_remote_check_is_blind(check_id: str, seen: dict[str, CheckStatus], why: str) -> None:
    _, _, checklist = _configured("", REDIS_URL="redis://h")
    state = State(checks={sight: CheckState(sight, status=status) for sight, status in seen.items()})
    expected = f"{why} is not up, so the monitor's own network is in doubt" if why else ""
    assert blind(checklist.plan, state, check_id) == expected


@pytest.mark.parametrize(
    ("check_id", "expected"),
    [
        ("redis.ping", "API"),
        ("miniapp.page", "Mini App"),
        ("telegram.api", "The monitor's own sight"),
        ("shop.x", "shop"),
    ],
)
def test_checks_stand_under_the_headings_of_the_checklist(check_id: str, expected: str) -> None:
    assert heading(check_id) == expected


def test_the_feeds_listen_for_every_beat_s_marker() -> None:
    text = (
        "checks: {beat.alive: {marker: own.beat},\n"
        "  shop.beat: {kind: beat.alive, broker_url: 'redis://h', marker: shop.beat}}"
    )
    assert markers(_configured(text, REDIS_URL="redis://h")[2]) == {"own.beat", "shop.beat"}
    assert markers(_configured("")[2]) == frozenset()


@pytest.mark.real
async def test_one_look_is_the_service_s_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/monitor.db"
    settings, _, checklist = _configured("", MONITOR_DATABASE_URL=url)
    result = await look_once("vantage.store", settings, checklist)
    assert (result.check_id, result.verdict.outcome.value) == ("vantage.store", "ok")


@pytest.mark.real
async def test_an_outage_is_seen_told_and_shown_and_the_service_ends_when_asked(tmp_path: Path) -> None:
    text = (
        "defaults: {retry_seconds: 0.2, confirm: {failures: 2, span_seconds: 0}}\n"
        "vantage: {dns_names: [localhost], egress_targets: ['127.0.0.1:9']}\n"
        "incidents: {gate_settle_seconds: 0}\n"
        "checks: {vantage.loop: {late_seconds: 60}, vantage.egress: {enabled: false},\n"
        "  redis.ping: {interval_seconds: 1}}"
    )
    async with bot_api_server() as (api, telegram), httpx.AsyncClient(trust_env=False) as client:
        settings, stack, checklist = _configured(
            text,
            REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
            ALERT_BOT_TOKEN=ALERT_TOKEN,
            ALERT_CHAT_ID=str(OPERATOR_ID),
            TELEGRAM_API_URL=telegram,
            MONITOR_DATABASE_URL=f"sqlite:///{tmp_path}/monitor.db",
        )
        stopping = asyncio.Event()
        with closing(listen("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with Service.built(settings, stack, checklist) as service:
                running = asyncio.create_task(service.run(listener, stopping), name="service")
                try:
                    told = partial(api.journal.calls, method="sendMessage")
                    sent = await asyncio.to_thread(until, told, 40, "a message")
                    body = (await client.get(f"{url}/api/v1/status")).json()
                finally:
                    stopping.set()
                    async with asyncio.timeout(10):
                        await running
    assert sent[0]["parameters"]["text"].startswith("🔴 DOWN · nexus-redis · redis.ping\n")
    (incident,) = body["incidents"]
    assert (incident["root"], incident["status"]) == ("redis.ping", "open")
