"""`nexus-monitor test-alert`: what arrived where, or the cause and what to change; against a real Bot API server."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from demo.botapi.config import ALERT_TOKEN, GROUP_ID, OPERATOR_ID
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.server import BotApi
from monitor.cli import app
from monitor.delivery.trial import advice
from tests.monitor.delivery.bot_api_server import USERNAME, bot_api_server, free_port, messages_in

pytestmark = pytest.mark.real

CHATS = f"""
alerts:
  chats:
    - {{name: ops, chat_id: {GROUP_ID}/2}}
    - {{name: lead, chat_id: {OPERATOR_ID}, escalation: true}}
"""


@pytest.fixture
async def server() -> AsyncIterator[tuple[BotApi, str]]:
    async with bot_api_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


async def run(environ: Mapping[str, str], text: str = "") -> tuple[int, list[str]]:
    """Run the command as a person does; return exit status and lines."""

    def invoke() -> Result:
        Path("monitor.yaml").write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, ["test-alert"], env=dict(environ))

    result = await asyncio.to_thread(invoke)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


def given(url: str, **more: str) -> dict[str, str]:
    return {"ALERT_BOT_TOKEN": ALERT_TOKEN, "TELEGRAM_API_URL": url, **more}


async def test_it_says_what_arrived_where(server: tuple[BotApi, str]) -> None:
    api, url = server
    status, lines = await run(given(url), CHATS)
    [in_group], [in_private] = messages_in(api, GROUP_ID), messages_in(api, OPERATOR_ID)
    assert (status, lines) == (
        0,
        [
            f"✔ alerts.chats ops: message {in_group['message_id']} in Nexus operations"
            f" (supergroup {GROUP_ID}), topic 2",
            f"✔ alerts.chats lead: message {in_private['message_id']} in Olivia Operator (private {OPERATOR_ID})",
        ],
    )
    assert in_group["message_thread_id"] == 2
    assert in_group["text"].startswith("🧪 nexus: a test\nNothing is wrong.")


@pytest.mark.parametrize(
    ("fault", "chat", "lines"),
    [
        (
            Fault(kind=FaultKind.CHAT_NOT_FOUND),
            str(GROUP_ID),
            [
                "✘ ALERT_CHAT_ID: Bad Request: chat not found",
                f"    change: check ALERT_CHAT_ID: add @{USERNAME} to the group, or write /start to it first;"
                " it says the id",
            ],
        ),
        (
            Fault(kind=FaultKind.KICKED),
            str(GROUP_ID),
            [
                "✘ ALERT_CHAT_ID: Forbidden: bot was kicked from the supergroup chat",
                f"    change: add @{USERNAME} to the chat again",
            ],
        ),
        (
            Fault(kind=FaultKind.BLOCKED),
            str(OPERATOR_ID),
            [
                "✘ ALERT_CHAT_ID: Forbidden: bot was blocked by the user",
                f"    change: unblock @{USERNAME} in that account, or take another chat",
            ],
        ),
        (
            Fault(kind=FaultKind.NO_RIGHTS),
            str(GROUP_ID),
            [
                "✘ ALERT_CHAT_ID: Bad Request: not enough rights to send text messages to the chat",
                f"    change: let @{USERNAME} write in the chat: its permissions",
            ],
        ),
        (
            Fault(kind=FaultKind.UNAUTHORIZED),
            str(GROUP_ID),
            [
                "✘ ALERT_BOT_TOKEN: Unauthorized",
                "    change: ask BotFather for the bot's token: this one was revoked or mistyped",
            ],
        ),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Fault) else None,
)
async def test_it_says_the_cause_and_what_to_change(
    server: tuple[BotApi, str], fault: Fault, chat: str, lines: list[str]
) -> None:
    api, url = server
    api.faults.add(fault)
    status, seen = await run(given(url, ALERT_CHAT_ID=chat))
    assert (status, [line.replace("Telegram server says - ", "") for line in seen]) == (1, lines)


async def test_a_lost_topic_is_told_with_where_the_message_is(server: tuple[BotApi, str]) -> None:
    api, url = server
    api.faults.add(Fault(kind=FaultKind.THREAD_NOT_FOUND))
    status, lines = await run(given(url, ALERT_CHAT_ID=f"{GROUP_ID}/2"))
    [shown] = messages_in(api, GROUP_ID)
    assert (status, lines) == (
        1,
        [
            f"▲ ALERT_CHAT_ID: message {shown['message_id']} in Nexus operations (supergroup {GROUP_ID});"
            " sent outside its topic",
            "    change: set the id of a topic that is there and open, or none; /start in the topic says its id",
        ],
    )


async def test_a_group_that_moved_is_told_with_its_new_id(server: tuple[BotApi, str]) -> None:
    api, url = server
    room = api.world.room_of(str(GROUP_ID), USERNAME)
    assert room is not None
    moved = api.world.migrate(room).id
    status, lines = await run(given(url, ALERT_CHAT_ID=str(GROUP_ID)))
    assert status == 1
    assert lines[0].startswith("▲ ALERT_CHAT_ID: message ")
    assert lines[1] == f"    change: set the chat id to {moved}"


async def test_telegram_that_cannot_be_reached_is_no_traceback() -> None:
    status, lines = await run(given(f"http://127.0.0.1:{free_port()}", ALERT_CHAT_ID=str(GROUP_ID)))
    assert status == 1
    assert lines[0].startswith("✘ ALERT_BOT_TOKEN: ")
    assert lines[1] == "    change: is TELEGRAM_API_URL reachable from here, through any firewall? then try again"
    assert ALERT_TOKEN not in json.dumps(lines)


@pytest.mark.parametrize(
    ("environ", "text", "lines"),
    [
        (
            {},
            "",
            ["✘ nobody is told", "    change: set ALERT_BOT_TOKEN and ALERT_CHAT_ID, or MONITOR_FALLBACK_URLS"],
        ),
        (
            {"ALERT_CHAT_ID": "5"},
            "",
            [
                "✘ ALERT_CHAT_ID: there is no bot",
                "    change: set ALERT_BOT_TOKEN to the token of BotFather",
            ],
        ),
        (
            {"ALERT_BOT_TOKEN": ALERT_TOKEN},
            "",
            [
                "✘ ALERT_BOT_TOKEN: there is a bot, and no chat",
                "    change: set ALERT_CHAT_ID, or alerts.chats in monitor.yaml;"
                " /start to the bot in a chat says its id",
            ],
        ),
    ],
    ids=["nothing", "no bot", "no chat"],
)
async def test_what_is_missing_is_named(environ: dict[str, str], text: str, lines: list[str]) -> None:
    assert await run(environ, text) == (1, lines)


async def test_the_fallback_is_tried_address_by_address() -> None:
    port = free_port()
    status, lines = await run({"MONITOR_FALLBACK_URLS": f"json://127.0.0.1:{port}/?rto=1&cto=1"})
    assert (status, lines) == (
        1,
        [
            "✘ MONITOR_FALLBACK_URLS 1 (json): the service refused it",
            "    change: check the address, its password and its rights",
        ],
    )


@pytest.mark.parametrize(
    ("cause", "begins"),
    [
        ("Forbidden: bot can't initiate conversation with a user", "write /start to @bot"),
        ("Not Found", "ask BotFather"),
        ("target 'x': must be <chat id> or <chat id>/<thread id>", "check ALERT_CHAT_ID"),
        ("Too Many Requests: retry after 5", "wait as long as it says"),
        ("Bad Gateway", "is TELEGRAM_API_URL reachable"),
    ],
)
def test_each_refusal_has_its_advice(cause: str, begins: str) -> None:
    assert advice(cause, "@bot", "ALERT_CHAT_ID").startswith(begins)
