"""Secrets are masked in every form they come in, ordinary text stays, and hostile text costs little."""

import ast
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checks
from checks.redaction import redact, redact_url
from checks.result import EXCERPT_CHARACTERS, Evidence, Fact, Outcome, Reason, Verdict
from checks.wording import shortened
from tests.fakes import answered

TOKEN = "123456789:AAF" + "x" * 32
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
HASH = "0123456789abcdef" * 4

MASKED = {
    "DB_PASSWORD=hunter2": "DB_PASSWORD=***",
    "BOT_TOKEN=xyz": "BOT_TOKEN=***",
    f"asked with rnd_{'aB3' * 9}": "asked with ***",
    f"signed by whsec_{'aB3/' * 8}": "signed by ***",
    "PGPASSWORD=hunter2 psql": "PGPASSWORD=*** psql",
    "SMTP_PASS=hunter2": "SMTP_PASS=***",
    "access_token=abc": "access_token=***",
    "client_secret: x": "client_secret: ***",
    "SECRET_KEY=abc": "SECRET_KEY=***",
    "X-Api-Key: abc": "X-Api-Key: ***",
    "token_1=abc": "token_1=***",
    '{"accessToken":"abc","a":1}': '{"accessToken":"***","a":1}',
    "{'password': 'hunter2', 'a': 1}": "{'password': '***', 'a': 1}",
    '{"password": "a b c", "a": 1}': '{"password": "***", "a": 1}',
    r'{"password": "a\"b", "a": 1}': '{"password": "***", "a": 1}',
    r"{\"password\": \"a b\", \"a\": 1}": r"{\"password\": \"***\", \"a\": 1}",
    '{"token": ["abc", "def"], "a": 1}': '{"token": ***, "a": 1}',
    '{"secret": {"k": "abc"}, "a": 1}': '{"secret": ***, "a": 1}',
    '{"password": "a b c': '{"password": "***',
    "Cookie: a=b; session=xyz\nHost: h": "Cookie: ***\nHost: h",
    "Set-Cookie: session=xyz; HttpOnly": "Set-Cookie: ***",
    'Cookie: "a"; session=xyz': "Cookie: ***",
    "Authorization: Digest username=x, response=y": "Authorization: ***",
    "{'cookie': 'a=b; c=d', 'host': 'h'}": "{'cookie': '***', 'host': 'h'}",
    "X-Telegram-Bot-Api-Secret-Token: abc": "X-Telegram-Bot-Api-Secret-Token: ***",
    "token: Bearer abc": "token: ***",
    "postgresql://u:pa/ss@h/db": "postgresql://u:***@h/db",
    "postgres://u:p@ss@h": "postgres://u:***@h",
    "postgres://u:p'w<d@h": "postgres://u:***@h",
    "redis://:pw@h:6379/0": "redis://:***@h:6379/0",
    "https://u:pw@h/x": "https://u:***@h/x",
    "https://h/?next=https://u:pw@i": "https://h/?next=https://u:***@i",
    "https://h/x?token=abc&x=1": "https://h/x?token=***&x=1",
    "https://h/x?sig=abc&x=1": "https://h/x?sig=***&x=1",
    "https://h/x?token%3Dabc": "https://h/x?token%3D***",
    f"hash={HASH}&auth_date=1": "hash=***&auth_date=1",
    "auth_date=1&hash=abc": "auth_date=1&hash=***",
    "initData=query_id": "initData=***",
    "sent Bearer abc on": "sent Bearer *** on",
    "sent Basic dXNlcjpwYXNz on": "sent Basic *** on",
    f"got {JWT} back": "got *** back",
    f"https://api.telegram.org/bot{TOKEN}/getMe": "https://api.telegram.org/bot***/getMe",
    f"bot{TOKEN.replace(':', '%3A')}/getMe": "bot***/getMe",
    f"x_{TOKEN}": "x_***",
}

