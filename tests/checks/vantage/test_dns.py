"""`vantage.dns`: only all names failing is our fault."""

import pytest

from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason, Verdict
from checks.vantage.dns import VantageDns, VantageDnsConfig, VantageDnsSeen
from tests.fakes import NOW, io_for

NO_NAME = verdict_of(ConnectionRefusedError())
assert NO_NAME is not None


def check_of(*names: str) -> VantageDns:
    return VantageDns(VantageDnsConfig(id="vantage.dns", service="monitor", names=names))


@pytest.mark.parametrize(
    ("found", "outcome", "reason", "summary"),
    [
        ((("a", "10.0.0.1"), ("b", "10.0.0.2")), Outcome.OK, None, "2 of 2 names resolve"),
        ((("a", NO_NAME), ("b", "10.0.0.2")), Outcome.OK, None, "1 of 2 names resolve"),
        ((("a", NO_NAME), ("b", NO_NAME)), Outcome.FAILED, Reason.VANTAGE, "the monitor resolves no name: a, b"),
    ],
)
def test_judge(
    found: tuple[tuple[str, str | Verdict], ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check_of("a", "b").judge(VantageDnsSeen(found), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert [fact.name for fact in verdict.evidence.facts] == ["a", "b"]


@pytest.mark.real
async def test_real_names_are_resolved() -> None:
    check = check_of("localhost", "nowhere.invalid")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.outcome is Outcome.OK
    assert verdict.evidence.facts[0] in (Fact("localhost", "127.0.0.1"), Fact("localhost", "::1"))
    assert str(verdict.evidence.facts[1].value).startswith("host name does not resolve")
