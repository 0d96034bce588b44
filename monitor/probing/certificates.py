"""Reads the certificate of a TLS server, also a bad one, with nothing but the standard library."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from checks.base import Certificate

_NO_CHECK_TIME = 0x200000
"""`X509_V_FLAG_NO_CHECK_TIME` of OpenSSL, which the `ssl` module does not name."""


async def certificate_of(host: str, port: int, trusted: ssl.SSLContext) -> Certificate:
    """Return what the server at (host, port) shows to a client that trusts what `trusted` trusts.

    A bad certificate is asked for twice more: `ssl` decodes only one it could verify, so the second time it is trusted
    itself, whatever its name and dates. Raises OSError when the handshake fails for another reason.
    """
    try:
        shown, protocol, _ = await _handshake(host, port, trusted)
    except ssl.SSLCertVerificationError as error:
        shown, protocol = await _without_trust(host, port)
        return _certificate(shown, protocol, error.verify_message or str(error), error.verify_code or -1)
    return _certificate(shown, protocol, "", 0)


async def _without_trust(host: str, port: int) -> tuple[dict[str, Any], str]:
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    _, protocol, der = await _handshake(host, port, blind)
    itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    itself.check_hostname = False
    itself.verify_flags = ssl.VerifyFlags(_NO_CHECK_TIME) | ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        itself.load_verify_locations(cadata=der)
        shown, protocol, _ = await _handshake(host, port, itself)
    except ssl.SSLError:  # a key too short, a broken signature: then there is only the problem to tell
        return {}, protocol
    return shown, protocol


async def _handshake(host: str, port: int, context: ssl.SSLContext) -> tuple[dict[str, Any], str, bytes]:
    _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        connection = writer.get_extra_info("ssl_object")
        return connection.getpeercert() or {}, connection.version() or "", connection.getpeercert(True) or b""
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def _certificate(shown: dict[str, Any], protocol: str, problem: str, code: int) -> Certificate:
    issuer = {name: value for part in shown.get("issuer", ()) for name, value in part}
    return Certificate(
        problem=problem,
        problem_code=code,
        names=tuple(value for _, value in shown.get("subjectAltName", ())),
        issuer=issuer.get("organizationName") or issuer.get("commonName") or "",
        valid_from=_instant(shown.get("notBefore")),
        expires_at=_instant(shown.get("notAfter")),
        protocol=protocol,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
