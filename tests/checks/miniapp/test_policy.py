"""What headers forbid: framing by Telegram Web, the page's own scripts, freshness."""

import pytest

from checks.miniapp.policy import blocked_scripts, cached_seconds, framing_fault

PAGE = "https://app.example.net/"
ENTRY = "https://app.example.net/assets/i.js"
SDK = "https://telegram.org/js/telegram-web-app.js"


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({}, None),
        ({"x-frame-options": "DENY"}, "X-Frame-Options DENY"),
        ({"x-frame-options": "SAMEORIGIN"}, "X-Frame-Options SAMEORIGIN"),
        ({"content-security-policy": "frame-ancestors 'self'"}, "frame-ancestors 'self'"),
        ({"content-security-policy": "frame-ancestors 'none'"}, "frame-ancestors 'none'"),
        ({"content-security-policy": "frame-ancestors"}, "frame-ancestors "),
        ({"content-security-policy": "frame-ancestors https://web.telegram.org"}, None),
        ({"content-security-policy": "frame-ancestors *.telegram.org"}, None),
        ({"content-security-policy": "frame-ancestors *"}, None),
        ({"content-security-policy": "frame-ancestors https:"}, None),
        ({"content-security-policy": "frame-ancestors *", "x-frame-options": "DENY"}, None),
        ({"content-security-policy": "default-src 'self'", "x-frame-options": "DENY"}, "X-Frame-Options DENY"),
    ],
)
def test_framing(headers: dict[str, str], fault: str | None) -> None:
    assert framing_fault(headers) == fault


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        ("", []),
        ("img-src 'self'", []),
        ("script-src 'self'", [SDK]),
        ("default-src 'self'", [SDK]),
        ("script-src 'self' https://telegram.org", []),
        ("script-src 'self'; script-src *", [SDK]),
        ("default-src 'none'; script-src-elem 'self' telegram.org/js/", []),
        ("script-src *", []),
        ("script-src http://telegram.org https://app.example.net:443", []),
        ("script-src https://telegram.org:8443 https://app.example.net:*", [SDK]),
        ("script-src ftp://telegram.org 'self'", [SDK]),
        ("script-src 'nonce-abc' 'self'", []),
        ("script-src 'strict-dynamic' 'nonce-abc'", []),
        ("script-src *, script-src 'self'", [SDK]),
        ("script-src 'none'", [ENTRY, SDK]),
    ],
)
def test_scripts_that_the_page_forbids_itself(policy: str, blocked: list[str]) -> None:
    scripts = [(ENTRY, ""), (SDK, "abc" if "'self'" in policy and "nonce" in policy else "")]
    assert blocked_scripts({"content-security-policy": policy}, (), PAGE, scripts) == blocked
    if "," not in policy:
        assert blocked_scripts({}, (policy,), PAGE, scripts) == blocked


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("", None),
        ("no-cache", None),
        ("public, max-age=0, s-maxage=31536000", None),
        ("max-age=600", None),
        ("public, max-age=31536000, immutable", 31_536_000),
        ('max-age="7200"', 7200),
        ("max-age=31536000, no-cache", None),
    ],
)
def test_caching_of_the_page(control: str, seconds: int | None) -> None:
    assert cached_seconds({"cache-control": control}) == seconds
