"""`api.tls`: its judgement, and real TLS servers on loopback with certificates of our own making."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from checks.api.tls import ApiTls, ApiTlsConfig, ApiTlsSeen
from checks.base import Certificate
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from monitor.probing.certificates import certificate_of
from tests.fakes import NOW, io_for

HOST = "api.nexus.example"


def check_of(url: str = f"https://{HOST}") -> ApiTls:
    return ApiTls(ApiTlsConfig(id="api.tls", service="nexus-api", url=url))


def shown(days: float | None = 60, problem: str = "", code: int = 0, *names: str) -> ApiTlsSeen:
    expires_at = None if days is None else NOW + timedelta(days=days)
    return ApiTlsSeen(Certificate(problem, code, names or (HOST,), "Let's Encrypt", NOW, expires_at, "TLSv1.3"))


BAD = (Outcome.FAILED, Reason.TLS_INVALID)
JUDGED = {
    "good": (shown(), Outcome.OK, None, "certificate of Let's Encrypt is good, 60 d left"),
    "dates not told": (shown(None), Outcome.OK, None, "certificate of Let's Encrypt is good"),
    "14 days": (shown(14), Outcome.OK, None, "certificate of Let's Encrypt is good, 14 d left"),
    "soon": (shown(13), Outcome.DEGRADED, Reason.STALE, "certificate expires in 13 d"),
    "very soon": (shown(6), Outcome.DEGRADED, Reason.STALE, "certificate expires in 6 d"),
    "expired": (shown(-3, "certificate has expired", 10), *BAD, "certificate expired 3 d ago"),
    "expired, unreadable": (shown(None, "certificate has expired", 10), *BAD, "certificate expired"),
    "too early": (shown(9, "not yet valid", 9), *BAD, "certificate is not valid yet"),
    "wrong name": (
        shown(60, "Hostname mismatch", 62, "*.onrender.com"),
        *BAD,
        f"certificate is for *.onrender.com, not for {HOST}",
    ),
    "self-signed": (shown(60, "self-signed", 18), *BAD, "certificate is signed by nobody that clients trust"),
    "no intermediate": (shown(60, "no issuer", 20), *BAD, "certificate chain is incomplete or not trusted"),
    "revoked": (shown(60, "certificate revoked", 23), *BAD, "certificate is not to be trusted: certificate revoked"),
}


@pytest.mark.parametrize(("seen", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(seen: ApiTlsSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.certain == (outcome is Outcome.FAILED)


def test_a_week_before_the_end_the_words_are_sharper() -> None:
    assert check_of().judge(shown(13), NOW).hint.startswith("It should have been renewed by now: ")
    assert check_of().judge(shown(6), NOW).hint.startswith("The renewal has failed: ")


def test_a_port_that_speaks_no_tls_is_told() -> None:
    error = verdict_of(ssl.SSLError(1, "WRONG_VERSION_NUMBER"))
    assert error is not None
    told = check_of().on_failure(error)
    assert (told.summary, told.hint) == (
        "TLS: TLS failed",
        "No handshake: does this port speak TLS, and in a version of today (1.2, 1.3)?",
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed: no certificates can be made")
    return Authority(tmp_path_factory.mktemp("authority"))


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root.pem"
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._openssl("req", "-x509", *key, "root.key", "-out", "root.pem", "-subj", "/O=Nexus Test", *usage)
        self._openssl("req", *key, "site.key", "-out", "site.csr", "-subj", "/CN=site")

    def certificate(self, alternative: str, *, starts_days: int = -30, ends_days: int = 60) -> Path:
        """Return a certificate that is good for `alternative` between these days from now."""
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\n"
            f"policy=any\nx509_extensions=site\nunique_subject=no\n[any]\ncommonName=supplied\n[site]\n"
            f"subjectAltName={alternative}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        (self.folder / "index.txt").touch()
        if not (self.folder / "serial").exists():
            (self.folder / "serial").write_text("1001\n")
        dates = [f"{datetime.now(UTC) + timedelta(days=days):%Y%m%d%H%M%SZ}" for days in (starts_days, ends_days)]
        out = self.folder / f"{alternative.replace(':', '-')}{ends_days}.pem"
        self._openssl(
            "ca", "-batch", "-notext", "-config", "ca.cnf", "-in", "site.csr", "-cert", "root.pem", "-keyfile",
            "root.key", "-startdate", dates[0], "-enddate", dates[1], "-out", out.name,
        )  # fmt: skip
        return out

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    @asynccontextmanager
    async def server(self, certificate: Path) -> AsyncIterator[int]:
        """Serve TLS on a free port with this certificate."""
        import asyncio

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self.folder / "site.key")

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.transport.abort()

        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1]


def trusting(root: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=root)


Make = Callable[[Authority], Path]
GOOD = "IP:127.0.0.1"
REAL: dict[str, tuple[Make, bool, Outcome, str]] = {
    "good": (lambda ca: ca.certificate(GOOD), True, Outcome.OK, "certificate of Nexus Test is good, 60 d left"),
    "soon": (
        lambda ca: ca.certificate(GOOD, ends_days=5),
        True,
        Outcome.DEGRADED,
        "certificate expires in 5 d",
    ),
    "expired": (
        lambda ca: ca.certificate(GOOD, ends_days=-3),
        True,
        Outcome.FAILED,
        "certificate expired 3 d ago",
    ),
    "wrong name": (
        lambda ca: ca.certificate("DNS:other.example"),
        True,
        Outcome.FAILED,
        "certificate is for other.example, not for 127.0.0.1",
    ),
    "not trusted": (
        lambda ca: ca.certificate(GOOD),
        False,
        Outcome.FAILED,
        "certificate chain is incomplete or not trusted",
    ),
}


@pytest.mark.real
@pytest.mark.parametrize(("make", "is_trusted", "outcome", "summary"), REAL.values(), ids=REAL)
async def test_a_real_server_shows_its_certificate(
    authority: Authority, make: Make, is_trusted: bool, outcome: Outcome, summary: str
) -> None:
    async with authority.server(make(authority)) as port:
        check = check_of(f"https://127.0.0.1:{port}")
        ask = partial(certificate_of, trusted=trusting(authority.root if is_trusted else None))
        seen = await check.measure(io_for(certificate=ask))
    verdict = check.judge(seen, datetime.now(UTC))

    assert (verdict.outcome, verdict.summary) == (outcome, summary)
    assert (seen.certificate.issuer, seen.certificate.protocol) == ("Nexus Test", "TLSv1.3")
    assert seen.certificate.expires_at is not None


@pytest.mark.real
async def test_the_real_trust_store_does_not_know_the_test_s_authority(authority: Authority) -> None:
    async with authority.server(authority.certificate(GOOD)) as port:
        seen = await check_of(f"https://127.0.0.1:{port}").measure(io_for())
    assert seen.certificate.problem_code == 20


@pytest.mark.real
async def test_a_server_without_tls_is_no_certificate() -> None:
    import asyncio

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OSError) as caught:
            await check_of(f"https://127.0.0.1:{port}").measure(io_for())
    verdict = verdict_of(caught.value)
    assert verdict is not None
    assert verdict.reason in (Reason.TLS_INVALID, Reason.CONNECTION_RESET)
