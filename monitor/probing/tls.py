"""What every outgoing connection of the prober has in common: whom it trusts, and how it names itself."""

import ssl
from functools import lru_cache

USER_AGENT = "nexus-monitor"


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Return the verifying context that all looks share: building one reads the whole trust store (tens of ms)."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)
