"""Real servers for Nexus's own tests, started once, and a Mini App login signed like Telegram's."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlencode

import pytest

from demo.servers import PostgresServer, ValkeyServer

TOKEN = "700000001:AAdemo-token-of-the-nexus-bot-0000000"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def sign() -> Callable[..., str]:
    """Return a function that makes initData as Telegram does, for any moment and person."""

    def signed(at: datetime, user: object = None, token: str = TOKEN, **more: str) -> str:
        person = {"id": 999000001, "first_name": "Ada"} if user is None else user
        fields = {"auth_date": str(int(at.timestamp())), "user": json.dumps(person), "signature": "abc", **more}
        text = "\n".join(f"{key}={value}" for key, value in sorted(fields.items()))
        secret = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
        fields["hash"] = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
        return urlencode(fields)

    return signed
