"""What a page's headers forbid: being framed by Telegram Web, running its own scripts, being fresh after a deploy."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

TELEGRAM_WEB = "https://web.telegram.org"
"""Only Telegram Web puts a Mini App into a frame; phones and desktops use a web view."""

CACHE_LIMIT_SECONDS = 600
"""How long an index.html may be kept without asking: longer, and a deploy leaves users with chunks that are gone."""


def framing_fault(headers: Mapping[str, str]) -> str | None:
    """Return what forbids Telegram Web to frame the page; None when nothing does.

    `frame-ancestors` makes browsers ignore X-Frame-Options (CSP level 3, 7.7.1).
    """
    ancestors = [
        sources for policy in _policies(headers) if (sources := _directives(policy).get("frame-ancestors")) is not None
    ]
    for sources in ancestors:
        if not any(_allows(source, TELEGRAM_WEB, "") for source in sources):
            return f"frame-ancestors {' '.join(sources)}"
    option = headers.get("x-frame-options", "").strip()
    return f"X-Frame-Options {option}" if option and not ancestors else None


def blocked_scripts(
    headers: Mapping[str, str], meta_policies: Iterable[str], page_url: str, scripts: Iterable[tuple[str, str]]
) -> list[str]:
    """Return those of `scripts` (URL, nonce) that the page's own Content-Security-Policy forbids."""
    blocked = []
    for policy in (*_policies(headers), *meta_policies):
        rules = _directives(policy)
        sources = rules.get("script-src-elem", rules.get("script-src", rules.get("default-src")))
        if sources is None or "'strict-dynamic'" in sources:
            continue
        for url, nonce in scripts:
            has_nonce = bool(nonce) and f"'nonce-{nonce}'" in sources
            if not has_nonce and not any(_allows(source, url, page_url) for source in sources):
                blocked.append(url)
    return list(dict.fromkeys(blocked))


def cached_seconds(headers: Mapping[str, str]) -> int | None:
    """Return for how long a browser keeps the page without asking, if longer than it should; else None."""
    control = headers.get("cache-control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    found = re.search(r"(?<![\w-])max-age\s*=\s*\"?(\d+)", control)
    seconds = int(found.group(1)) if found else 0
    return seconds if seconds > CACHE_LIMIT_SECONDS else None


def _policies(headers: Mapping[str, str]) -> list[str]:
    return [policy for policy in headers.get("content-security-policy", "").split(",") if policy.strip()]


def _directives(policy: str) -> dict[str, list[str]]:
    """Return directive → sources; the first of a name counts."""
    directives: dict[str, list[str]] = {}
    for part in policy.split(";"):
        words = part.split()
        if words:
            directives.setdefault(words[0].lower(), words[1:])
    return directives


def _allows(source: str, url: str, own_url: str) -> bool:
    """Return whether one source expression lets `url` in (CSP level 3, 6.7.2.7, without paths)."""
    target = urlsplit(url)
    if source == "*":
        return target.scheme in ("http", "https")
    if source.startswith("'"):
        own = urlsplit(own_url)
        return source.lower() == "'self'" and (own.scheme, own.netloc) == (target.scheme, target.netloc)
    if source.endswith(":"):
        return source[:-1].lower() == target.scheme
    scheme, _, rest = source.rpartition("://")
    if scheme and scheme.lower() != target.scheme and (scheme, target.scheme) != ("http", "https"):
        return False
    host, _, port = rest.split("/", 1)[0].lower().partition(":")
    if port not in ("", "*") and port != str(target.port or {"http": 80, "https": 443}.get(target.scheme)):
        return False
    name = target.hostname or ""
    return name.endswith(host[1:]) if host.startswith("*.") else name == host
