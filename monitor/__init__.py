"""Nexus Monitor: watches a FastAPI + Telegram bot + Celery + Mini App stack and tells the one thing that is broken."""

__version__ = "0.1.0"
