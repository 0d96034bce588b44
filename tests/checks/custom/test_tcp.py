"""Kind `tcp`: its judgement, and a real listener."""

import asyncio

import pytest
from pydantic import ValidationError

from checks.custom.tcp import Tcp, TcpConfig, TcpSeen
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from tests.fakes import NOW, io_for


def check_of(host: str = "mail.example", port: int = 25) -> Tcp:
    return Tcp(TcpConfig(id="shop.mail", service="mail", host=host, port=port))


def test_judge() -> None:
    good, slow = check_of().judge(TcpSeen(0.02), NOW), check_of("::1").judge(TcpSeen(1.5), NOW)
    assert (good.outcome, good.summary) == (Outcome.OK, "mail.example:25 accepts in 20 ms")
    assert (slow.outcome, slow.reason) == (Outcome.DEGRADED, Reason.SLOW)
    assert slow.summary == "[::1]:25 accepts in 1.5 s, slower than 1 s"


@pytest.mark.parametrize("host", ["tcp://a", "a/b", "", "[::1]", "u@h"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(ValidationError):
        check_of(host)


@pytest.mark.real
async def test_a_real_listener_is_connected_to_and_a_closed_port_is_refused() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    check = check_of("127.0.0.1", port)
    async with server:
        assert check.judge(await check.measure(io_for()), NOW).outcome is Outcome.OK
    with pytest.raises(ConnectionRefusedError) as caught:
        await check.measure(io_for())
    verdict = verdict_of(caught.value)
    assert verdict is not None
    assert check.on_failure(verdict).summary == f"127.0.0.1:{port}: connection refused"
