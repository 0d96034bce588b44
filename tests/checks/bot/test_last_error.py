"""Each `last_error_message` that Telegram is known to give has its cause."""

import pytest

from checks.bot.last_error import UNKNOWN, cause_of, cause_of_status


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ("Wrong response from the webhook: 307 Temporary Redirect", "the webhook redirects"),
        ("Wrong response from the webhook: 401 Unauthorized", "the bot refuses the call"),
        ("Wrong response from the webhook: 403 Forbidden", "the bot refuses the call"),
        ("Wrong response from the webhook: 404 Not Found", "no such path at the bot"),
        ("Wrong response from the webhook: 405 Method Not Allowed", "the path takes no POST"),
        ("Wrong response from the webhook: 410 Gone", "somebody answers Gone"),
        ("Wrong response from the webhook: 422 Unprocessable Entity", "the bot refuses the update's form"),
        ("Wrong response from the webhook: 429 Too Many Requests", "a rate limit before the webhook"),
        ("Wrong response from the webhook: 500 Internal Server Error", "the handler raises"),
        ("Wrong response from the webhook: 502 Bad Gateway", "the bot's service is not up"),
        ("Wrong response from the webhook: 418 I'm a teapot", "the webhook answers 418"),
        ("Read timeout expired", "the bot does not answer within 60 s"),
        ("Write timeout expired", "the bot does not read the call"),
        ("Connection refused", "Telegram cannot connect to the bot"),
        ("Connection timed out", "Telegram cannot connect to the bot"),
        ("Connection reset by peer", "Telegram cannot connect to the bot"),
        ("Can't connect to the webhook", "Telegram cannot connect to the bot"),
        (
            "SSL error {error:0A000086:SSL routines::certificate verify failed}",
            "the certificate is not accepted",
        ),
        ("SSL error {unknown state}", "no TLS at that port"),
        ("bad webhook: Failed to resolve host: Name or service not known", "the webhook's host does not resolve"),
        ("bad webhook: IP address 10.0.0.1 is reserved", "the webhook's address is private"),
        ("bad webhook: IPv6-only addresses are not allowed", "the webhook's host has no IPv4 address"),
        ("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443", "the webhook's port is not allowed"),
        ("bad webhook: An HTTPS URL must be provided for webhook", "the webhook is not https"),
        ("something new", UNKNOWN.what),
    ],
)
def test_a_message_has_a_cause_and_a_hint(message: str, what: str) -> None:
    cause = cause_of(message)

    assert cause.what == what
    assert cause.hint


def test_an_unknown_status_is_named() -> None:
    assert cause_of_status(599).what == "the webhook answers 599"