KEPT = [
    "token expired",
    "the secret token differs between setWebhook and the process",
    "hash: index-CMOswm3h.js",
    "hash=CMOswm3h",
    "signature: none",
    "password authentication failed for user nexus",
    "Bearer token is missing",
    "Basic authentication required",
    "a basic mistake",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    f"sha256:{HASH}",
    "550e8400-e29b-41d4-a716-446655440000",
    "GET /health 503 in 41 ms: db is down",
    "https://h:8080/react@18/umd.js",
    "ws://h:8080/a@b",
    "https://h/a:b@c",
    "https://h/?mail=a:b@c",
    "ssh://git@h/repo",
    "redis://h:6379/0",
    "https://h/x?page=2&sort=name",
    "max_tokens=512 status=ok pool_size=5",
    "[Errno 111] Connect call failed ('127.0.0.1', 6379)",
    "2026-03-01T12:00:00+00:00",
    "***",
    "",
]


@pytest.mark.parametrize(("text", "clean"), MASKED.items())
def test_a_secret_is_masked_and_the_rest_stays(text: str, clean: str) -> None:
    assert redact(text) == clean
    assert redact(clean) == clean


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_the_words_of_the_checks_themselves_stay_as_they_are() -> None:
    for path in Path(checks.__file__).parent.rglob("*.py"):
        if path.name in {
            "redaction.py",
            "environment_rules.py",
            "stand_in.py",
        }:  # patterns and a script: told to nobody
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                assert redact(node.value) == node.value, path


PIECES = st.sampled_from([
    "token", "password", "Cookie", "hash", "secret_key", "bearer ", "basic ", "tma ", "eyJ", "abcdefgh", "x", "7" * 8,
    "A" * 32, "***", "*", "http", "://", "@", ":", "=", "%3D", "/", "?", "&", "#", ",", ";", '"', "'", "\\", "[", "]",
    "{", "}", " ", "\t", "\n", ".", "-", "_",
])  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
def test_a_second_pass_changes_nothing(text: str) -> None:
    clean = redact(text)
    assert redact(clean) == clean


HOSTILE = [
    "a", ":", '"', "/", "'", "\\", "7", " ", "*", "://", "://a:", "://a:b@", "eyJ", "eyJaaaaaa.", "token", "token=",
    "token ", 'token="', "token=\\'", "token=[", "password={", "cookie", "cookie:\n", "bearer ", "basic a", "hash=",
    "&hash=", "123456:", "123456:" + "a" * 29 + ".", "token=,", "://token:,", '="', "http://a:1/",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("start", ["", "://a:b", 'token="'], ids=["bare", "in a url", "in a value"])
def test_a_hostile_text_costs_no_more_than_a_long_one(start: str, piece: str) -> None:
    text = start + piece * (100_000 // len(piece))
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 2.0


SECRETS = {
    f"/bot{TOKEN}/getMe": TOKEN[:16],
    "postgresql://nexus:hunter2hunter2@db/nexus": "hunter2",
    f"got {JWT} back": "bGciOi",
    '"password": "hunter2 hunter2", ': "hunt",
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
def test_a_secret_across_a_cut_is_masked_at_every_offset(text: str, secret: str) -> None:
    start = secret[:4]
    for offset in range(EXCERPT_CHARACTERS - len(text) - 1, EXCERPT_CHARACTERS + 1):
        body = "." * (offset - 1) + " " + text + " ."
        assert start not in (answered(body=body).excerpt or "")
        assert start not in (Evidence(excerpt=body).excerpt or "")
    for offset in range(1, 121):
        assert start not in shortened("." * (offset - 1) + " " + text, 120)


def test_evidence_and_verdict_keep_no_secret_in_any_text() -> None:
    verdict = Verdict(
        Outcome.FAILED, TOKEN, Reason.TIMEOUT, TOKEN, Evidence((Fact(TOKEN, TOKEN), Fact(TOKEN, 1)), TOKEN)
    )
    assert TOKEN not in repr(verdict)
    assert verdict.evidence.facts[1] == Fact("***", 1)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:pw@h/x?token=abc#y", "https://u:***@h/x"),
        ("https://h/x?a=1#b?c", "https://h/x"),
        ("postgres://u:p#w?d@h/db", "postgres://u:***@h/db"),
    ],
)
def test_a_shown_url_has_no_password_query_or_fragment(url: str, shown: str) -> None:
    assert redact_url(url) == shown
