"""The routes for people and tests, the Mini App launch, the page, the command line."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from aiogram.types import MenuButtonWebApp, WebAppInfo
from aiogram.utils.web_app import safe_parse_webapp_init_data

from demo.botapi.__main__ import main
from demo.botapi.config import ALERT_TOKEN, GROUP_ID, NEXUS_TOKEN, OPERATOR_ID

real = pytest.mark.real


@real
async def test_the_call_log_tells_time_bot_method_and_parameters_but_no_secret(running, receiver):
    url = f"{receiver.url}/{NEXUS_TOKEN}"
    await running.nexus.set_webhook(url, secret_token="s3cret", allowed_updates=["message"])
    await running.alerts.send_message(OPERATOR_ID, f"my token is {ALERT_TOKEN}")
    (call,) = await running.calls(bot="nexus_demo_bot", method="setWebhook")
    assert call["parameters"]["allowed_updates"] == ["message"]
    assert (call["ok"], call["result"], call["via"]) == (True, True, "http")
    everything = json.dumps(await running.calls())
    assert "s3cret" not in everything
    assert NEXUS_TOKEN not in everything
    assert ALERT_TOKEN not in everything
    assert await running.calls(since=(await running.calls())[-1]["time"]) == []


@real
async def test_bots_see_in_a_group_what_telegram_would_show_them(running):
    await running.say("hello all", chat_id=GROUP_ID, bot=None, topic_id=2)
    (update,) = await running.nexus.get_updates()
    assert (update.message.text, update.message.message_thread_id) == ("hello all", 2)
    await running.alerts.send_message(GROUP_ID, "/ping@nexus_demo_bot")
    assert len(await running.nexus.get_updates()) == 1, "bots do not see bots unless one of them may"


@real
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"chat_id": 5, "bot": "nexus_demo_bot", "text": "x"}, "no chat 5"),
        ({"chat_id": OPERATOR_ID, "text": "x"}, "a private chat needs the bot's username too"),
        ({"chat_id": GROUP_ID, "text": "x", "person": 9}, "no person 9"),
        ({"chat_id": GROUP_ID, "text": "x", "reply_to": 99}, "no message 99"),
        ({"chat_id": GROUP_ID, "text": "x", "topic_id": 99}, "no topic 99"),
        ({"chat_id": GROUP_ID, "text": " "}, "text must be non-empty"),
    ],
)
async def test_what_nobody_can_say_is_refused_by_name(running, body, words):
    answer = await running.http.post("/_/say", json=body)
    assert answer.status_code in (400, 404)
    assert words in answer.json()["detail"]


@real
async def test_events_tell_messages_and_answers_as_they_happen(running):
    async with running.http.stream("GET", "/_/events") as stream, asyncio.timeout(5):
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        await running.alerts.send_message(OPERATOR_ID, "one", disable_notification=True)
        async for line in lines:
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                break
    assert (event["kind"], event["message"]["text"], event["message"]["silent"]) == ("message", "one", True)


@real
async def test_a_mini_app_is_opened_with_signed_init_data(running):
    url = "http://127.0.0.1:9/app"
    await running.nexus.set_chat_menu_button(menu_button=MenuButtonWebApp(text="App", web_app=WebAppInfo(url=url)))
    asked = {"bot": "nexus_demo_bot", "person": OPERATOR_ID, "url": url}
    answer = await running.http.get("/_/launch", params=asked)
    target = urlsplit(answer.headers["location"])
    fragment = parse_qs(target.fragment)
    assert target._replace(fragment="").geturl() == url
    data = safe_parse_webapp_init_data(NEXUS_TOKEN, fragment["tgWebAppData"][0])
    assert (data.user.id, data.user.first_name) == (OPERATOR_ID, "Olivia")
    assert fragment["tgWebAppVersion"]
    assert json.loads(fragment["tgWebAppThemeParams"][0])["bg_color"] == "#ffffff"


@real
async def test_init_data_goes_to_no_address_the_bot_did_not_publish(running):
    asked = {"bot": "nexus_demo_bot", "person": OPERATOR_ID, "url": "http://127.0.0.1:9/other"}
    assert (await running.http.get("/_/launch", params=asked)).status_code == 404


@real
async def test_the_page_and_its_files_need_nothing_from_elsewhere(running):
    page = await running.http.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.text
    for name in ("layout.css", "chat.css", "page.js", "rooms.js", "bubbles.js", "text.js", "icon.svg"):
        assert (await running.http.get(f"/static/{name}")).status_code == 200
    assert (await running.http.get("/_/health")).json()["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--state", "/nowhere.json"], "--state /nowhere.json: No such file or directory"),
        (["--state", "{"], "--state: not JSON at line 1 column 2"),
        (["--state", '{"bots": [], "pepole": []}'], "--state: pepole: Extra inputs are not permitted"),
        (
            ["--state", '{"bots": [{"token": "12:x", "username": "a_bot", "name": "A"}]}'],
            "--state: bots.0.token: String",
        ),
        (["--state", '{"groups": [{"id": -1, "title": "G", "bots": ["gone_bot"]}]}'], "unknown bot 'gone_bot'"),
        (["--port", "99999"], "--port 99999: must be between 0 and 65535"),
        (["--speed", "0"], "--speed 0.0: must be above 0"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_line_and_exit_code_2(capsys, arguments, words):
    assert main(arguments) == 2
    written = capsys.readouterr().err
    assert words in written
    assert written.count("\n") == 1
