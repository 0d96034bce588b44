"""Says durations, addresses and long texts the way a phone can show them."""

from urllib.parse import urlsplit

from checks.redaction import redact


def duration(seconds: float) -> str:
    """Return `41 ms`, `2.4 s`, `3 s`, `12 min`, `5 h` or `2 d`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 or abs(seconds - round(seconds)) < 0.05 else f"{seconds:.1f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.0f} d"


def address(url: str) -> str:
    """Return `host` or `host:port` of a URL: no credentials, no path, no query."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host


def path(url: str) -> str:
    """Return the path of a URL, without its query and fragment."""
    return urlsplit(url).path or "/"


def shortened(text: str, limit: int = 120) -> str:
    """Return `text` redacted, on one line and at most `limit` characters long, cut with an ellipsis."""
    line = redact(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def listed(names: list[str] | tuple[str, ...], limit: int = 3) -> str:
    """Return `a, b, c (+2 more)`."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" (+{rest} more)" if rest > 0 else "")
