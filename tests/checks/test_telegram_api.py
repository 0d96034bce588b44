"""The Bot API is asked read-only questions, and nothing else."""

import pytest
from aiohttp import web
from pydantic import SecretStr

from checks.result import Fact
from checks.telegram_api import Answer, ask
from tests.fakes import io_for

TOKEN = "123456789:AAF" + "x" * 32


@pytest.mark.parametrize("method", ["getUpdates", "setWebhook", "deleteWebhook", "sendMessage"])
async def test_other_methods_are_refused_before_anything_is_sent(method: str) -> None:
    with pytest.raises(ValueError, match=f"Bot API method {method} is not allowed"):
        await ask(io_for(), SecretStr(TOKEN), method)  # type: ignore[arg-type]


@pytest.mark.real
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"ok": true, "result": {"id": 7}}', (True, {"id": 7}, "", None)),
        (401, '{"ok": false, "error_code": 401, "description": "Unauthorized"}', (False, None, "Unauthorized", None)),
        (
            429,
            '{"ok": false, "description": "Too Many Requests", "parameters": {"retry_after": 5}}',
            (False, None, "Too Many Requests", 5.0),
        ),
        (502, "<html>Bad Gateway</html>", (False, None, "", None)),
        (200, "[]", (False, None, "", None)),
    ],
)
async def test_an_answer_is_read(serve, status: int, body: str, expected: tuple[object, ...]) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("GET", f"/bot{TOKEN}/getMe")
        return web.Response(status=status, text=body)

    answer = await ask(io_for(), SecretStr(TOKEN), "getMe", api_base_url=await serve(handler))

    assert answer.status == status
    assert (answer.is_ok, answer.result, answer.description, answer.retry_after_seconds) == expected


def test_facts_hold_telegrams_words() -> None:
    answer = Answer(429, False, None, "Too Many Requests", 5.0, 0.02)

    assert answer.facts() == (
        Fact("telegram status", 429),
        Fact("latency", 0.02, "s"),
        Fact("telegram says", "Too Many Requests"),
        Fact("retry after", 5.0, "s"),
    )
