"""Minted init data is what the demo's API takes from Telegram, and its forgeries are what it refuses."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from checks.miniapp.init_data import PROBE_USER_ID, Forgery, hashed_key, init_data
from demo.nexus.api.init_data import LoginRefusedError, check_login

TOKEN = "700000001:AAdemo-token-of-the-nexus-bot-0000000"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_minted_login_is_genuine() -> None:
    login = check_login(init_data(hashed_key(TOKEN), NOW), TOKEN, NOW)

    assert (login.telegram_id, login.first_name, login.signed_at) == (PROBE_USER_ID, "Nexus probe", NOW)


def test_the_key_is_not_the_token() -> None:
    assert len(hashed_key(TOKEN)) == 64
    assert TOKEN.split(":")[1] not in hashed_key(TOKEN)


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        (Forgery.TAMPERED, "signature does not match"),
        (Forgery.OLD, "signed more than a day ago"),
        (Forgery.FUTURE, "signed in the future"),
        (Forgery.UNSIGNED, "not signed"),
        (Forgery.MISSING, "not signed"),
    ],
)
def test_each_forgery_is_refused_for_its_own_reason(forgery: Forgery, why: str) -> None:
    with pytest.raises(LoginRefusedError, match=why):
        check_login(init_data(hashed_key(TOKEN), NOW, forgery=forgery), TOKEN, NOW)


def test_spaces_are_written_so_that_every_reader_takes_them() -> None:
    text = init_data(hashed_key(TOKEN), NOW)

    assert "+" not in text
    assert dict(parse_qsl(text))["user"].startswith('{"id":999000001,"first_name":"Nexus probe"')
