"""`${NAME}` in the settings of a check: filled in, hidden, and its mistakes in one line."""

import pytest

from monitor.config.checklist import build_checklist
from monitor.config.environment import with_environment
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.errors import UsageError

ENVIRON = {"SHOP_TOKEN": "hushhush-token-word", "EMPTY": ""}


def config_of(text: str) -> object:
    stack, lines = with_environment(stack_of(f"checks: {{shop.a: {text}}}", "monitor.yaml"), ENVIRON.get)
    if lines:
        raise UsageError(*(f"monitor.yaml: {line}" for line in lines))
    return build_checklist(settings_from({}), stack).checks["shop.a"].config


def test_a_variable_stands_in_addresses_headers_and_bodies_and_is_hidden() -> None:
    config = config_of(
        "{kind: http, url: 'https://x.example/${SHOP_TOKEN}/y', method: POST, body: '${SHOP_TOKEN}',"
        " headers: {X-Key: 'key ${SHOP_TOKEN}', X-Plain: plain}}"
    )
    assert config.url.get_secret_value() == "https://x.example/hushhush-token-word/y"  # type: ignore[attr-defined]
    assert config.headers["X-Key"].get_secret_value() == "key hushhush-token-word"  # type: ignore[attr-defined]
    assert config.body.get_secret_value() == "hushhush-token-word"  # type: ignore[attr-defined]
    assert "hushhush" not in repr(config)


def test_an_address_without_a_variable_is_shown() -> None:
    assert config_of("{kind: http, url: 'https://x.example/y'}").url == "https://x.example/y"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{kind: http, url: 'https://${SHOP_TOKN}'}", "url: the environment variable SHOP_TOKN is not set"),
        ("{kind: http, url: 'https://${EMPTY}'}", "url: the environment variable EMPTY is not set"),
        (
            "{kind: http, url: 'https://x', text_present: [a, '${SHOP_TOKEN}']}",
            "text_present.1: must be a valid string",
        ),
        ("{kind: push, token: hushhush, period_seconds: 60}", "token: must have at least 16 characters"),
        ("{kind: tcp, host: '${SHOP_TOKEN}', port: 1}", "host: must be a valid string"),
        ("{kind: http, url: '${SHOP_TOKEN}'}", "url: must be a URL that starts with http:// or https://"),
    ],
)
def test_every_mistake_has_its_line_and_shows_no_value(text: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        config_of(text)
    assert caught.value.lines[0] == f"monitor.yaml: checks.shop.a.{line}"
    assert "hushhush" not in str(caught.value)
