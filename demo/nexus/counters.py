"""The names of Nexus's keys in Redis, shared by the API and the worker."""

VISITS = "nexus:visits"
REPORTS = "nexus:reports"
TICKS = "nexus:ticks"
EXPORT = "nexus:export"
"""The list by which the other side of an export says that it is there."""
