"""The real stores, for what is compared with them."""

from tests.stores import database_url, postgres, store

__all__ = ["database_url", "postgres", "store"]
