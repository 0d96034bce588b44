"""The clients of Render's API: one for each key; what they are answered is written down on request."""

import json
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor.errors import UsageError
from monitor.probing.render import Recorder, RenderClients

URL = "https://api.render.example/v1"


def test_who_asks_with_the_same_key_shares_a_client() -> None:
    clients = RenderClients(time.monotonic)
    first = clients(URL, SecretStr("one"))
    assert clients(URL, SecretStr("one")) is first
    assert clients(URL, SecretStr("two")) is not first
    assert clients("https://other.example/v1", SecretStr("one")) is not first


def test_each_answer_is_a_file_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "answers" / "today"
    record = Recorder(folder)
    record("GET", "/services?name=nexus-api&token=hush", 200, [{"service": {"name": "nexus-api"}}])
    record("GET", "/services/srv-abc/deploys", 404, None)

    assert sorted(path.name for path in folder.iterdir()) == [
        "001-get-services.json",
        "002-get-services-srv-abc-deploys.json",
    ]
    written = json.loads((folder / "001-get-services.json").read_text(encoding="utf-8"))
    assert written == {
        "method": "GET",
        "question": "/services?name=nexus-api&token=***",
        "status": 200,
        "body": [{"service": {"name": "nexus-api"}}],
    }


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^--record .*/file/answers: Not a directory$"):
        Recorder(tmp_path / "file" / "answers")
