"""`api.tls`: the certificate is trusted, made for the name, and not about to expire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from checks.base import IO, Certificate, Check, CheckConfig, Seconds
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration, listed, shortened

DAY_SECONDS = 86_400.0
_NOT_YET, _EXPIRED, _WRONG_NAME, _WRONG_ADDRESS = 9, 10, 62, 64
_NO_ISSUER = (2, 20, 21)
_SELF_SIGNED = (18, 19)


class ApiTlsConfig(CheckConfig):
    """Whose certificate."""

    kind: Literal["api.tls"] = "api.tls"
    interval_seconds: Seconds = 21_600.0
    timeout_seconds: Seconds = 10.0
    url: str = Field(pattern=r"^https://[^\s/]+")
    """The service's address; only host and port are used."""
    expires_days: float = Field(default=14.0, gt=0)
    """So few days left are degraded."""
    urgent_days: float = Field(default=7.0, gt=0)
    """So few days left: the renewal has failed for certain, and the words say so."""


@dataclass(frozen=True, slots=True)
class ApiTlsSeen:
    """What the server showed."""

    certificate: Certificate


class ApiTls(Check[ApiTlsConfig, ApiTlsSeen]):
    """Shake hands as a client does, and read the certificate, a bad one too."""

    Config = ApiTlsConfig

    async def measure(self, io: IO) -> ApiTlsSeen:
        """Ask for the certificate."""
        parts = urlsplit(self.config.url)
        return ApiTlsSeen(await io.certificate(parts.hostname or "", parts.port or 443))

    def judge(self, seen: ApiTlsSeen, now: datetime, before: Sequence[ApiTlsSeen] = ()) -> Verdict:
        """Judge trust and name, then the days left."""
        got, service = seen.certificate, self.config.service
        left_seconds = None if got.expires_at is None else (got.expires_at - now).total_seconds()
        facts = (
            self._host(),
            Fact("made for", listed(got.names, 5) or "not told"),
            Fact("issuer", got.issuer or "not told"),
            Fact("valid from", _day(got.valid_from)),
            Fact("expires", _day(got.expires_at)),
            Fact("protocol", got.protocol or "not told"),
        )
        values = {} if left_seconds is None else {"expires_seconds": left_seconds}
        if got.problem:
            what, hint = self._meaning(got, left_seconds)
            return failed(
                Reason.TLS_INVALID, what, *facts, Fact("problem", got.problem), hint=hint, values=values, certain=True
            )
        if left_seconds is not None and left_seconds < self.config.expires_days * DAY_SECONDS:
            is_urgent = left_seconds < self.config.urgent_days * DAY_SECONDS
            renewal = "The renewal has failed" if is_urgent else "It should have been renewed by now"
            return degraded(
                Reason.STALE, f"certificate expires in {duration(left_seconds)}", *facts,
                hint=f"{renewal}: Render → {service} → Settings → Custom domains → verify; does the DNS entry, or a "
                "CAA record, keep the issuer out?",
                values=values,
            )  # fmt: skip
        left = "" if left_seconds is None else f", {duration(left_seconds)} left"
        return ok(f"certificate of {got.issuer or 'its issuer'} is good{left}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the handshake."""
        hints = {Reason.TLS_INVALID: "No handshake: does this port speak TLS, and in a version of today (1.2, 1.3)?"}
        return told_as(verdict, "TLS", hints, self._host())

    def _meaning(self, got: Certificate, left_seconds: float | None) -> tuple[str, str]:
        service, host = self.config.service, urlsplit(self.config.url).hostname
        domains = f"Render → {service} → Settings → Custom domains"
        if got.problem_code == _EXPIRED:
            ago = "" if left_seconds is None else f" {duration(max(0.0, -left_seconds))} ago"
            return f"certificate expired{ago}", f"Clients refuse it: renew it now. {domains} → verify."
        if got.problem_code == _NOT_YET:
            return "certificate is not valid yet", "It was made for a later day, or a clock is wrong: here or there."
        if got.problem_code in (_WRONG_NAME, _WRONG_ADDRESS):
            names = listed(got.names) or "other names"
            return (
                f"certificate is for {names}, not for {host}",
                f"{domains}: add {host}, and wait for its certificate.",
            )
        if got.problem_code in _SELF_SIGNED:
            return "certificate is signed by nobody that clients trust", f"{domains}: use a public certificate."
        if got.problem_code in _NO_ISSUER:
            return (
                "certificate chain is incomplete or not trusted",
                "Send the intermediate certificates (fullchain.pem).",
            )
        return f"certificate is not to be trusted: {shortened(got.problem, 80)}", f"{domains}: replace the certificate."

    def _host(self) -> Fact:
        return Fact("host", address(self.config.url))


def _day(at: datetime | None) -> str:
    return "not told" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
