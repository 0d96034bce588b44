"""Kind `dns`: a name resolves, and to the addresses it should."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, failed, ok
from checks.wording import duration, listed


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("must be an IP address") from None


Address = Annotated[str, AfterValidator(_address)]


class DnsConfig(CheckConfig):
    """Which name."""

    kind: Literal["dns"] = "dns"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=253)
    expected_addresses: tuple[Address, ...] = ()
    """It must resolve to these and no others; empty: to anything."""


@dataclass(frozen=True, slots=True)
class DnsSeen:
    """The addresses of the name, sorted."""

    addresses: tuple[str, ...]
    seconds: float


class Dns(Check[DnsConfig, DnsSeen]):
    """Resolve the name as every program on this machine does."""

    Config = DnsConfig

    async def measure(self, io: IO) -> DnsSeen:
        """Resolve once."""
        started = io.monotonic()
        found = await io.resolve(self.config.name)
        return DnsSeen(tuple(found), io.monotonic() - started)

    def judge(self, seen: DnsSeen, now: datetime, before: Sequence[DnsSeen] = ()) -> Verdict:
        """Compare with what is expected."""
        name, wanted = self.config.name, set(self.config.expected_addresses)
        found = {_address(address) for address in seen.addresses}
        facts = (
            Fact("name", name),
            Fact("addresses", ", ".join(sorted(found))),
            Fact("lookup", round(seen.seconds, 4), "s"),
        )
        values = {"dns_seconds": seen.seconds}
        if wanted and found != wanted:
            return failed(
                Reason.DRIFT, f"{name} is {listed(sorted(found))}, expected {listed(sorted(wanted))}",
                *facts, Fact("expected", ", ".join(sorted(wanted))),
                hint="Somebody changed the record, or an old one is still cached: look at the DNS provider's page.",
                values=values,
            )  # fmt: skip
        return ok(f"{name} is {listed(sorted(found))} in {duration(seen.seconds)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say which name."""
        hint = "Is the domain paid for, and the record still there? Ask the DNS provider's page."
        return told_as(verdict, self.config.name, {Reason.DNS_FAILURE: hint}, Fact("name", self.config.name))
