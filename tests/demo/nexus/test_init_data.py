"""Which Mini App logins are accepted: the table of genuine, old, future and forged ones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from demo.nexus.api.init_data import Login, LoginRefusedError, check_login

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Sign = Callable[..., str]


@pytest.mark.parametrize(
    "more",
    [{}, {"start_param": ""}, {"query_id": "AA&b=c ü"}],
    ids=["plain", "a blank field is signed too", "odd characters"],
)
def test_a_genuine_login_is_accepted(sign: Sign, token: str, more: dict[str, str]) -> None:
    at = NOW - timedelta(hours=23)
    assert check_login(sign(at, **more), token, NOW) == Login(999000001, "Ada", at)


def test_a_clock_slightly_ahead_is_forgiven(sign: Sign, token: str) -> None:
    at = NOW + timedelta(seconds=20)
    assert check_login(sign(at), token, NOW).signed_at == at


def test_unknown_fields_of_the_person_do_not_matter(sign: Sign, token: str) -> None:
    user = {"id": 5, "first_name": "Bo", "a_field_of_next_year": [1]}
    assert check_login(sign(NOW, user), token, NOW).first_name == "Bo"


def _tampered(text: str) -> str:
    return text.replace("Ada", "Eve")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda sign: sign(NOW - timedelta(days=1, seconds=1)), "signed more than a day ago"),
        (lambda sign: sign(NOW - timedelta(days=3)), "signed more than a day ago"),
        (lambda sign: sign(NOW + timedelta(hours=1)), "signed in the future"),
        (lambda sign: _tampered(sign(NOW)), "signature does not match"),
        (lambda sign: sign(NOW, token="1:another-bot"), "signature does not match"),
        (lambda sign: sign(NOW).partition("&hash=")[0], "not signed"),
        (lambda sign: sign(NOW) + "&hash=0", "a field is given twice"),
        (lambda sign: sign(NOW) + "&user=%7B%22id%22%3A1%7D", "a field is given twice"),
        (lambda _: "", "not signed"),
        (lambda _: "garbage", "not readable"),
        (lambda _: "hash=ü", "signature does not match"),
        (lambda _: "hash=%ff", "not readable"),
        (lambda _: "a=b&" * 3000, "too long"),
        (lambda _: "&".join(f"a{n}=b" for n in range(40)), "not readable"),
        (lambda sign: sign(NOW, auth_date="soon"), "no date"),
        (lambda sign: sign(NOW, auth_date="9" * 30), "no date"),
        (lambda sign: sign(NOW, user={"id": "1"}), "no user"),
        (lambda sign: sign(NOW, user={"id": True}), "no user"),
        (lambda sign: sign(NOW, user=[1]), "no user"),
    ],
    ids=[
        "a day and a second old",
        "three days old",
        "from the future",
        "tampered",
        "signed for another bot",
        "unsigned",
        "hash given twice",
        "user given twice",
        "empty",
        "garbage",
        "hash of other letters",
        "bytes that are no text",
        "very long",
        "very many fields",
        "date is a word",
        "date beyond all calendars",
        "id is text",
        "id is a truth value",
        "user is a list",
    ],
)
def test_a_login_that_telegram_did_not_sign_today_is_refused(
    sign: Sign, token: str, make: Callable[[Sign], str], reason: str
) -> None:
    with pytest.raises(LoginRefusedError, match=f"^{reason}$"):
        check_login(make(sign), token, NOW)
