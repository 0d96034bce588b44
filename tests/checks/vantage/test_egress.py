"""`vantage.egress`: only all hosts failing is our fault."""

import socket

import pytest
from aiohttp import web
from pydantic import ValidationError

from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason, Verdict
from checks.vantage.egress import VantageEgress, VantageEgressConfig, VantageEgressSeen
from tests.fakes import NOW, io_for

REFUSED = verdict_of(ConnectionRefusedError())
assert REFUSED is not None


def check_of(*targets: str) -> VantageEgress:
    return VantageEgress(VantageEgressConfig(id="vantage.egress", service="monitor", targets=targets))


@pytest.mark.parametrize(
    ("reached", "outcome", "reason", "summary"),
    [
        ((("a:1", 0.01), ("b:2", 0.02)), Outcome.OK, None, "2 of 2 hosts reached in 10 ms"),
        ((("a:1", REFUSED), ("b:2", 0.02)), Outcome.OK, None, "1 of 2 hosts reached in 20 ms"),
        ((("a:1", REFUSED), ("b:2", REFUSED)), Outcome.FAILED, Reason.VANTAGE, "the monitor reaches nothing: a:1, b:2"),
    ],
)
def test_judge(
    reached: tuple[tuple[str, float | Verdict], ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check_of("a:1", "b:2").judge(VantageEgressSeen(reached), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)


@pytest.mark.parametrize("target", ["no-port", "http://a:80", "a:b", "user@a:1"])
def test_a_target_is_host_and_port(target: str) -> None:
    with pytest.raises(ValidationError, match="targets"):
        check_of(target)


@pytest.mark.real
async def test_real_hosts_are_reached(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    good = (await serve(handler)).removeprefix("http://")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        bad = f"127.0.0.1:{held.getsockname()[1]}"
        check = check_of(good, bad)
        verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.summary.startswith("1 of 2 hosts reached in ")
    assert verdict.evidence.facts[1] == Fact(bad, "connection refused")
