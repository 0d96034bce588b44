"""HTTP servers on loopback that stand for what is looked at."""

from tests.checks.conftest import serve

__all__ = ["serve"]
