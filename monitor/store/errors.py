"""What can be wrong with the monitor's own database: each one clear line, none with a password."""

from monitor.errors import UsageError


class StoreError(UsageError):
    """The database cannot be used as it is."""


class UnknownSchemeError(StoreError):
    """The address names no database that we speak."""


class NoPermissionError(StoreError):
    """The file or its folder may not be written."""


class WrongPasswordError(StoreError):
    """The server refuses our name or password."""


class NewerDatabaseError(StoreError):
    """A newer program has used this database."""


class StoreUnavailableError(StoreError, OSError):
    """The database does not answer now; trying again later may help."""


class LeadershipLostError(StoreError):
    """Another instance writes now: this epoch may commit nothing any more."""
