"""The names of Nexus's counters in Redis, shared by the API and the worker."""

VISITS = "nexus:visits"
REPORTS = "nexus:reports"
TICKS = "nexus:ticks"
