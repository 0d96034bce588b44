"""Durations, addresses and lists read well on a phone."""

import pytest

from checks.wording import address, duration, listed, path, shortened


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4 ms"),
        (0.0412, "41 ms"),
        (0.9996, "1 s"),
        (2.44, "2.4 s"),
        (3.0, "3 s"),
        (47.3, "47 s"),
        (600, "10 min"),
        (5 * 3600, "5 h"),
        (31_536_000, "365 d"),
    ],
)
def test_duration_is_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:secret@db.internal:5432/nexus?x=1", "db.internal:5432"),
        ("https://api.example.net/health", "api.example.net"),
        ("redis://[::1]:6379/0", "[::1]:6379"),
        ("nothing", "?"),
    ],
)
def test_address_shows_host_and_port_only(url: str, shown: str) -> None:
    assert address(url) == shown


def test_path_has_no_query() -> None:
    assert path("https://a.net/health?token=x#y") == "/health"
    assert path("https://a.net") == "/"


def test_shortened_makes_one_line() -> None:
    assert shortened("a\n  b") == "a b"
    assert shortened("abcdef", 4) == "abc…"


def test_listed_counts_the_rest() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c (+2 more)"
