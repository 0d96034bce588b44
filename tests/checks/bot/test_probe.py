"""How the monitor speaks with the helper's probe: what is signed, what is sent, what is read."""

import hashlib
import hmac
import json

from pydantic import SecretStr

from checks.bot.probe import PROBE_ID, Reply, Report, command_update, readiness, report_of, signed_headers
from tests.fakes import NOW, answered


def test_time_and_body_are_signed_with_the_webhooks_secret() -> None:
    headers = signed_headers(SecretStr("hush"), b"{}", NOW, 7.0)

    said = f"v1 {int(NOW.timestamp())} 7.000"
    signature = hmac.new(b"hush", said.encode() + b"\n{}", hashlib.sha256).hexdigest()
    assert headers == {
        "content-type": "application/json",
        "X-Telegram-Bot-Api-Secret-Token": "hush",
        "X-Nexus-Probe": f"{said} {signature}",
    }


def test_a_command_comes_from_a_person_that_does_not_exist() -> None:
    update = json.loads(command_update("/stats now", NOW))

    message = update["message"]
    assert update["update_id"] == 1
    assert (message["text"], message["date"]) == ("/stats now", int(NOW.timestamp()))
    assert (message["from"]["id"], message["from"]["is_bot"]) == (PROBE_ID, False)
    assert (message["chat"]["id"], message["chat"]["type"]) == (PROBE_ID, "private")
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


def test_a_report_is_read_and_anything_else_is_none() -> None:
    body = {
        "nexus_probe": 1,
        "done": True,
        "handled": True,
        "error": None,
        "lost": False,
        "calls": [
            {"method": "sendMessage", "text": "hello", "to_probe": True},
            {"method": "sendMessage", "text": "psst", "to_probe": False},
            {"method": "sendChatAction", "text": "", "to_probe": True},
        ],
    }
    report = report_of(answered(200, json.dumps(body)))

    hello = Reply("sendMessage", "hello", True)
    others = (Reply("sendMessage", "psst", False), Reply("sendChatAction", "", True))
    assert report == Report(True, True, "", False, (hello, *others))
    assert report.replies == (hello,)
    for other in ("{}", "[]", "ok", '{"calls": []}'):
        assert report_of(answered(200, other)) is None


def test_readiness_tells_no_probe_from_one_that_will_not_work() -> None:
    assert readiness(answered(200, '{"nexus_probe": 1, "ready": true, "why": ""}')) == ""
    assert readiness(answered(200, '{"nexus_probe": 1, "ready": false, "why": "clock"}')) == "clock"
    assert readiness(answered(200, "{}")) is None
