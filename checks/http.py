"""One measured HTTP exchange: phases, status, headers and the body up to a limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin

import httpx

from checks.base import IO
from checks.failures import attempt
from checks.redaction import redact, redact_url
from checks.result import EXCERPT_CHARACTERS, Fact, Verdict

BODY_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time went, in seconds. A phase that did not happen is None."""

    dns_seconds: float | None
    """The lookup before the request; None for a literal address."""
    connect_seconds: float | None
    """TCP connection; the name is looked up once more in it, mostly from a cache."""
    tls_seconds: float | None
    first_byte_seconds: float
    """From the start of the look to the answer's headers."""
    total_seconds: float

    def values(self) -> dict[str, float]:
        """Return the phases as a verdict's values; the total is `latency_seconds`."""
        named = {
            "dns_seconds": self.dns_seconds,
            "connect_seconds": self.connect_seconds,
            "tls_seconds": self.tls_seconds,
            "first_byte_seconds": self.first_byte_seconds,
            "latency_seconds": self.total_seconds,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    url: str
    status: int
    headers: Mapping[str, str]
    """Names in lower case; repeated headers joined with a comma."""
    body: bytes
    """Decoded, at most the limit asked for."""
    is_cut: bool
    """The body was longer than the limit."""
    phases: Phases

    @property
    def is_success(self) -> bool:
        """Return whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        """Return the media type in lower case, without its parameters; empty when there is none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """Return the body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def excerpt(self) -> str | None:
        """Return the start of the body as evidence, redacted before it is cut; None when it is empty."""
        return redact(self.text)[:EXCERPT_CHARACTERS] or None

    @property
    def location(self) -> str | None:
        """Return where a redirect leads, as an absolute URL."""
        target = self.headers.get("location")
        return urljoin(self.url, target) if target and 300 <= self.status < 400 else None

    def facts(self) -> tuple[Fact, ...]:
        """Return status, latency, type, and where a redirect leads."""
        facts = [
            Fact("status", self.status),
            Fact("latency", round(self.phases.total_seconds, 4), "s"),
            Fact("content type", self.content_type or "none"),
        ]
        if self.location is not None:
            facts.append(Fact("redirects to", redact_url(self.location)))
        return tuple(facts)


async def exchange(
    io: IO,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    body_limit_bytes: int = BODY_LIMIT_BYTES,
) -> Exchange:
    """Send one request over a fresh connection and read at most `body_limit_bytes` of the answer.

    Redirects are not followed. Raises what httpx and the resolver raise.
    """
    started = io.monotonic()
    marks: dict[str, float] = {}

    async def trace(event: str, _: dict[str, Any]) -> None:
        marks[event] = io.monotonic()

    def between(event: str) -> float | None:
        begin, end = marks.get(f"connection.{event}.started"), marks.get(f"connection.{event}.complete")
        return None if begin is None or end is None else end - begin

    host = httpx.URL(url).host
    dns_seconds = None
    if not _is_address(host):
        await io.resolve(host)
        dns_seconds = io.monotonic() - started
    async with (
        io.http() as client,
        client.stream(method, url, headers=headers, content=content, extensions={"trace": trace}) as answer,
    ):
        first_byte = io.monotonic() - started
        body = bytearray()
        is_cut = False
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > body_limit_bytes:
                is_cut = True
                break
        total = io.monotonic() - started
        phases = Phases(dns_seconds, between("connect_tcp"), between("start_tls"), first_byte, total)
        return Exchange(url, answer.status_code, dict(answer.headers), bytes(body[:body_limit_bytes]), is_cut, phases)


async def attempt_exchange(
    io: IO, method: str, url: str, *, body_limit_bytes: int = BODY_LIMIT_BYTES
) -> Exchange | Verdict:
    """Return the exchange, or the verdict of its network error: for a look that makes many requests."""
    look = exchange(io, method, url, body_limit_bytes=body_limit_bytes)
    return await attempt(look, httpx.TransportError, httpx.DecodingError, timeout_seconds=io.timeout_seconds)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
