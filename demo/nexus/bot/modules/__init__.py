"""The bot's modules: each a router with its commands."""

from demo.nexus.bot.modules import basics, reports, stats

MODULES = (basics, stats, reports)
