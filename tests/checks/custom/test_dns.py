"""Kind `dns`: its judgement, and the real resolver."""

import socket

import pytest
from pydantic import ValidationError

from checks.custom.dns import Dns, DnsConfig, DnsSeen
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from tests.fakes import NOW, io_for


def check_of(*addresses: str, name: str = "shop.example") -> Dns:
    return Dns(DnsConfig(id="shop.dns", service="shop", name=name, expected_addresses=addresses))


JUDGED = {
    "any": (check_of(), ("192.0.2.7",), Outcome.OK, "shop.example is 192.0.2.7 in 4 ms"),
    "as expected": (
        check_of("2001:DB8::1", "192.0.2.7"),
        ("192.0.2.7", "2001:db8::1"),
        Outcome.OK,
        "shop.example is 192.0.2.7, 2001:db8::1 in 4 ms",
    ),
    "another": (
        check_of("192.0.2.7"),
        ("192.0.2.8",),
        Outcome.FAILED,
        "shop.example is 192.0.2.8, expected 192.0.2.7",
    ),
    "one more": (
        check_of("192.0.2.7"),
        ("192.0.2.7", "192.0.2.8"),
        Outcome.FAILED,
        "shop.example is 192.0.2.7, 192.0.2.8, expected 192.0.2.7",
    ),
}


@pytest.mark.parametrize(("check", "addresses", "outcome", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(check: Dns, addresses: tuple[str, ...], outcome: Outcome, summary: str) -> None:
    verdict = check.judge(DnsSeen(addresses, 0.004), NOW)
    assert (verdict.outcome, verdict.summary) == (outcome, summary)
    assert verdict.reason is (Reason.DRIFT if outcome is Outcome.FAILED else None)


def test_an_address_is_an_address() -> None:
    with pytest.raises(ValidationError, match="must be an IP address"):
        check_of("shop.example")


def test_a_name_that_is_gone_is_named() -> None:
    error = verdict_of(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    assert error is not None
    assert check_of().on_failure(error).summary == "shop.example: host name does not resolve"


@pytest.mark.real
async def test_the_real_resolver_knows_this_machine() -> None:
    check = check_of(name="localhost")
    seen = await check.measure(io_for())
    assert set(seen.addresses) <= {"127.0.0.1", "::1"}
    assert check.judge(seen, NOW).outcome is Outcome.OK
