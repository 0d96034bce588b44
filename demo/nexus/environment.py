"""How Nexus's processes read their settings: environment variables, one clear line for each mistake."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class SettingError(ValueError):
    """A missing or wrong variable; the message names it and never holds a secret."""


@contextmanager
def exit_on_bad_setting(program: str) -> Iterator[None]:
    """End the process with one line on stderr and code 2 when a `SettingError` leaves the block."""
    try:
        yield
    except SettingError as error:
        sys.stderr.write(f"{program}: {error}\n")
        raise SystemExit(2) from None


def text(name: str, default: str | None = None) -> str:
    """Return the variable `name`. Raises `SettingError` when it is not set, empty and without `default`."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise SettingError(f"{name}: is not set")
    return default


def url(name: str, *schemes: str, default: str | None = None) -> str:
    """Return an address with one of `schemes` and a host, without a slash at its end."""
    value = text(name, default).rstrip("/")
    if not value:
        return value
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise SettingError(f"{name}: is not an address") from None
    # The value may hold a password: only the scheme is told.
    if parts.scheme not in schemes:
        raise SettingError(f"{name}: must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if not parts.hostname:
        raise SettingError(f"{name}: names no host")
    return value


def database_url() -> str:
    """Return DATABASE_URL, a PostgreSQL address as Render gives it."""
    return url("DATABASE_URL", "postgresql", "postgres")


def redis_url() -> str:
    """Return REDIS_URL, the address of Redis or Valkey."""
    return url("REDIS_URL", "redis", "rediss")


def http_url(name: str, default: str | None = None) -> str:
    """Return the web address in `name`."""
    return url(name, "http", "https", default=default)


def bot_token() -> str:
    """Return BOT_TOKEN, the Telegram bot's token."""
    value = text("BOT_TOKEN")
    if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", value):
        raise SettingError("BOT_TOKEN: is not of the form 123456:ABC…")
    return value


def seconds(name: str, default: float) -> float:
    """Return a positive duration in seconds."""
    value = text(name, str(default))
    try:
        number = float(value)
    except ValueError:
        raise SettingError(f"{name}: {value!r} is not a number of seconds") from None
    if not 0 < number < float("inf"):
        raise SettingError(f"{name}: {value} must be above 0")
    return number


def listener() -> socket.socket:
    """Return a socket that listens on HOST (127.0.0.1 unless set) and PORT, so that a port in use is told at once.

    SHARE_PORT lets the next instance listen beside this one: a deploy has no gap.
    """
    host, value = text("HOST", "127.0.0.1"), text("PORT")
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise SettingError(f"PORT: {value!r} is not a port")
    try:
        return socket.create_server((host, int(value)), backlog=256, reuse_port=bool(text("SHARE_PORT", "")))
    except OSError as error:
        raise SettingError(f"PORT: cannot listen on {host}:{value}: {os.strerror(error.errno or 0)}") from None
