"""Keeps what a user wrote as a secret out of what is shown: an echo of it in an answer, too."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from checks.redaction import MASK, redact_url
from checks.wording import address

SHORTEST = 6
"""A shorter value is no secret, and would mask half a page."""


def plain(value: str | SecretStr) -> str:
    """Return the value itself."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def shown_url(url: str | SecretStr) -> str:
    """Return the URL without password and query; of one that holds an environment variable only the host."""
    return address(plain(url)) if isinstance(url, SecretStr) else redact_url(url)


def hidden_words(url: str | SecretStr, others: Iterable[str]) -> tuple[str, ...]:
    """Return what must not be shown, longest first: the parts of a secret URL, its password and query, and `others`."""
    parts = urlsplit(plain(url))
    words = {parts.password or "", *(value for _, value in parse_qsl(parts.query))}
    if isinstance(url, SecretStr):
        words |= {plain(url), parts.path, parts.query, parts.fragment, parts.username or "", *parts.path.split("/")}
    for other in others:
        words |= {other, other.rpartition(" ")[2]}  # `Bearer …`: the token alone, too
    return tuple(sorted((word for word in words if len(word) >= SHORTEST), key=lambda word: (-len(word), word)))


def without(text: str, words: Iterable[str]) -> str:
    """Return `text` with each of `words` masked."""
    for word in words:
        text = text.replace(word, MASK)
    return text
