"""Takes secrets out of text before it becomes evidence, a log line, a page or a message."""

import re

MASK = "***"

_BOT_TOKEN = re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}")
"""A Bot API token. No word boundary in front: in `/bot123456:…` there is none."""

_URL_CREDENTIALS = re.compile(r"([a-z][a-z0-9+.-]*://)([^/\s:@]*):([^\s@/]*)@", re.IGNORECASE)

_NAMED_SECRET = re.compile(
    r"(?i)\b(authorization|proxy-authorization|x-telegram-bot-api-secret-token|set-cookie|cookie|password|passwd"
    r"|secret|secret_token|token|api[_-]?key|tgWebAppData|initData|init_data|hash|signature)"
    r"(\"?\s*[:=]\s*)(\"?)(?:bearer\s+|basic\s+|tma\s+)?[^\s\"&,;}]+"
)


def redact(text: str) -> str:
    """Return `text` with tokens, URL passwords and named secrets replaced by `***`.

    Text without a secret comes back unchanged, and a second pass changes nothing.
    """
    text = _BOT_TOKEN.sub(MASK, text)
    text = _URL_CREDENTIALS.sub(rf"\1\2:{MASK}@", text)
    return _NAMED_SECRET.sub(rf"\1\2\3{MASK}", text)


def redact_url(url: str) -> str:
    """Return `url` without its password, query values and fragment: safe to show."""
    base = url.split("#", 1)[0].split("?", 1)[0]
    return redact(base)
