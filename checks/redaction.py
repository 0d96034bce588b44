"""Takes secrets out of text before it becomes evidence, a log line, a page or a message.

Text is redacted first and cut afterwards: half a secret is not recognised. Every pattern either consumes what it has
looked at or looks a bounded way ahead, so that hostile text costs no more than long text.
"""

import re

MASK = "***"

_BOT_TOKEN = re.compile(r"(?i)\d{6,12}(?::|%3A)[a-z0-9_-]{30,}")
"""A Bot API token. No word boundary in front: in `/bot123456:…` there is none."""

_PREFIXED = re.compile(r"\b(?:rnd_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{16,})")
"""Render's API keys and the signing secrets of webhooks bear their kind in front."""

_JWT = re.compile(r"eyJ[\w-]{6,}(?:\.[\w-]+)*", re.ASCII)
"""Base64 of `{"`: the start of every JSON Web Token."""

_SCHEME_CREDENTIALS = re.compile(
    r"\b((?i:bearer)[ \t]{1,8}(?!(?i:tokens?|auth\w*|realm|error|scheme)\b)|(?i:basic)[ \t]{1,8}(?=[a-z]{0,40}[A-Z0-9]"
    r"[\w+/]{6})(?!(?i:auth)))[\w.~+/-]+=*"
)
"""What follows a scheme; "Bearer token" and "Basic authentication" are ordinary words."""

_URL = re.compile(r"://(?:(?!://)[^\s\"])+")
"""From the slashes of a URL on; an apostrophe or a bracket may stand in a password."""

_PORT = re.compile(r"\d{1,5}[/?#]")

_AFTER_NAME = r"(?:\\{0,3}[\"'])?\]?[ \t]{0,8}(?:[:=]|%3[AD])[ \t]{0,8}"

_QUOTED = r"(?P<quote>[\"'])(?:\\.|(?!(?P=quote))[^\\\n])*|(?P<escaped>\\{1,3}[\"'])(?:(?!(?P=escaped))[^\n])*"
"""A quoted value without its closing quote; one that is not closed ends with the line."""

_HEADER = re.compile(r"(?i)((?:authorization|cookie)[ \t]{0,8}[:=][ \t]{0,8})[^\r\n]+")
"""A header is secret to the end of its line."""

_NAMED = re.compile(
    r"(?i)((?:authorization|cookie|password|passwd|passphrase|_pass|pwd|secret|token|session[_-]?id"
    r"|init_?data|tgWebAppData|(?:api|access|private|signing|encryption|master|auth|account)[_-]?key)(?:[_-]?(?:hash|key|value|\d{1,3}))?"
    rf"{_AFTER_NAME})(?:{_QUOTED}"
    r"|(?:(?:bearer|basic|tma)[ \t]{1,8})?(?:(?:\[[^\]\n]*\]?|\{[^}\n]*\}?)[^\s\"'&,;}]*|[^\s\"'&,;}]+))"
)
"""The name may have anything in front: `DB_PASSWORD`, `accessToken`."""

_QUERY = re.compile(r"(?i)((?<=[?&])(?:hash|signature|sig|key|auth|sid|session)=|\bhash=(?=[0-9a-f]{64}))[^&\s\"'#]+")
"""Names that are secret in a query or in init data, and ordinary words elsewhere."""


def redact(text: str) -> str:
    """Return `text` with tokens, URL passwords and named secrets replaced by `***`.

    Text without a secret comes back unchanged, and a second pass changes nothing.
    """
    while (clean := _redact_once(text)) != text:
        text = clean
    return text


def redact_url(url: str) -> str:
    """Return `url` without its password, query values and fragment: safe to show."""
    return redact(url).split("#", 1)[0].split("?", 1)[0]


def _redact_once(text: str) -> str:
    text = _BOT_TOKEN.sub(MASK, text)
    text = _PREFIXED.sub(MASK, text)
    text = _JWT.sub(MASK, text)
    text = _URL.sub(_without_password, text)
    text = _SCHEME_CREDENTIALS.sub(rf"\1{MASK}", text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _NAMED.sub(lambda found: f"{found[1]}{found['quote'] or found['escaped'] or ''}{MASK}", text)
    return _QUERY.sub(rf"\1{MASK}", text)


def _without_password(found: re.Match[str]) -> str:
    """Mask from the first colon to the last @: an unquoted `/` or `@` may stand in a password."""
    credentials, at, host = found[0].removeprefix("://").rpartition("@")
    user, _, password = credentials.partition(":")
    is_path = any(mark in user for mark in "/?#")
    if not password or is_path or (_is_web(found) and _PORT.match(password)):
        return found[0]
    return f"://{user}:{MASK}{at}{host}"


def _is_web(found: re.Match[str]) -> bool:
    """Say whether a path with an @ in it is likelier than a password with a slash."""
    before = found.string[max(0, found.start() - 5) : found.start()]
    return before.lower().endswith(("http", "https", "ws", "wss"))
