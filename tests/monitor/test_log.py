"""No secret reaches a log line, whichever logger it was given to and wherever it stood."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from monitor.log import configure_logging

TOKEN = "7000000001:" + "AAFakeTokenOfTheTests_0123456789abcdefg"[:35]

Say = Callable[[], None]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def open_url() -> None:
    raise ValueError(f"cannot open https://api.telegram.org/bot{TOKEN}/getMe")


def look() -> None:
    try:
        open_url()
    except ValueError as error:
        raise RuntimeError("look failed") from error


def say_exception(log: Callable[..., None]) -> None:
    try:
        look()
    except RuntimeError:
        log("look.crashed")


STANDARD = logging.getLogger("some.library")
OWN = structlog.get_logger("monitor.test")

CASES: dict[str, Say] = {
    "standard message": lambda: STANDARD.warning(f"GET https://api.telegram.org/bot{TOKEN}/getMe"),
    "standard args": lambda: STANDARD.warning("GET %s", f"/bot{TOKEN}/getMe"),
    "standard object in args": lambda: STANDARD.warning("sent %s", {"path": [f"/bot{TOKEN}"]}),
    "standard exception": lambda: say_exception(STANDARD.exception),
    "httpx": lambda: logging.getLogger("httpx").warning("HTTP Request: GET /bot%s/getMe", TOKEN),
    "structlog event": lambda: OWN.warning(f"bot{TOKEN}"),
    "structlog key": lambda: OWN.warning("sent", url=f"https://api.telegram.org/bot{TOKEN}/sendMessage"),
    "structlog nested": lambda: OWN.warning("sent", call={"urls": [f"bot{TOKEN}"]}),
    "structlog object": lambda: OWN.warning("sent", error=ValueError(f"bot{TOKEN}")),
    "structlog exception": lambda: say_exception(OWN.exception),
    "structlog args": lambda: OWN.warning("sent %s", TOKEN),
}


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
@pytest.mark.parametrize("case", CASES)
def test_a_bot_token_comes_out_as_stars(case: str, as_json: bool) -> None:
    written = io.StringIO()
    configure_logging("DEBUG", json=as_json, stream=written)
    CASES[case]()
    assert TOKEN not in written.getvalue()
    assert "AAFakeToken" not in written.getvalue()
    assert "***" in written.getvalue()


def test_a_key_that_names_a_secret_is_masked_whole() -> None:
    written = io.StringIO()
    configure_logging("INFO", json=True, stream=written)
    OWN.info("login", password="hunter two", api_key=["a", "b"], token=None, tries=3)
    line = json.loads(written.getvalue())
    assert (line["password"], line["api_key"], line["token"], line["tries"]) == ("***", "***", None, 3)


def test_a_json_line_holds_event_level_logger_and_time() -> None:
    written = io.StringIO()
    configure_logging("INFO", json=True, stream=written)
    OWN.info("check.state_changed", check="api.health", state="down")
    line = json.loads(written.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "check.state_changed",
        "level": "info",
        "logger": "monitor.test",
        "check": "api.health",
        "state": "down",
    }


@pytest.mark.parametrize("name", ["httpx", "httpcore", "aiogram.event", "uvicorn.access"])
def test_noisy_loggers_say_nothing_at_info(name: str) -> None:
    written = io.StringIO()
    configure_logging("DEBUG", stream=written)
    logging.getLogger(name).info("GET /something")
    assert written.getvalue() == ""


def test_a_level_below_is_not_written() -> None:
    written = io.StringIO()
    configure_logging("warning", stream=written)
    OWN.info("small.talk")
    assert written.getvalue() == ""


def test_an_unknown_level_is_named() -> None:
    with pytest.raises(ValueError, match=r"^log level: 'LOUD' is none of DEBUG"):
        configure_logging("LOUD")


def test_a_record_that_cannot_be_written_is_lost_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", stream=io.StringIO())
    STANDARD.warning("%d", f"bot{TOKEN}")
    said = capsys.readouterr().err
    assert said.startswith("log line lost: TypeError at ")
    assert said.count("\n") == 1
    assert "AAFakeToken" not in said
