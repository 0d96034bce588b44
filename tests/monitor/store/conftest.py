"""Every test of the store runs over SQLite and PostgreSQL."""

from tests.stores import database_url, postgres, store

__all__ = ["database_url", "postgres", "store"]
