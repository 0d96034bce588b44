"""One exchange is measured in its phases, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from aiohttp import web

from checks.failures import verdict_of
from checks.http import attempt_exchange, exchange
from checks.result import Fact, Outcome, Reason, Verdict
from tests.fakes import answered, io_for

pytestmark = pytest.mark.real


async def test_an_exchange_has_status_headers_body_and_phases(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["x-one"] == "1"
        assert await request.read() == b"hello"
        return web.json_response({"ok": True}, status=201)

    url = await serve(handler)

    got = await exchange(io_for(), "POST", f"{url}/a", headers={"x-one": "1"}, content=b"hello")

    assert (got.status, got.body, got.content_type, got.is_cut) == (201, b'{"ok": true}', "application/json", False)
    assert got.is_success
    assert got.phases.dns_seconds is None
    assert got.phases.connect_seconds is not None
    assert 0 < got.phases.connect_seconds < got.phases.first_byte_seconds <= got.phases.total_seconds < 5
    assert set(got.phases.values()) == {"connect_seconds", "first_byte_seconds", "latency_seconds"}


async def test_a_name_is_looked_up_first(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="x")

    url = (await serve(handler)).replace("127.0.0.1", "localhost")
    asked: list[str] = []

    async def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    got = await exchange(io_for(resolve=resolve), "GET", url)

    assert asked == ["localhost"]
    assert got.phases.dns_seconds is not None


async def test_a_long_body_is_cut(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 5000)

    got = await exchange(io_for(), "GET", await serve(handler), body_limit_bytes=100)

    assert (len(got.body), got.is_cut) == (100, True)


async def test_a_redirect_is_not_followed_but_told(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/health/?token=abc")

    url = await serve(handler)
    got = await exchange(io_for(), "GET", f"{url}/health")

    assert got.location == f"{url}/health/?token=abc"
    assert Fact("redirects to", f"{url}/health/") in got.facts()


def test_facts_of_a_plain_answer() -> None:
    got = answered(200, "x", content_type="")
    assert got.facts() == (Fact("status", 200), Fact("latency", 0.041, "s"), Fact("content type", "none"))
    assert got.location is None
    assert (got.excerpt, answered().excerpt) == ("x", None)


async def _verdict_of_get(url: str, timeout_seconds: float = 5.0) -> Verdict:
    got = await attempt_exchange(io_for(timeout_seconds), "GET", url)
    assert isinstance(got, Verdict)
    return got


async def test_nothing_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        verdict = await _verdict_of_get(f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert verdict.reason is Reason.CONNECTION_REFUSED


async def test_no_such_name() -> None:
    assert (await _verdict_of_get("http://nowhere.invalid/")).reason is Reason.DNS_FAILURE


@asynccontextmanager
async def _raw(answer: bytes | None) -> AsyncIterator[str]:
    """Start a server that says `answer` and closes, or with None says nothing until it is closed."""
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await reader.read()
        else:
            await reader.read(100)
            writer.write(answer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with asyncio.timeout(2):
            await ended.wait()


@pytest.mark.parametrize(
    ("scheme", "answer", "reason"),
    [
        ("http", None, Reason.TIMEOUT),
        ("http", b"", Reason.CONNECTION_RESET),
        ("http", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", Reason.CONNECTION_RESET),
        ("http", b"SSH-2.0-x\r\n\r\n", Reason.PROTOCOL_ERROR),
        ("http", b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc", Reason.PROTOCOL_ERROR),
        ("https", b"HTTP/1.1 400 plain\r\n\r\n", Reason.TLS_INVALID),
    ],
    ids=["silent", "closes", "cut short", "not http", "bad gzip", "no tls"],
)
async def test_a_broken_server_is_classified(scheme: str, answer: bytes | None, reason: Reason) -> None:
    async with _raw(answer) as place:
        verdict = await _verdict_of_get(f"{scheme}://{place}", timeout_seconds=0.3)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, reason)


async def test_a_bad_url_is_nobodys_network_fault() -> None:
    with pytest.raises(httpx.UnsupportedProtocol) as caught:
        await exchange(io_for(), "GET", "ftp://127.0.0.1/")
    assert verdict_of(caught.value) is None
