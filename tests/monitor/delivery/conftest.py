"""Databases for the tests of this folder."""

from tests.stores import database_url, postgres

__all__ = ["database_url", "postgres"]
