"""Reads the watched stack's `render.yaml`: which service is which, and the path Render asks for its health."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.config.stack import read_mapping
from monitor.errors import UsageError

_BY_COMMAND = (
    ("beat", re.compile(r"\bcelery\b.*\bbeat\b")),
    ("worker", re.compile(r"\bcelery\b.*\bworker\b")),
    ("bot", re.compile(r"\bbot\b|aiogram|[_.-]bot\b")),
    ("api", re.compile(r"uvicorn|gunicorn|hypercorn|fastapi")),
)
_BY_NAME = ("beat", "worker", "bot", "api")


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What the file says about the services."""

    services: Mapping[str, str] = field(default_factory=dict)
    """Field of `services` in monitor.yaml → the service's name on Render."""
    others: tuple[str, ...] = ()
    """Names whose part is not known."""
    health_path: str = ""
    """`healthCheckPath` of the API."""


def read_blueprint(path: Path) -> Blueprint:
    """Return what a Blueprint says. Raises UsageError, one line, when it is none."""
    content = read_mapping(path)
    services: dict[str, str] = {}
    others: list[str] = []
    health_path = ""
    for item in _items(path, content, "services"):
        name = str(item["name"])
        role = _role(item)
        if role == "monitor":
            continue
        if role is None or role in services:
            others.append(name)
            continue
        services[role] = name
        if role == "api":
            health_path = str(item.get("healthCheckPath") or "")
    databases = _items(path, content, "databases")
    if databases:
        services["database"] = str(databases[0]["name"])
        others += [str(item["name"]) for item in databases[1:]]
    if not services and not others:
        raise UsageError(f"{path.name}: names no service and no database")
    return Blueprint(services, tuple(others), health_path)


def _items(path: Path, content: Mapping[Any, Any], key: str) -> list[dict[str, Any]]:
    items = content.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("name") for item in items):
        raise UsageError(f"{path.name}: {key}: must be a list of entries with a name")
    return items


def _role(item: Mapping[str, Any]) -> str | None:
    kind, name = str(item.get("type", "")), str(item["name"]).lower()
    command = str(item.get("startCommand") or item.get("dockerCommand") or "").lower()
    if re.search(r"\bmonitor\b.*\bserve\b", command):
        return "monitor"
    if kind in ("redis", "keyvalue"):
        return "redis"
    if "static" in (item.get("runtime"), item.get("env")):
        return "miniapp"
    by_command = next((role for role, pattern in _BY_COMMAND if pattern.search(command)), None)
    by_name = next((role for role in _BY_NAME if role in re.split(r"[^a-z]+", name)), None)
    # Only celery's command is plainer than a name: uvicorn may well serve the bot.
    return by_command if by_command in ("beat", "worker") else by_name or by_command
